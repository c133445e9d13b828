// The save indicator and the trouble line, in words that say what is kept where.
const WORDS = {
  saved: "✓ saved",
  saving: "… saving",
  submitting: "… submitting",
  submitted: "✓ submitted",
  offline: "⚠ offline, kept here",
  "submit-offline": "⚠ offline: submitted here, sent when the network is back",
  "signed-out": "⚠ signed out, kept here",
  unkept: "⚠ this browser keeps nothing",
  refused: "✗ not saved",
};

export function showStatus(root, indicator, state, details = {}) {
  indicator.textContent = WORDS[state];
  indicator.dataset.state = state;
  const box = root.querySelector("[data-trouble]");
  box.replaceChildren(...trouble(state, details));
  box.hidden = !box.hasChildNodes();
}

function trouble(state, details) {
  if (state === "signed-out") {
    const back = `${details.login}?next=${encodeURIComponent(location.pathname)}`;
    return ["Your session has ended. Your labels are kept in this browser. ", link(back, "Sign in again")];
  }
  if (state === "refused" && details.code === "stale_draft") {
    return [
      "A newer draft of this item was saved in another tab or on another device. ",
      button("Load the newer draft", details.load),
      " ",
      button("Keep mine", details.keep),
    ];
  }
  if (state === "refused" && details.code !== "incomplete") {
    return [`${details.words}. `, link(location.pathname, "Go on with the next item")];
  }
  return state === "refused" ? [details.words] : [];
}

function link(href, words) {
  const element = document.createElement("a");
  element.href = href;
  element.textContent = words;
  return element;
}

function button(words, action) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "button small";
  element.textContent = words;
  element.addEventListener("click", action);
  return element;
}
