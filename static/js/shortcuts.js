// Keys of a page that has no keys of one's own: { key: action }. While one writes, only Escape
// means something, and that is `leave`.
import { keyOf } from "./annotate/keys.js";

const WRITING = "textarea, select, input:not([type=radio], [type=checkbox])";
const REPEATING = new Set(["j", "k", "ArrowDown", "ArrowUp"]);

export function shortcuts(actions, leave) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.target.closest(WRITING)) {
      if (event.key === "Escape") leave();
      return;
    }
    const key = keyOf(event);
    // Enter on a focused button, link or summary presses that; arrows move within radio buttons
    if (key === "Enter" && event.target.closest("button, a, summary")) return;
    if (key.startsWith("Arrow") && event.target.closest("input")) return;
    if (!actions[key] || (event.repeat && !REPEATING.has(key))) return;
    event.preventDefault();
    actions[key]();
  });
}
