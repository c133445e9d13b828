// Keys where one decides, `actionOf` says which action a key means. While one writes, only Escape
// means something, and that is `leave`.
import { keyOf } from "./annotate/keys.js";

const WRITING = "textarea, select, input:not([type=radio], [type=checkbox])";
const ALSO = { ArrowDown: "next", ArrowUp: "previous" };
const REPEATING = new Set(["next", "previous"]);

export function shortcuts(actionOf, actions, leave) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.target.closest(WRITING)) {
      if (event.key === "Escape") leave();
      return;
    }
    const key = keyOf(event);
    // Enter and Space on a focused button, link or summary press that; arrows move within radio buttons
    if (["Enter", "Space"].includes(key) && event.target.closest("button, a, summary")) return;
    if ((key === "Space" || key.startsWith("Arrow")) && event.target.closest("input")) return;
    const action = ALSO[key] ?? actionOf(key);
    if (!actions[action] || (event.repeat && !REPEATING.has(action))) return;
    event.preventDefault();
    actions[action]();
  });
}
