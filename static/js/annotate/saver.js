// Keep the draft: first in this browser, then on the server; one request at a time, retried
// until it is acknowledged. Survives reload, network loss and the end of the session.
import { post } from "./post.js";

const SAVE_AFTER_MS = 250;
const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];

export class Saver {
  // urls: { draft, submit }; seconds: () => active seconds; on(state, details): page's indicator.
  constructor({ uid, version, urls, seconds, on }) {
    Object.assign(this, { version, urls, seconds, on });
    this.key = `annotator:item:${uid}`;
    this.failures = 0;
    this.busy = this.stopped = false;
    addEventListener("online", () => this.#soon(0));
  }

  // What this browser still holds unsent for the item, or null.
  get kept() {
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  }

  change(draft) {
    const base = this.kept?.base ?? this.version;
    this.#keep({ ...this.kept, draft, base, seconds: this.seconds() });
    this.on("saving");
    this.#soon(SAVE_AFTER_MS);
  }

  // The submission's key is made once and kept: a repeated submit is the same submit.
  submit(draft) {
    const submission = this.kept?.submission ?? crypto.randomUUID();
    this.#keep({ base: this.version, ...this.kept, draft, submission, seconds: this.seconds() });
    this.on("submitting");
    this.#soon(0);
  }

  get submitting() {
    return Boolean(this.kept?.submission);
  }

  // Send what an earlier page left behind; false when a newer draft exists on the server.
  resume() {
    const kept = this.kept;
    if (!kept) return true;
    if (!kept.submission && kept.base !== this.version) return false;
    this.on("saving");
    this.#soon(0);
    return true;
  }

  forget() {
    clearTimeout(this.timer);
    localStorage.removeItem(this.key);
  }

  #keep(values) {
    try {
      localStorage.setItem(this.key, JSON.stringify(values));
    } catch {
      this.on("unkept");
    }
  }

  #soon(delay) {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => this.#send(), delay);
  }

  async #send() {
    const kept = this.kept;
    if (this.busy || !kept) return;
    this.busy = true;
    const submitting = Boolean(kept.submission);
    const body = { draft: kept.draft, active_seconds: kept.seconds };
    const answer = submitting
      ? await post(this.urls.submit, { ...body, key: kept.submission })
      : await post(this.urls.draft, { ...body, version: this.version });
    this.busy = false;
    this.#after(answer, kept, submitting);
  }

  #after(answer, sent, submitting) {
    if (answer.kind === "done") {
      this.failures = 0;
      if (submitting) return this.#submitted(answer.data.evidence ?? answer.data.next);
      this.version = answer.data.version;
      return this.#saved(sent);
    }
    if (answer.kind === "offline") {
      this.on(submitting ? "submit-offline" : "offline");
      return this.#soon(RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]);
    }
    if (submitting) this.#keep({ ...this.kept, submission: undefined });
    this.stopped = answer.kind === "refused" && answer.code !== "incomplete";
    if (answer.kind === "signed-out") this.#soon(RETRY_MS[3]);
    return this.on(answer.kind, answer);
  }

  // Labels may have changed while the request was under way: those go next.
  #saved(sent) {
    const now = this.kept;
    if (now && JSON.stringify(now) !== JSON.stringify(sent)) {
      this.#keep({ ...now, base: this.version });
      return this.#soon(0);
    }
    this.forget();
    return this.on("saved");
  }

  #submitted(next) {
    this.stopped = true;
    this.forget();
    this.on("submitted", { next });
  }
}
