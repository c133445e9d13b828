// Earlier items: the last submissions, to correct them, and the last skips, to take them back.
import { t } from "../i18n.js";

// `visit(item)` and `takeBack(item)` get one of the server's history.
export async function showEarlier({ url, editUrl, takeBack, visit }) {
  const dialog = document.getElementById("earlier");
  const list = dialog.querySelector("[data-list]");
  list.replaceChildren();
  said(dialog, t("Asking the server …"));
  if (!dialog.open) dialog.showModal();
  const items = await ask(url);
  if (!items) return said(dialog, t("The server cannot be reached. Try again in a moment."));
  said(dialog, items.length ? "" : t("You have submitted or skipped nothing here yet."));
  list.replaceChildren(...items.map((item) => entry(item, { editUrl, takeBack, visit, dialog })));
  list.onkeydown = (event) => walk(event, list);
  return list.querySelector("a, button")?.focus();
}

async function ask(url) {
  try {
    const response = await fetch(url, { redirect: "error", headers: { Accept: "application/json" } });
    return response.ok ? (await response.json()).items : null;
  } catch {
    return null;
  }
}

function entry(item, { editUrl, takeBack, visit, dialog }) {
  const made = document.createElement("li");
  const skipped = item.state === "skipped";
  const way = document.createElement(skipped ? "button" : "a");
  if (skipped) way.type = "button";
  else way.href = editUrl(item.uid);
  way.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    dialog.close();
    if (skipped) takeBack(item);
    else visit(way.href);
  };
  const what = document.createElement("span");
  what.className = "earlier-text";
  what.textContent = item.statement;
  const state = document.createElement("span");
  state.className = "quiet small";
  state.textContent = `${outcome(item)} · ${new Date(item.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })}`;
  way.append(what, state);
  made.append(way);
  return made;
}

function outcome({ state, first_error }) {
  if (state === "skipped") return t("↶ skipped: take it back");
  if (first_error === null) return t("⊘ reported");
  return first_error < 0 ? t("✓ no error") : t("✗ first error: step {step}", { step: first_error + 1 });
}

function walk(event, list) {
  const change = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (!change) return;
  const ways = [...list.querySelectorAll("a, button")];
  ways[ways.indexOf(document.activeElement) + change]?.focus();
  event.preventDefault();
}

function said(dialog, words) {
  dialog.querySelector("[data-said]").textContent = words;
}
