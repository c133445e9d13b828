// Two drafts of one item: both sides step by step beside each other, and a choice for each.
import { t } from "../i18n.js";
import { badge } from "./view.js";

const MINE = "mine";
const THEIRS = "theirs";

// Ask which side counts, step by step; `settle(draft)` gets the draft that was chosen. `steps` are
// the elements of the page.
export function settleConflict({ mine, theirs, steps, settle }) {
  const dialog = document.getElementById("conflict");
  const rows = differences(mine, theirs);
  dialog.querySelector("tbody").replaceChildren(...rows.map((row) => line(row, steps)));
  const choose = (side) => {
    for (const input of dialog.querySelectorAll(`input[value=${side}]`)) input.checked = true;
  };
  dialog.querySelector("[data-take=mine]").onclick = () => choose(MINE);
  dialog.querySelector("[data-take=theirs]").onclick = () => choose(THEIRS);
  dialog.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    const chosen = new FormData(event.target);
    dialog.close();
    settle(merged(mine, theirs, rows, (row) => chosen.get(row.name) === THEIRS));
  };
  // unanswered, the labels stay in this browser and are not sent: it has to be answered
  dialog.oncancel = (event) => event.preventDefault();
  if (!dialog.open) dialog.showModal();
}

// What differs: { name, kind: "label" | "note" | "whole", step, mine, theirs }.
export function differences(mine, theirs) {
  const rows = [];
  const add = (kind, step, one, other) => {
    if (one !== other) rows.push({ name: `${kind}-${step}`, kind, step, mine: one, theirs: other });
  };
  mine.labels.forEach((label, step) => {
    add("label", step, label, theirs.labels[step] ?? null);
    add("note", step, mine.notes[step] ?? "", theirs.notes[step] ?? "");
  });
  add("whole", "", mine.note, theirs.note);
  return rows;
}

function merged(mine, theirs, rows, isTheirs) {
  const draft = { labels: [...mine.labels], notes: { ...mine.notes }, note: mine.note };
  for (const row of rows.filter(isTheirs)) {
    if (row.kind === "label") draft.labels[row.step] = row.theirs;
    else if (row.kind === "whole") draft.note = row.theirs;
    else draft.notes[row.step] = row.theirs;
  }
  return draft;
}

function line(row, steps) {
  const made = document.createElement("tr");
  const what = document.createElement("th");
  what.scope = "row";
  const title = document.createElement("b");
  title.textContent = titleOf(row);
  what.append(title);
  if (row.kind === "label") what.append(textOf(steps[row.step]));
  made.append(what, cell(row, MINE), cell(row, THEIRS));
  return made;
}

// The step itself, typeset as it is on the page.
function textOf(step) {
  const text = step.querySelector(".prose").cloneNode(true);
  text.classList.add("small");
  return text;
}

function titleOf({ kind, step }) {
  if (kind === "whole") return t("Note on the whole solution");
  return kind === "note" ? t("Note on step {step}", { step: step + 1 }) : t("Step {step}", { step: step + 1 });
}

function cell(row, side) {
  const made = document.createElement("td");
  const choice = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: row.name, value: side, checked: side === MINE });
  const sideWords = side === MINE ? t("this page") : t("saved elsewhere");
  input.setAttribute("aria-label", `${titleOf(row)}, ${sideWords}`);
  choice.append(input, row.kind === "label" ? badge(row[side]) : row[side] || "—");
  made.append(choice);
  return made;
}
