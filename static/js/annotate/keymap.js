// Which key means which action, as the person chose it: shown on buttons, changed in the dialog.
import { t } from "../i18n.js";
import { keyOf } from "./keys.js";
import { post } from "./post.js";

const NAMED = ["Space", "Backspace", "Delete", "Insert", "PageUp", "PageDown", "ArrowLeft", "ArrowRight", "Enter"];

export class Keymap {
  constructor() {
    const found = JSON.parse(document.getElementById("preferences").textContent);
    Object.assign(this, found); // place, keys, usual, off, url; evidence where one labels
    this.dialog = document.getElementById("help");
    this.dialog.addEventListener("click", (event) => this.#clicked(event));
    this.dialog.addEventListener("keydown", (event) => this.#pressed(event), true);
    this.dialog.addEventListener("close", () => this.#listenFor(null));
    this.dialog.addEventListener("change", (event) => this.#switched(event.target));
    this.label(document);
  }

  // The action that the key means to the person; null where keys are off.
  actionOf(key) {
    if (this.off) return null;
    return Object.keys(this.keys).find((action) => this.keys[action] === key) ?? null;
  }

  // Write the keys on what `root` holds.
  label(root) {
    for (const cap of root.querySelectorAll("kbd[data-key]")) {
      cap.textContent = capOf(this.keys[cap.dataset.key]);
    }
    for (const button of root.querySelectorAll("[data-act], [data-shortcut]")) {
      const key = this.off ? null : this.keys[button.dataset.act ?? button.dataset.shortcut];
      if (key) button.setAttribute("aria-keyshortcuts", /^[A-Z]$/.test(key) ? `Shift+${key}` : key);
      else button.removeAttribute("aria-keyshortcuts");
    }
    document.documentElement.classList.toggle("keys-off", this.off);
  }

  #clicked({ target }) {
    const row = target.closest("[data-remap]");
    if (row) this.#listenFor(this.waiting === row ? null : row);
    if (target.closest("[data-usual]")) this.#save({ ...this, keys: { ...this.usual } });
  }

  #switched(field) {
    if (field.name === "off") this.#save({ ...this, off: !field.checked });
    if (field.name === "evidence") this.#save({ ...this, evidence: field.checked });
  }

  #listenFor(row) {
    this.waiting?.classList.remove("waiting");
    this.waiting = row;
    row?.classList.add("waiting");
    this.#say(row ? t("Press the key for “{action}”; Escape keeps the old one.", { action: nameOf(row) }) : "");
  }

  #pressed(event) {
    if (!this.waiting || ["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return this.#listenFor(null);
    const key = keyOf(event);
    if (event.ctrlKey || event.metaKey || event.altKey || !(NAMED.includes(key) || /^[!-~]$/.test(key))) {
      return this.#say(t("This key cannot be used: take a letter, a digit or a sign."));
    }
    return this.#assign(this.waiting.dataset.remap, key);
  }

  // A key that was taken changes places with the old one: no action is ever without a key.
  #assign(action, key) {
    const keys = { ...this.keys, [action]: key };
    const other = Object.keys(this.keys).find((name) => name !== action && this.keys[name] === key);
    if (other) keys[other] = this.keys[action];
    this.#listenFor(null);
    return this.#save({ ...this, keys }, other);
  }

  async #save({ keys, off, evidence }, swapped) {
    const before = { keys: this.keys, off: this.off, evidence: this.evidence };
    this.#take({ keys, off, evidence });
    this.#say(t("… saving"));
    const answer = await post(this.url, { [this.place]: keys, off, evidence });
    if (answer.kind === "done") return this.#say(swapped ? this.#swappedWords(swapped) : t("✓ saved"));
    this.#take(before);
    return this.#say(answer.words ?? t("Not saved: the server cannot be reached. Nothing was changed."));
  }

  #take(values) {
    Object.assign(this, values);
    this.dialog.querySelector("[name=off]").checked = !this.off;
    const evidence = this.dialog.querySelector("[name=evidence]");
    if (evidence) evidence.checked = this.evidence;
    this.label(document);
  }

  #swappedWords(other) {
    const row = this.dialog.querySelector(`[data-remap="${other}"]`);
    return t("✓ saved; “{action}” is now on {key}", { action: nameOf(row), key: capOf(this.keys[other]) });
  }

  #say(words) {
    this.dialog.querySelector("[data-said]").textContent = words;
  }
}

function nameOf(row) {
  return row.dataset.name ?? document.getElementById(row.getAttribute("aria-describedby")).textContent.trim();
}

function capOf(key) {
  return /^[A-Z]$/.test(key) ? `⇧${key.toLowerCase()}` : key;
}
