// Send JSON to the server and say plainly what became of it.
import { t } from "../i18n.js";

const TIMEOUT_MS = 15_000;
// said by what stands before the server: later it may be willing
const LATER = [408, 425, 429];

// Returns { kind: "done", data } | { kind: "offline" } | { kind: "signed-out" }
//       | { kind: "refused", code, words, … }: a stale draft comes with the server's draft and version
// What cannot be read (a torn answer, a network's own sign-in page) is no answer: the same as offline.
export async function post(url, body, { keepalive = false } = {}) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(body),
      redirect: "manual",
      keepalive,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return await understood(response);
  } catch {
    return { kind: "offline" };
  }
}

async function understood(response) {
  if (response.type === "opaqueredirect") return { kind: "signed-out" };
  if (response.ok) return { kind: "done", data: await response.json() };
  if (response.status >= 500 || LATER.includes(response.status)) return { kind: "offline" };
  return refusal(await response.text(), response.status, response.headers.get("Content-Type"));
}

// Read anew each time: signing in again in another tab changes the token.
export function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

export function refusal(body, status, type) {
  if (type?.startsWith("application/json")) return { kind: "refused", ...JSON.parse(body) };
  const said = new DOMParser().parseFromString(body, "text/html").querySelector("[data-refusal]");
  if (said) return { kind: "refused", code: said.dataset.code, words: said.textContent.trim() };
  if (status === 403) return { kind: "signed-out" };
  return { kind: "refused", code: String(status), words: t("the server answered {status}", { status }) };
}
