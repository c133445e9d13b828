// What scrolls sideways is within the keyboard's reach, also where the browser does not see to it.
const WIDE = ".prose :is(table, pre, .katex-display)";
const CALM_MS = 200; // it is measured once what came is laid out, never in the way of a key
let due = null;

export function reachLater() {
  clearTimeout(due);
  due = setTimeout(reach, CALM_MS);
}

function reach() {
  for (const part of document.querySelectorAll(WIDE)) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}
