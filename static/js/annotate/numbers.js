// A click on a number lights up the same number everywhere, without touching the page's elements.
const NUMBER = /\d[\d,]*(?:\.\d+)?/g;

export function lightUpNumbers(roots) {
  if (!CSS.highlights) return;
  for (const root of roots) {
    root.addEventListener("click", (event) => {
      if (event.target.closest("button, a, textarea, summary")) return;
      light(numberAt(event), roots);
    });
  }
}

function numberAt(event) {
  const caret = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  const node = caret?.offsetNode;
  if (node?.nodeType !== Node.TEXT_NODE) return null;
  for (const found of node.data.matchAll(NUMBER)) {
    const end = found.index + found[0].length;
    if (found.index <= caret.offset && caret.offset <= end) return plain(found[0]);
  }
  return null;
}

function light(number, roots) {
  CSS.highlights.delete("same-number");
  if (number === null) return;
  const ranges = [...roots].flatMap((root) => rangesOf(number, root));
  CSS.highlights.set("same-number", new Highlight(...ranges));
}

function rangesOf(number, root) {
  const ranges = [];
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (node.parentElement.closest(".katex-mathml, textarea")) continue;
    for (const found of node.data.matchAll(NUMBER)) {
      if (plain(found[0]) === number) ranges.push(rangeAt(node, found));
    }
  }
  return ranges;
}

function rangeAt(node, found) {
  const range = new Range();
  range.setStart(node, found.index);
  range.setEnd(node, found.index + found[0].length);
  return range;
}

function plain(number) {
  return number.replaceAll(",", "").replace(/\.$/, "");
}
