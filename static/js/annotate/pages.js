// Fetch a page or a fragment of the server and take its <main>, typeset and ready to be shown.
import { renderMath } from "../math.js";
import { csrfToken, refusal } from "./post.js";

const TIMEOUT_MS = 15_000;
// one labels on meanwhile: typesetting what comes must not hold up a key
const AT_ONCE_MS = 30;

export const get = (url) => load(url, { method: "GET" });

// `fields` of a form, posted as the form itself would be.
export function send(url, fields = new FormData()) {
  return load(url, { method: "POST", body: fields, headers: { "X-CSRFToken": csrfToken() } });
}

// Returns { kind: "shown", main, url, title } | { kind: "empty" } | { kind: "elsewhere", url }
//       | { kind: "offline" } | { kind: "signed-out" } | { kind: "refused", code, words }
async function load(url, options) {
  let response, body;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    body = await response.text();
  } catch {
    return { kind: "offline" };
  }
  if (response.status === 204) return { kind: "empty" };
  if (response.status >= 500) return { kind: "offline" };
  if (!response.ok) return refusal(body, response.status, response.headers.get("Content-Type"));
  return read(body, response.url);
}

// Take the <main> of a page or fragment that the server sent.
export function read(body, url) {
  const page = new DOMParser().parseFromString(body, "text/html");
  if (page.querySelector(".sign-in")) return { kind: "signed-out" };
  const main = page.querySelector("[data-bench], [data-shown]");
  if (!main) return { kind: "elsewhere", url };
  document.adoptNode(main);
  renderMath(main, AT_ONCE_MS);
  return { kind: "shown", main, url: new URL(main.dataset.address, location.href).href };
}
