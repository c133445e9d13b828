// Which key means what on the annotate page. While one writes, only Escape means something here.
const ALSO = { ArrowDown: "next", ArrowUp: "previous" };
const REPEATING = new Set(["next", "previous"]);

// `keymap()`: { keys: {action: key}, off }; `act(action)` returns true where it did something.
export function listen({ keymap, act, leave }) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.target.closest("textarea, input, select")) {
      if (event.key === "Escape") leave();
      return;
    }
    const action = commanded(event) ?? meant(event, keymap());
    if (!action || (event.repeat && !REPEATING.has(action))) return;
    if (act(action)) event.preventDefault();
  });
}

// The name of the pressed key as preferences store it: capitals by Shift, not by Caps Lock.
export function keyOf(event) {
  if (event.key === " ") return "Space";
  if (!/^\p{L}$/u.test(event.key)) return event.key;
  // another alphabet's letter stands for the Latin one on the same key
  const letter = /^[a-z]$/i.test(event.key) ? event.key : event.code.match(/^Key([A-Z])$/)?.[1];
  const plain = (letter ?? event.key).toLowerCase();
  return event.shiftKey ? plain.toUpperCase() : plain;
}

function commanded(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const letter = event.key.toLowerCase();
  if (letter === "z") return event.shiftKey ? "redo" : "undo";
  return letter === "y" ? "redo" : null;
}

function meant(event, { keys, off }) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (ALSO[event.key]) return ALSO[event.key];
  if (off) return null;
  const key = keyOf(event);
  // Enter and Space on a focused button, link or summary press that
  if (["Enter", "Space"].includes(key) && event.target.closest("button, a, summary")) return null;
  return Object.keys(keys).find((action) => keys[action] === key) ?? null;
}
