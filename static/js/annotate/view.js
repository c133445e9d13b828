// Show a sheet: states, folding, focus, notes, hints. Reads and writes the page, decides nothing.
import { n, t } from "../i18n.js";
import { word } from "./say.js";
import { WHOLE } from "./sheet.js";

const LOOKS = { 1: ["right", "✓"], 0: ["unsure", "?"], "-1": ["wrong", "✗"], null: ["quiet", "·"] };
const ACTIONS = { correct: 1, unsure: 0, wrong: -1 };

export class View {
  constructor(root) {
    this.root = root;
    this.steps = [...root.querySelectorAll("[data-step]")];
    this.pane = root.querySelector("[data-pane]");
    this.fold = root.querySelector("[data-fold]");
    this.whole = root.querySelector("[data-whole-note]");
    this.unfolded = false;
    this.shown = [];
  }

  show(sheet, focus) {
    this.steps.forEach((step, index) => this.#showStep(step, index, sheet, focus));
    const hidden = this.unfolded ? 0 : this.steps.filter((_, i) => sheet.folded(i)).length;
    this.fold.hidden = hidden === 0;
    this.fold.firstElementChild.textContent = n(
      "{count} later step folded: the first error decides.",
      "{count} later steps folded: the first error decides.",
      hidden,
    );
    for (const [action, label] of Object.entries(ACTIONS)) {
      const button = this.root.querySelector(`.pad [data-act="${action}"]`);
      button.setAttribute("aria-pressed", sheet.labels[focus] === label);
    }
    for (const [action, changes] of [["undo", sheet.past], ["redo", sheet.future]]) {
      const button = this.root.querySelector(`[data-act="${action}"]`);
      button.setAttribute("aria-disabled", changes.length === 0);
    }
    this.root.querySelector("[data-act=submit]").setAttribute("aria-disabled", sheet.missing >= 0);
    this.root.querySelector("[data-hint]").textContent = readiness(sheet);
  }

  // Bring the step into view with its neighbors. Nothing glides: one reads on at once.
  focus(index, { scroll = true } = {}) {
    const step = this.steps[index];
    step.focus({ preventScroll: true });
    if (scroll) this.#reveal(index);
  }

  note(place) {
    const box = this.#noteBox(place);
    box.hidden = false;
    box.querySelector("textarea").focus();
  }

  showNotes(sheet) {
    for (let index = 0; index < this.steps.length; index++) this.#showNote(sheet, index);
    this.#showNote(sheet, WHOLE);
  }

  #showNote(sheet, place) {
    const [box, text] = [this.#noteBox(place), sheet.noteOn(place)];
    const field = box.querySelector("textarea");
    if (document.activeElement !== field) box.hidden = !text;
    if (field.value !== text) field.value = text;
  }

  #noteBox(place) {
    return place === WHOLE ? this.whole : this.steps[place].querySelector(".step-note");
  }

  #reveal(index) {
    const box = (i) => this.steps[i]?.getBoundingClientRect() ?? { height: 0 };
    const [pane, step] = [this.pane.getBoundingClientRect(), box(index)];
    const above = Math.min(box(index - 1).height, pane.height / 4);
    const below = Math.min(box(index + 1).height, pane.height / 3);
    const fits = above + step.height + below <= pane.height;
    const top = step.top - (fits ? above : Math.min(above, 40));
    const bottom = step.bottom + (fits ? below : 0);
    if (top < pane.top || !fits) this.pane.scrollTop += top - pane.top;
    else if (bottom > pane.bottom) this.pane.scrollTop += bottom - pane.bottom;
    // where the whole page scrolls instead of the pane (low windows), the browser does it
    step.height && this.steps[index].scrollIntoView({ block: "nearest" });
  }

  #showStep(step, index, sheet, focus) {
    const [label, current] = [sheet.labels[index], index === focus];
    const hidden = sheet.folded(index) && !this.unfolded;
    const look = `${label} ${current} ${hidden}`;
    if (this.shown[index] === look) return;
    this.shown[index] = look;
    step.classList.toggle("current", current);
    step.dataset.tone = LOOKS[label][0];
    step.hidden = hidden;
    step.ariaLabel = t("Step {step}: {label}.", { step: index + 1, label: word(label) });
    if (current) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
    step.querySelector("[data-state]").replaceChildren(badge(label, current));
  }
}

// An open step away from the focus stays quiet: its sign alone, the word for screen readers.
export function badge(label, current = true) {
  const [tone, sign] = LOOKS[label];
  const made = document.createElement("span");
  made.className = `badge ${tone} ${label === null ? "plain" : "filled"}`;
  const mark = document.createElement("i");
  mark.ariaHidden = "true";
  mark.textContent = sign;
  const said = document.createElement("span");
  said.textContent = word(label);
  if (label === null && !current) said.className = "visually-hidden";
  made.append(mark, said);
  return made;
}

export function readiness(sheet) {
  const { missing, wrongStep } = sheet;
  if (missing < 0 && wrongStep < 0) return t("No step is wrong.");
  if (missing < 0) return t("First error: step {step}.", { step: wrongStep + 1 });
  if (sheet.firstErrorMode && wrongStep >= 0) {
    return t("Step {step}, before the wrong one, has no label yet.", { step: missing + 1 });
  }
  const open = sheet.labels.filter((label) => label === null).length;
  return t("{open} of {steps} steps to label.", { open, steps: sheet.steps });
}
