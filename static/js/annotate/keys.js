// Keys of the annotate page. While one writes, only Escape means something here.
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const writing = event.target.closest("textarea, input, select");
    if (writing) {
      if (event.key === "Escape") actions.leave();
      return;
    }
    // Enter on a focused button, link or summary presses that
    if (event.key === "Enter" && event.target.closest("button, a, summary")) return;
    if (event.repeat && !["j", "k", "ArrowDown", "ArrowUp"].includes(event.key)) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
