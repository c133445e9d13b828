// Wire the annotate page: sheet, view, saver, clock and keys.
import { Clock, words } from "./clock.js";
import { listen } from "./keys.js";
import { lightUpNumbers } from "./numbers.js";
import { Saver } from "./saver.js";
import { CORRECT, Sheet, UNSURE, WRONG } from "./sheet.js";
import { showStatus } from "./status.js";
import { View } from "./view.js";

const root = document.querySelector("[data-bench]");
const { uid, version, active, mode, steps, draftUrl, submitUrl } = root.dataset;
const indicator = document.querySelector("[data-save]");
const sheet = new Sheet(Number(steps), mode, JSON.parse(document.getElementById("draft").text));
const view = new View(root);
const clockFace = document.querySelector("[data-clock]");
const clock = new Clock(Number(active), (s) => (clockFace.textContent = words(s)));
const saver = new Saver({
  uid,
  version: Number(version),
  urls: { draft: draftUrl, submit: submitUrl },
  seconds: () => clock.seconds,
  on: report,
});
let focus = 0;

function report(state, details = {}) {
  const choices = { load: loadNewer, keep: keepMine, login: root.dataset.loginUrl };
  showStatus(root, indicator, state, { ...details, ...choices });
  root.inert = state === "submitted";
  if (state === "submitted") location.assign(details.next);
}

function loadNewer() {
  saver.forget();
  location.reload();
}

// The newer draft's version is not known here: the reloaded page sends what is kept on top of it.
function keepMine() {
  sessionStorage.setItem("annotator:keep-mine", uid);
  location.reload();
}

function changed(next = focus) {
  saver.change(sheet.draft());
  moveTo(next);
}

function moveTo(index, options) {
  focus = Math.max(0, Math.min(index, sheet.steps - 1));
  if (sheet.folded(focus) && !view.unfolded) focus = sheet.wrongStep;
  view.show(sheet, focus);
  view.focus(focus, options);
}

function mark(label) {
  sheet.mark(focus, label);
  const stays = label === WRONG && sheet.firstErrorMode;
  changed(stays ? focus : focus + 1);
}

function undo() {
  const step = sheet.undo();
  if (step !== null) changed(step);
}

function submit() {
  const missing = sheet.missing;
  if (missing >= 0) return moveTo(missing);
  return saver.submit(sheet.draft());
}

function toggleSide() {
  const side = root.querySelector("[data-side]");
  side.hidden = !side.hidden;
  root.classList.toggle("with-side", !side.hidden);
  root.querySelector("[data-side-toggle]").setAttribute("aria-pressed", !side.hidden);
}

function open(id) {
  document.getElementById(id).showModal();
}

const whenLabeling = (action) => () => saver.submitting || action();

listen({
  1: whenLabeling(() => mark(CORRECT)),
  2: whenLabeling(() => mark(UNSURE)),
  3: whenLabeling(() => mark(WRONG)),
  e: whenLabeling(() => {
    sheet.markFirstError(focus);
    changed();
  }),
  a: whenLabeling(() => {
    sheet.markRest(focus);
    changed(sheet.steps - 1);
  }),
  u: whenLabeling(undo),
  j: () => moveTo(focus + 1),
  k: () => moveTo(focus - 1),
  ArrowDown: () => moveTo(focus + 1),
  ArrowUp: () => moveTo(focus - 1),
  n: whenLabeling(() => view.note(focus)),
  N: whenLabeling(() => view.wholeNote()),
  g: toggleSide,
  s: whenLabeling(() => open("skip")),
  r: whenLabeling(() => open("report")),
  "?": () => open("help"),
  Enter: whenLabeling(submit),
  leave: () => view.focus(focus),
});

root.addEventListener("click", (event) => {
  const hit = event.target.closest("[data-label], [data-submit], [data-unfold], [data-side-toggle], [data-step]");
  if (!hit) return;
  if (hit.dataset.label) whenLabeling(() => mark(Number(hit.dataset.label)))();
  else if ("submit" in hit.dataset) whenLabeling(submit)();
  else if ("sideToggle" in hit.dataset) toggleSide();
  else if ("unfold" in hit.dataset) {
    view.unfolded = true;
    moveTo(focus);
  } else if (!event.target.closest("textarea, summary, a")) {
    moveTo(Number(hit.dataset.step), { scroll: false });
  }
});

root.addEventListener("input", (event) => {
  const step = event.target.closest("[data-step]");
  if (step) sheet.setNote(step.dataset.step, event.target.value);
  else if (event.target.id === "whole-note") sheet.note = event.target.value;
  else return;
  saver.change(sheet.draft());
});

for (const form of document.querySelectorAll("[data-leaves]")) {
  form.addEventListener("submit", () => saver.forget());
}

function begin() {
  const keepsMine = sessionStorage.getItem("annotator:keep-mine") === uid;
  sessionStorage.removeItem("annotator:keep-mine");
  const kept = saver.kept;
  if (kept && (keepsMine || kept.submission || kept.base === saver.version)) {
    sheet.load(kept.draft);
    if (keepsMine) saver.change(sheet.draft());
  }
  view.showNotes(sheet);
  moveTo(Math.max(0, sheet.missing), { scroll: sheet.missing > 0 });
  report("saved");
  if (!keepsMine && !saver.resume()) report("refused", { code: "stale_draft" });
}

lightUpNumbers(root.querySelectorAll("[data-numbers]"));
begin();
