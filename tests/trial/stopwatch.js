// Watch a page from inside: how long after its key a change is painted, and what jumps by itself.
(() => {
  const seen = { keys: [], swaps: [], shifts: [], tasks: [] };
  let pressed = 0;
  let named = "";
  addEventListener(
    "keydown",
    (event) => {
      pressed = performance.now();
      named = event.key;
      const [at, key] = [pressed, event.key];
      requestAnimationFrame(() => setTimeout(() => seen.keys.push([key, performance.now() - at])));
    },
    true,
  );
  const kind = () => {
    const main = document.querySelector("main");
    return main && "bench" in main.dataset ? "item" : main && "shown" in main.dataset ? "evidence" : "other";
  };
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver((changes) => {
      const came = changes.some((change) => [...change.addedNodes].some((node) => node.nodeName === "MAIN"));
      if (!came) return;
      const [from, key] = [pressed, named];
      requestAnimationFrame(() => setTimeout(() => seen.swaps.push([kind(), key, performance.now() - from])));
    }).observe(document.body, { childList: true });
  });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput) seen.shifts.push([kind(), entry.value, performance.now() - pressed]);
    }
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.tasks.push([kind(), entry.duration]);
  }).observe({ type: "longtask", buffered: true });
  window.trialSeen = () => {
    const found = { ...seen };
    for (const name of Object.keys(seen)) seen[name] = [];
    return found;
  };
})();
