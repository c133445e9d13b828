// The labels and notes of one item as data: marking, undo, redo, what is missing. Knows no page
// and no network.
export const CORRECT = 1;
export const UNSURE = 0;
export const WRONG = -1;

// The note on the whole solution, where notes are named by their step.
export const WHOLE = "whole";

export class Sheet {
  // mode "first_error": what follows the first wrong step is not judged.
  constructor(steps, mode, draft) {
    this.steps = steps;
    this.firstErrorMode = mode === "first_error";
    this.load(draft);
  }

  load(draft) {
    const given = draft.labels ?? [];
    this.labels = Array.from({ length: this.steps }, (_, i) => given[i] ?? null);
    this.notes = { ...draft.notes };
    this.note = draft.note ?? "";
    this.past = [];
    this.future = [];
  }

  draft() {
    return { labels: [...this.labels], notes: { ...this.notes }, note: this.note };
  }

  mark(step, label) {
    this.#relabel(step, (labels) => (labels[step] = label));
  }

  markFirstError(step) {
    this.#relabel(step, (labels) => {
      labels.fill(CORRECT, 0, step);
      labels[step] = WRONG;
    });
  }

  markRest(step, label) {
    this.#relabel(step, (labels) => labels.fill(label, step));
  }

  // `place`: a step's index or WHOLE. Letters typed one after the other are one change.
  setNote(place, text) {
    const before = this.noteOn(place);
    if (before === text) return;
    const last = this.past.at(-1);
    if (this.typing && last?.note === String(place)) last.after = text;
    else this.past.push({ note: String(place), before, after: text });
    this.typing = true;
    this.future = [];
    this.#write(place, text);
  }

  noteOn(place) {
    return (place === WHOLE ? this.note : this.notes[place]) ?? "";
  }

  // What is typed from now on is a change of its own.
  endTyping() {
    this.typing = false;
  }

  // Take all of another draft as one change.
  take(draft) {
    const step = Math.max(0, this.missing);
    const notes = [...new Set([...Object.keys(this.notes), ...Object.keys(draft.notes), WHOLE])];
    const other = { ...draft.notes, [WHOLE]: draft.note };
    this.#relabel(step, (labels) => labels.splice(0, this.steps, ...draft.labels));
    this.endTyping();
    for (const place of notes) {
      this.setNote(place, other[place] ?? "");
      this.endTyping();
    }
  }

  // Each returns the change that was taken back or done again, or null where there is none:
  // { step, labels } or { note, before, after }.
  undo() {
    return this.#step(this.past, this.future, "before");
  }

  redo() {
    return this.#step(this.future, this.past, "after");
  }

  get history() {
    return { past: this.past, future: this.future };
  }

  remember({ past, future }) {
    this.past = past;
    this.future = future;
  }

  // Index of the first step called wrong, or -1.
  get wrongStep() {
    return this.labels.indexOf(WRONG);
  }

  folded(step) {
    return this.firstErrorMode && this.wrongStep >= 0 && step > this.wrongStep;
  }

  // Index of the step that must be labeled before submitting, or -1 when nothing is missing.
  get missing() {
    const end = this.firstErrorMode && this.wrongStep >= 0 ? this.wrongStep : this.steps;
    return this.labels.slice(0, end).indexOf(null);
  }

  #relabel(step, edit) {
    const before = [...this.labels];
    edit(this.labels);
    if (this.firstErrorMode && this.wrongStep >= 0) this.labels.fill(null, this.wrongStep + 1);
    const labels = this.labels.flatMap((after, index) =>
      after === before[index] ? [] : [{ index, before: before[index], after }],
    );
    if (labels.length === 0) return;
    this.past.push({ step, labels });
    this.future = [];
    this.endTyping();
  }

  #step(from, to, side) {
    const change = from.pop();
    if (!change) return null;
    to.push(change);
    this.endTyping();
    if (change.labels) for (const one of change.labels) this.labels[one.index] = one[side];
    else this.#write(change.note, change[side]);
    return change;
  }

  #write(place, text) {
    if (place === WHOLE) this.note = text;
    else if (text.trim()) this.notes[place] = text;
    else delete this.notes[place];
  }
}
