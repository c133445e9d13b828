// Keys of the adjudication: 1 to 9 take a side, 0 says that no step is wrong.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("textarea, input[type=text], dialog")) return;
  const chosen =
    event.key === "0"
      ? document.getElementById("first-error--1")
      : document.querySelector(`[data-take="${CSS.escape(event.key)}"]`)?.control;
  if (!chosen) return;
  event.preventDefault();
  chosen.checked = true;
  chosen.closest("tr").scrollIntoView({ block: "nearest" });
  document.getElementById("reason").focus();
});
