// Show a sheet: states, folding, focus, hints. Reads and writes the page, decides nothing.
const STATES = {
  1: ["right", "✓", "correct"],
  0: ["unsure", "?", "unsure"],
  "-1": ["wrong", "✗", "wrong"],
  null: ["quiet", "·", "no label"],
};

export class View {
  constructor(root) {
    this.root = root;
    this.steps = [...root.querySelectorAll("[data-step]")];
    this.fold = root.querySelector("[data-fold]");
    this.unfolded = false;
  }

  show(sheet, focus) {
    this.steps.forEach((step, index) => this.#showStep(step, index, sheet, focus));
    const hidden = this.unfolded ? 0 : this.steps.filter((_, i) => sheet.folded(i)).length;
    this.fold.hidden = hidden === 0;
    this.fold.firstElementChild.textContent = `${hidden} later step${hidden === 1 ? "" : "s"} folded: the first error decides.`;
    for (const button of this.root.querySelectorAll(".pad [data-label]")) {
      button.setAttribute("aria-pressed", String(sheet.labels[focus]) === button.dataset.label);
    }
    this.#showReadiness(sheet);
  }

  // Bring the step into view with its neighbors.
  focus(index, { scroll = true } = {}) {
    const step = this.steps[index];
    step.focus({ preventScroll: true });
    if (!scroll) return;
    const next = this.steps[index + 1];
    const last = next && !next.hidden ? next : step;
    last.scrollIntoView({ block: "nearest" });
    step.scrollIntoView({ block: "nearest" });
  }

  note(index) {
    const box = this.steps[index].querySelector(".step-note");
    box.hidden = false;
    box.querySelector("textarea").focus();
  }

  wholeNote() {
    const box = this.root.querySelector("[data-whole-note]");
    box.hidden = false;
    box.querySelector("textarea").focus();
  }

  showNotes(sheet) {
    for (const [index, text] of Object.entries(sheet.notes)) {
      const box = this.steps[index]?.querySelector(".step-note");
      if (!box) continue;
      box.hidden = false;
      box.querySelector("textarea").value = text;
    }
    const whole = this.root.querySelector("[data-whole-note]");
    whole.hidden = !sheet.note;
    whole.querySelector("textarea").value = sheet.note;
  }

  #showStep(step, index, sheet, focus) {
    const [tone, sign, word] = STATES[sheet.labels[index]];
    step.classList.toggle("current", index === focus);
    step.dataset.tone = tone;
    step.hidden = sheet.folded(index) && !this.unfolded;
    if (index === focus) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
    const badge = document.createElement("span");
    badge.className = `badge ${tone} ${sheet.labels[index] === null ? "plain" : "filled"}`;
    const mark = document.createElement("i");
    mark.ariaHidden = "true";
    mark.textContent = sign;
    const said = document.createElement("span");
    said.textContent = word;
    // an open step away from the focus stays quiet: its sign alone, the word for screen readers
    if (sheet.labels[index] === null && index !== focus) said.className = "visually-hidden";
    badge.append(mark, said);
    step.querySelector("[data-state]").replaceChildren(badge);
  }

  #showReadiness(sheet) {
    const missing = sheet.missing;
    const submit = this.root.querySelector("[data-submit]");
    submit.setAttribute("aria-disabled", missing >= 0);
    const hint = this.root.querySelector("[data-hint]");
    if (missing < 0) {
      const wrong = sheet.wrongStep;
      hint.textContent = wrong < 0 ? "No step is wrong." : `First error: step ${wrong + 1}.`;
    } else if (sheet.wrongStep >= 0) {
      hint.textContent = `Step ${missing + 1}, before the wrong one, has no label yet.`;
    } else {
      hint.textContent = `${sheet.labels.filter((label) => label === null).length} of ${sheet.steps} steps to label.`;
    }
  }
}
