// What every page needs: mathematics, the theme toggle, dialogs, menus.
import { renderMath } from "./math.js";
import { reachLater } from "./reach.js";
import { local } from "./stores.js";

function dark() {
  const set = document.documentElement.dataset.theme;
  return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function toggleTheme() {
  const theme = dark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  local.set("annotator:theme", theme);
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-theme-toggle], [data-open], [data-close]");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (!target) return;
  if ("themeToggle" in target.dataset) toggleTheme();
  if (target.dataset.open) document.getElementById(target.dataset.open).showModal();
  if ("close" in target.dataset) target.closest("dialog").close();
});

// the browser's own check comes first; then one click is one post
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

renderMath(document.body);
addEventListener("resize", reachLater);
// another item takes the place of <main>
new MutationObserver(reachLater).observe(document.body, { childList: true });
document.addEventListener("htmx:afterSwap", (event) => renderMath(event.target));
