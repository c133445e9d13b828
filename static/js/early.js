// Runs before the page is painted. Its scripts listen only once all of them have come and formulas are
// typeset: keys that are pressed on what can be read before are kept for them (replay.js).
{
  const keys = [];
  const note = (event) => {
    if (event.repeat || !document.querySelector("[data-step], [data-next]")) return;
    if (!event.target.closest("textarea, input, select, button, a, summary")) keys.push(event);
  };
  addEventListener("keydown", note);
  globalThis.takeEarlyKeys = () => {
    removeEventListener("keydown", note);
    return keys.splice(0);
  };
}
