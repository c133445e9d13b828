// Render `.math` spans by KaTeX. The source comes from data sets: nothing in it is trusted.
import { reachLater } from "./reach.js";
import { macros, mended } from "./tex.js";

const LIMITS = { maxExpand: 200, maxSize: 20 };
const LONGEST = 20000;
const DEEPEST = 60;
const AT_ONCE = 250; // milliseconds before the page may paint and answer keys again
const KEPT = 1000;
// what was typeset, by its source: an item's formulas come again in its evidence, many in the next
const typesetBefore = new Map();

export function renderMath(root, atOnce = AT_ONCE) {
  const spans = root.querySelectorAll(".math:not(.rendered, .broken)");
  renderFrom([...spans], 0, atOnce);
}

// A page of hostile or very many formulas is typeset in slices: the first one before the first
// paint, as always, the others when the browser has caught up.
function renderFrom(spans, first, atOnce) {
  const end = performance.now() + atOnce;
  for (let next = first; next < spans.length; next += 1) {
    if (performance.now() > end) {
      setTimeout(renderFrom, 0, spans, next, atOnce);
      return;
    }
    renderOne(spans[next]);
  }
  reachLater();
}

function renderOne(span) {
  const source = span.textContent;
  const name = `${span.dataset.display}${source}`;
  const known = typesetBefore.get(name);
  if (known) {
    span.replaceChildren(known.cloneNode(true));
    span.classList.add("rendered");
    return;
  }
  const error = refusal(source) ?? tryBoth(span, source);
  span.classList.add(error ? "broken" : "rendered");
  if (!error) return keep(name, span);
  span.textContent = source;
  span.title = error.message;
}

function keep(name, span) {
  if (typesetBefore.size >= KEPT) typesetBefore.clear();
  const made = document.createDocumentFragment();
  made.append(...[...span.childNodes].map((node) => node.cloneNode(true)));
  typesetBefore.set(name, made);
}

function refusal(source) {
  if (source.length > LONGEST) return new Error("too long to typeset");
  if (depth(source) > DEEPEST) return new Error("nested too deeply to typeset");
  return null;
}

// KaTeX calls itself for each level: left to itself, 10,000 of them exhaust the browser's stack.
function depth(source) {
  let now = 0;
  let deepest = 0;
  for (const sign of source.match(/[{}]|\\(?:left|right|begin|end)(?![A-Za-z])/g) ?? []) {
    if (sign === "}" || sign === "\\right" || sign === "\\end") now -= 1;
    else if (sign === "{" || sign === "\\left" || sign === "\\begin") now += 1;
    deepest = Math.max(deepest, now);
  }
  return deepest;
}

function tryBoth(span, source) {
  const error = typeset(span, source);
  if (!error) return null;
  const other = mended(source);
  return other !== source && !typeset(span, other) ? null : error;
}

// Left to itself KaTeX shows the command alone and drops what stands in its braces.
function refuse({ command }) {
  throw new Error(`${command} is not typeset here`);
}

function typeset(span, source) {
  try {
    katex.render(source, span, {
      displayMode: span.dataset.display === "true",
      trust: refuse,
      strict: "ignore",
      throwOnError: true,
      macros: macros(),
      ...LIMITS,
    });
    return null;
  } catch (error) {
    return error;
  }
}
