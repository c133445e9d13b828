// The labels of one item as data: marking, undo, what is missing. Knows no page and no network.
export const CORRECT = 1;
export const UNSURE = 0;
export const WRONG = -1;

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
  }

  draft() {
    return { labels: [...this.labels], notes: { ...this.notes }, note: this.note };
  }

  mark(step, label) {
    this.#change(step, (labels) => (labels[step] = label));
  }

  markFirstError(step) {
    this.#change(step, (labels) => {
      labels.fill(CORRECT, 0, step);
      labels[step] = WRONG;
    });
  }

  markRest(step) {
    this.#change(step, (labels) => labels.fill(CORRECT, step));
  }

  // Returns the step whose label came back, or null when there is nothing to undo.
  undo() {
    const last = this.past.pop();
    if (!last) return null;
    this.labels = last.labels;
    return last.step;
  }

  setNote(step, text) {
    if (text.trim()) this.notes[step] = text;
    else delete this.notes[step];
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

  #change(step, edit) {
    this.past.push({ step, labels: [...this.labels] });
    edit(this.labels);
    if (this.firstErrorMode && this.wrongStep >= 0) this.labels.fill(null, this.wrongStep + 1);
  }
}
