// Keep the draft of one item: first in this browser, then on the server; one request at a time,
// retried until it is acknowledged. Survives reload, network loss and the end of the session.
import * as kept from "./kept.js";
import { post } from "./post.js";

const SAVE_AFTER_MS = 250;
const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];
const SENT_KEPT = 20;
const SIGNED_OUT_RETRY_MS = 10_000;

// Submissions go one after the other: each makes the item after it the current one.
let submissions = Promise.resolve();

export class Saver {
  // urls: { draft, submit }; `editing`: the item is submitted, its draft stays in the browser until
  // it is submitted anew; seconds: () => active seconds; shows: () => whether the evidence is to come
  // with the answer to a submission; on(state, details): the page's indicator.
  constructor({ uid, version, editing = false, urls, seconds, shows, on }) {
    Object.assign(this, { uid, version, editing, urls, seconds, shows, on });
    this.failures = 0;
    this.busy = this.stopped = this.done = this.unkept = false;
    this.timer = null;
    this.whenOnline = () => this.#soon(0);
    addEventListener("online", this.whenOnline);
  }

  // What this browser still holds unsent for the item, or null.
  get kept() {
    return kept.read(this.uid);
  }

  change(draft) {
    const entry = this.kept;
    this.#keep({ ...entry, draft, base: entry?.base ?? this.version });
    this.on(this.editing ? "kept" : "saving");
    if (!this.editing && this.timer === null) this.#soon(SAVE_AFTER_MS);
  }

  // The submission's key is made once and kept: a repeated submit is the same submit.
  submit(draft) {
    const entry = this.kept;
    const submission = entry?.submission ?? crypto.randomUUID();
    this.#keep({ base: this.version, ...entry, draft, submission });
    this.stopped = false;
    this.#send(); // before the page is drawn anew, not after
    this.on("submitting");
  }

  // The labels are on this page alone: closed, it takes them along.
  get onlyCopy() {
    return this.unkept && Boolean(this.kept);
  }

  // Submitted, or on the way: what one does now is not meant for this item.
  get submitting() {
    return this.done || Boolean(this.kept?.submission);
  }

  // The draft that the page came with and what is kept here are of one line: nobody else wrote
  // between, or what the server has was sent from here and only its answer got lost.
  agrees(given) {
    const entry = this.kept;
    if (!entry || entry.submission || entry.base === this.version) return true;
    const mine = this.#wasSent(entry, given) || JSON.stringify(given) === JSON.stringify(entry.draft);
    if (mine) this.#keep({ ...entry, base: this.version });
    return mine;
  }

  // Both sides were shown and one was chosen: `draft` goes on top of the server's `version`.
  settle(draft, version) {
    this.version = version;
    this.stopped = false;
    this.#keep({ draft, base: version });
    this.on(this.editing ? "kept" : "saving");
    if (!this.editing) this.#soon(0);
  }

  // Send what an earlier page left behind.
  resume() {
    const entry = this.kept;
    if (!entry) return this.on("saved");
    if (this.editing && !entry.submission) return this.on("kept");
    this.on(entry.submission ? "submitting" : "saving");
    return this.#soon(0);
  }

  // The page goes or is hidden: what is not sent yet is sent now, and outlives the page.
  flush() {
    if (!this.stopped && !(this.editing && !this.submitting)) this.#send({ keepalive: true });
  }

  // Wait until the server has everything; false where that does not come about soon.
  async drain() {
    for (let tries = 0; tries < 40 && !this.editing && this.kept && !this.stopped; tries++) {
      if (this.busy) await new Promise((done) => setTimeout(done, 50));
      else await this.#send();
      if (this.failures && !this.busy) return false;
    }
    return this.editing || !this.kept;
  }

  forget() {
    this.stop();
    kept.drop(this.uid);
    kept.dropHistory(this.uid);
    kept.dropAcknowledged(this.uid);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.whenOnline);
  }

  #keep(entry) {
    const { urls, editing } = this;
    this.unkept = !kept.keep(this.uid, { ...entry, urls, editing, seconds: this.seconds() });
  }

  #soon(delay) {
    clearTimeout(this.timer);
    this.timer = this.stopped ? null : setTimeout(() => this.#send(), delay);
  }

  #body(entry, leaving) {
    const body = { draft: entry.draft, active_seconds: entry.seconds };
    if (!entry.submission) return { ...body, version: this.version };
    const submitted = { ...body, key: entry.submission, show: !leaving && this.shows() };
    return this.editing ? { ...submitted, version: entry.base } : submitted;
  }

  async #send(options) {
    clearTimeout(this.timer);
    this.timer = null;
    const entry = this.kept;
    if (this.busy || !entry) return;
    this.busy = true;
    const submitting = Boolean(entry.submission);
    if (!submitting) this.#noteSent(entry);
    const url = submitting ? this.urls.submit : this.urls.draft;
    const send = () => post(url, this.#body(entry, options?.keepalive), options);
    const answer = await (submitting ? (submissions = submissions.then(send)) : send());
    this.busy = false;
    this.#after(answer, entry, submitting);
  }

  #after(answer, sent, submitting) {
    if (answer.kind === "done") {
      this.failures = 0;
      if (submitting) return this.#submitted(answer.data);
      this.version = answer.data.version;
      return this.#saved(sent);
    }
    if (answer.kind === "offline") {
      this.#soon(RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]);
      return this.on(submitting ? "submit-offline" : "offline");
    }
    if (answer.code === "stale_draft" && this.#wasSent(this.kept, answer.draft)) {
      // the answer to it got lost: nobody else wrote between
      this.version = answer.version;
      this.#keep({ ...this.kept, base: this.version });
      return this.#soon(0);
    }
    if (answer.kind === "signed-out") this.#soon(SIGNED_OUT_RETRY_MS);
    else this.#refused(answer);
    return this.on(answer.kind, answer);
  }

  #noteSent(entry) {
    const draft = JSON.stringify(entry.draft);
    const before = (entry.sent ?? []).filter((one) => one !== draft);
    this.#keep({ ...entry, sent: [...before, draft].slice(-SENT_KEPT) });
  }

  #wasSent(entry, draft) {
    return Boolean(entry?.sent?.includes(JSON.stringify(draft)));
  }

  #refused(answer) {
    this.#keep({ ...this.kept, submission: undefined });
    this.stopped = answer.code !== "incomplete";
  }

  // Labels may have changed while the request was under way: those go next.
  #saved(sent) {
    kept.acknowledge(this.uid, sent.draft, this.version);
    const now = this.kept;
    if (now && (now.submission || JSON.stringify(now.draft) !== JSON.stringify(sent.draft))) {
      this.#keep({ ...now, base: this.version, sent: [] });
      return this.#soon(now.submission ? 0 : SAVE_AFTER_MS);
    }
    kept.drop(this.uid);
    return this.on("saved");
  }

  #submitted(data) {
    this.done = true;
    this.forget();
    this.on("submitted", data);
  }
}
