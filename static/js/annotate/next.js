// After submitting: Enter goes on, unless something else has the focus.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.closest("a, button, summary")) return;
  event.preventDefault();
  location.assign(document.querySelector("[data-next]").href);
});
