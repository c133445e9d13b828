// Leaving the page gives the items back to the others; a reload, or a way within the annotate
// page, does not. Where the browser cannot tell, the page that comes leases them again.
import { csrfToken } from "./post.js";

// `current()`: { releaseUrl, flush() } of the item on the page, or null.
export function giveBackOnLeaving(current, home) {
  let staying = false;
  globalThis.navigation?.addEventListener("navigate", (event) => {
    if (event.hashChange || event.downloadRequest !== null) return;
    const { pathname } = new URL(event.destination.url);
    staying = pathname.startsWith(home);
  });
  addEventListener("pagehide", () => {
    const item = current();
    if (!item) return;
    item.flush();
    if (!staying && item.releaseUrl) navigator.sendBeacon(item.releaseUrl, signed());
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) current()?.flush();
  });
  // a page that comes back from the browser's cache shows labels of the past
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function signed() {
  const fields = new FormData();
  fields.set("csrfmiddlewaretoken", csrfToken());
  return fields;
}
