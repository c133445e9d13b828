// The browser's storage where it allows one: it may be forbidden, or full. Without it nothing is kept
// here, and nothing else breaks.
class Store {
  constructor(name) {
    try {
      this.storage = globalThis[name];
    } catch {
      this.storage = null;
    }
  }

  get keys() {
    return Object.keys(this.storage ?? {});
  }

  get(key) {
    return this.storage?.getItem(key) ?? null;
  }

  // Returns false where nothing was kept.
  set(key, text) {
    try {
      this.storage.setItem(key, text);
      return true;
    } catch {
      return false;
    }
  }

  remove(key) {
    this.storage?.removeItem(key);
  }
}

export const local = new Store("localStorage");
export const session = new Store("sessionStorage");
