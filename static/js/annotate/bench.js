// One item on the page: what each action does to its sheet, its view and its saver.
import * as kept from "./kept.js";
import { t } from "../i18n.js";
import { lightUpNumbers } from "./numbers.js";
import { Saver } from "./saver.js";
import { say, word } from "./say.js";
import { CORRECT, Sheet, UNSURE, WHOLE, WRONG } from "./sheet.js";
import { readiness, View } from "./view.js";

export class Bench {
  // on(state, details, bench): what became of saving and submitting; shows(bench): as Saver's
  constructor(root, { seconds, shows, on }) {
    this.root = root;
    const { uid, version, mode, steps, editing, draftUrl, submitUrl } = root.dataset;
    this.uid = uid;
    this.editing = editing === "true";
    // a reload may overtake the last save: the page was made before it and comes after
    const newer = this.editing ? null : kept.acknowledged(uid, Number(version));
    this.given = newer?.draft ?? JSON.parse(root.querySelector("script#draft").textContent);
    this.sheet = new Sheet(Number(steps), mode, this.given);
    this.view = new View(root);
    this.saver = new Saver({
      uid,
      version: newer?.version ?? Number(version),
      editing: this.editing,
      urls: { draft: draftUrl, submit: submitUrl },
      seconds,
      shows: () => shows(this),
      on: (state, details = {}) => on(state, details, this),
    });
    this.focus = 0;
    this.#listen();
  }

  // Show the item with what this browser kept of it. Returns false where a newer draft stands on
  // the server: both sides are to be shown.
  begin() {
    const agrees = this.saver.agrees(this.given);
    if (agrees && this.saver.kept) this.sheet.load(this.saver.kept.draft);
    const history = kept.readHistory(this.uid, this.sheet.draft());
    if (history) this.sheet.remember(history);
    this.view.showNotes(this.sheet);
    this.moveTo(Math.max(0, this.sheet.missing));
    if (agrees) this.saver.resume();
    return agrees;
  }

  moveTo(index, options) {
    this.focus = Math.max(0, Math.min(index, this.sheet.steps - 1));
    if (this.sheet.folded(this.focus) && !this.view.unfolded) this.focus = this.sheet.wrongStep;
    this.view.show(this.sheet, this.focus);
    this.view.focus(this.focus, options);
  }

  mark(label) {
    const step = this.focus;
    this.sheet.mark(step, label);
    const stays = label === WRONG && this.sheet.firstErrorMode;
    this.#changed(stays ? step : step + 1);
    this.#say(t("Step {step}: {label}.", { step: step + 1, label: word(label) }));
  }

  markFirstError() {
    this.sheet.markFirstError(this.focus);
    this.#changed(this.focus);
    this.#say("");
  }

  markRest(label) {
    const step = this.focus;
    this.sheet.markRest(step, label);
    this.#changed(this.sheet.steps - 1);
    const values = { step: step + 1, last: this.sheet.steps, label: word(label) };
    this.#say(t("Steps {step} to {last}: {label}.", values));
  }

  undo() {
    this.#again(this.sheet.undo(), t("Nothing to undo."), "undone");
  }

  redo() {
    this.#again(this.sheet.redo(), t("Nothing to redo."), "redone");
  }

  // Take the draft that was chosen where two sides differed.
  settle(draft, version) {
    this.sheet.take(draft);
    this.view.showNotes(this.sheet);
    this.#keepHistory();
    this.moveTo(this.sheet.missing < 0 ? this.focus : this.sheet.missing);
    this.saver.settle(this.sheet.draft(), version);
  }

  // Returns false where a label is missing; the focus goes there.
  submit() {
    const missing = this.sheet.missing;
    if (missing < 0) {
      this.saver.submit(this.sheet.draft());
      return true;
    }
    this.moveTo(missing);
    say(readiness(this.sheet));
    return false;
  }

  note(place) {
    this.view.note(place);
  }

  unfold() {
    this.view.unfolded = true;
    this.moveTo(this.focus);
  }

  leaveNote() {
    this.sheet.endTyping();
    this.view.showNotes(this.sheet);
    this.view.focus(this.focus);
  }

  #again(change, nothing, kind) {
    if (!change) return say(nothing);
    const step = change.step ?? (change.note === WHOLE ? this.focus : Number(change.note));
    this.view.showNotes(this.sheet);
    this.#changed(step);
    const values = { step: step + 1, label: word(this.sheet.labels[step]) };
    if (kind === "undone") return this.#say(t("Undone. Step {step}: {label}.", values));
    return this.#say(t("Done again. Step {step}: {label}.", values));
  }

  #changed(next) {
    this.saver.change(this.sheet.draft());
    this.#keepHistory();
    this.moveTo(next);
  }

  #keepHistory() {
    kept.keepHistory(this.uid, this.sheet.draft(), this.sheet.history);
  }

  #say(text) {
    say(this.sheet.missing < 0 ? `${text} ${readiness(this.sheet)}` : text);
  }

  #listen() {
    lightUpNumbers(this.root.querySelectorAll("[data-numbers]"));
    this.root.addEventListener("input", (event) => this.#typed(event.target));
    this.root.addEventListener("focusout", (event) => {
      if (event.target.matches("textarea")) this.sheet.endTyping();
    });
    this.root.addEventListener("click", (event) => {
      if (event.target.closest("button, textarea, summary, a, dialog")) return;
      const step = event.target.closest("[data-step]");
      if (step) this.moveTo(Number(step.dataset.step), { scroll: false });
    });
  }

  #typed(field) {
    const place = field.closest("[data-step]")?.dataset.step ?? (field.id === "whole-note" && WHOLE);
    if (!place || field.closest("dialog")) return;
    this.sheet.setNote(place, field.value);
    this.saver.change(this.sheet.draft());
    this.#keepHistory();
    this.view.show(this.sheet, this.focus);
  }
}

export const LABELS = { correct: CORRECT, unsure: UNSURE, wrong: WRONG };
