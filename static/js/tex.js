// What KaTeX refuses of the TeX in use although its meaning is plain. Tried only after KaTeX refused
// the source as it is; the source that a reader sees when both fail is never changed.

// AoPS writes a\plus{}b; LaTeX has \arraystretch, \cline and \vspace, which only set distances here
const MACROS = {
  "\\plus": "+",
  "\\minus": "-",
  "\\equal": "=",
  "\\arraystretch": "1",
  "\\cline": "\\vphantom{#1}",
  "\\mbox": "\\text{#1}",
  "\\cancelto": "\\overset{#1}{\\cancel{#2}}",
};

export function macros() {
  return { ...MACROS };
}

const CHANGES = [
  [/\f/g, "\\f"], // "\frac" that a data set's JSON read as a form feed
  [/\\vspace\*?\{[^{}]*\}/g, ""],
  [/\\renewcommand\s*\{?\\arraystretch\}?\s*\{[^{}]*\}/g, ""],
  [/\\(begin|end)\{eqnarray(\*?)\}/g, (_, side) => (side === "begin" ? "\\begin{array}{rcl}" : "\\end{array}")],
  [/\\(begin|end)\{multline(\*?)\}/g, "\\$1{gather$2}"],
  [/\\begin\{tabular\}([^]*?)\\end\{tabular\}/g, (_, inside) => tabular(inside)],
  [/\\begin\{array\}\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}/g, (_, columns) => `\\begin{array}{${plain(columns)}}`],
];

// A column's own filling, @{…}, and its width, p{…}, are layout.
function plain(columns) {
  const bare = columns.replace(/\{(?:[^{}]|\{[^{}]*\})*\}/g, "").replace(/[@!<>\s]/g, "");
  return bare.replace(/[pmb]/g, "l");
}

// A table of words: each cell becomes \text{…}, where KaTeX reads $…$ as mathematics again.
function tabular(inside) {
  const [, columns, body] = /^\s*\{((?:[^{}]|\{[^{}]*\})*)\}([^]*)$/.exec(inside) ?? [null, "c", inside];
  const rows = body.split("\\\\").map((row) => {
    const lines = row.match(/\\hline/g)?.join("") ?? "";
    const cells = row.replace(/\\hline/g, "").split(/(?<!\\)&/);
    return lines + (cells.length === 1 && !cells[0].trim() ? "" : cells.map(cell).join("&"));
  });
  return `\\begin{array}{${plain(columns)}}${rows.join("\\\\")}\\end{array}`;
}

function cell(words) {
  const spread = /^\s*\\multicolumn\{(\d)\}\{[^{}]*\}\{([^]*)\}\s*$/.exec(words);
  if (!spread) return words.trim() ? `\\text{${words.trim()}}` : "";
  return `\\text{${spread[2]}}` + "&".repeat(Number(spread[1]) - 1);
}

export function mended(source) {
  const changed = CHANGES.reduce((text, [from, to]) => text.replace(from, to), source);
  const ruled = /\\begin\{array\}/.test(changed) ? changed : changed.replace(/\\hline/g, "");
  // outside words a bare dollar is money and a bare percent no comment
  return /\\(text|mbox)/.test(ruled) ? ruled : ruled.replace(/(?<!\\)[$%]/g, "\\$&");
}
