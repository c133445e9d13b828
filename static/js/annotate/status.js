// The save indicator and the trouble line, in words that say what is kept where.
import { n, t } from "../i18n.js";
import { say } from "./say.js";

const WORDS = {
  saved: () => t("✓ saved"),
  kept: () => t("✎ kept here, not submitted"),
  saving: () => t("… saving"),
  submitting: () => t("… submitting"),
  submitted: () => t("✓ submitted"),
  offline: () => t("⚠ offline, kept here"),
  "submit-offline": () => t("⚠ offline: submitted here, sent when the network is back"),
  "signed-out": () => t("⚠ signed out, kept here"),
  unkept: () => t("⚠ not sent, and this browser keeps nothing: do not close the page"),
  refused: () => t("✗ not saved"),
};

// Read out, and that it is over; what goes well after every key is not.
const TROUBLES = new Set(["offline", "submit-offline", "signed-out", "unkept", "refused"]);
const ENDS = new Set(["saved", "submitted"]);
let troubled = false;

export function showStatus(state, waiting = 0) {
  const indicator = document.querySelector("[data-save]");
  const more = waiting
    ? ` · ${n("{count} submission waits here", "{count} submissions wait here", waiting)}`
    : "";
  const words = WORDS[state]() + more;
  if (TROUBLES.has(state) ? indicator.textContent !== words : troubled && ENDS.has(state)) say(words);
  troubled = TROUBLES.has(state) || (troubled && !ENDS.has(state));
  indicator.textContent = words;
  indicator.dataset.state = state;
}

// `parts`: texts and elements; none hides the line.
export function showTrouble(...parts) {
  const box = document.querySelector("[data-trouble]");
  box.replaceChildren(...parts);
  box.hidden = parts.length === 0;
}

// Where the page is the only copy it must not go: one signs in beside it, and it sends by itself.
export function signInAgain(login, onlyCopy) {
  if (onlyCopy) {
    const beside = Object.assign(link(login, t("Sign in in another tab")), { target: "_blank" });
    return [`${t("Your session has ended, and this browser keeps nothing: leave this page open.")} `, beside];
  }
  const back = `${login}?next=${encodeURIComponent(location.pathname)}`;
  return [`${t("Your session has ended. Your labels are kept in this browser.")} `, link(back, t("Sign in again"))];
}

export function refusedWords(details, next) {
  return [`${sentence(details.words)} `, link(next, t("Go on with the next item"))];
}

export function link(href, words) {
  const element = document.createElement("a");
  element.href = href;
  element.textContent = words;
  return element;
}

export function button(words, action, look = "button small") {
  const element = document.createElement("button");
  element.type = "button";
  element.className = look;
  element.textContent = words;
  element.addEventListener("click", action);
  return element;
}

function sentence(words) {
  const ended = /[.!?。！？]$/.test(words) ? words : `${words}.`;
  return ended[0].toUpperCase() + ended.slice(1);
}
