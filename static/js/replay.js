// Keys that were pressed before the page listened (early.js) count as if they were pressed now.
export function replayEarlyKeys() {
  for (const event of globalThis.takeEarlyKeys()) {
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", event));
  }
}
