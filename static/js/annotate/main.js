// Wire the annotate page: the item on it, the one ahead, keys, dialogs, and ways between items.
import { n, t } from "../i18n.js";
import { replayEarlyKeys } from "../replay.js";
import { Ahead } from "./ahead.js";
import { showEarlier } from "./back.js";
import { Bench, LABELS } from "./bench.js";
import { Clock, words } from "./clock.js";
import { differences, settleConflict } from "./conflict.js";
import { Keymap } from "./keymap.js";
import { listen } from "./keys.js";
import { giveBackOnLeaving } from "./leave.js";
import { hold, sendLeft } from "./outbox.js";
import { get, read, send } from "./pages.js";
import { say } from "./say.js";
import { WHOLE } from "./sheet.js";
import { button, refusedWords, showStatus, showTrouble, signInAgain } from "./status.js";
import { toggleProblem, toggleSide, takeSide } from "./panes.js";

const AGAIN_MS = 5000;
// a second Enter of the same hand is not meant for what has just come, before anything is done there
const DOUBLE_MS = 400;
const INERT_MS = 200;
const SETTLE_MS = 30;
// what only some items offer: by the project's mode, and whether the item is submitted already
const OPTIONAL = new Set(["first_error", "rest_unsure", "rest_wrong", "skip", "report"]);
const UNSENT = new Set(["kept", "offline", "submit-offline", "signed-out"]);
const { home, historyUrl, loginUrl } = document.querySelector("[data-frame]").dataset;
const keymap = new Keymap();
const ahead = new Ahead();
const face = document.querySelector("[data-clock]");
const clock = new Clock((seconds) => (face.textContent = words(seconds)));
const waiting = new Set(); // benches whose submissions are under way while another item is shown
let current = null; // the item's bench; null on the page with the evidence
let moving = false; // the next item was asked for and is not here yet
let done = Number(document.querySelector("[data-today]").textContent);
let shownAt = 0;
let untouched = false; // nothing was done yet since another item came

function main() {
  return document.querySelector("main");
}

// The page just loaded, or another item or evidence took its place.
function begin({ fresh = false } = {}) {
  const { uid, active, title, aheadUrl } = main().dataset;
  const isBench = "bench" in main().dataset;
  keymap.label(main());
  document.title = title;
  moving = false;
  face.parentElement.hidden = !isBench;
  current = isBench ? new Bench(main(), { seconds: () => clock.seconds, shows, on: report }) : null;
  if (isBench) {
    clock.start(Number(active));
    hold(uid);
    takeSide(main());
    showTrouble();
    if (!current.begin()) conflictAtOpening(current);
  } else if (!fresh) main().querySelector("h1").focus();
  // what was fetched ahead of the item whose evidence is shown is still what follows
  if (waiting.size === 0 && !(ahead.ready && !isBench)) ahead.fetch(aheadUrl);
}

// Whether the evidence of the bench's item will be shown once it is submitted.
function shows(bench) {
  return bench === current && keymap.evidence;
}

function show({ main: next, url }) {
  if ("shown" in next.dataset) settle(next);
  main().replaceWith(next);
  htmx.process(next);
  if (url !== location.href) history.pushState(null, "", url);
  scrollTo(0, 0);
  shownAt = performance.now();
  untouched = true;
  begin();
  if (current) say(whatCame(next));
}

// The focus is on a step: that another item came, and how long it is, is to be heard too.
function whatCame(item) {
  const steps = n("{count} step", "{count} steps", Number(item.dataset.steps));
  return `${item.querySelector("h1").textContent}: ${steps}.`;
}

// The evidence is on screen before its formulas are laid out a second time, for assistive technology.
function settle(evidence) {
  evidence.classList.add("settling");
  requestAnimationFrame(() => setTimeout(() => evidence.classList.remove("settling"), SETTLE_MS));
}

function report(state, details, bench) {
  if (state === "submitted") return submitted(bench, details);
  if (bench === current) {
    showStatus(bench.saver.onlyCopy && UNSENT.has(state) ? "unkept" : state, waiting.size);
    makeInert(bench);
    if (state === "submit-offline" && ahead.ready) return pass(bench);
  }
  if (state === "signed-out") return showTrouble(...signInAgain(loginUrl, bench.saver.onlyCopy));
  if (state !== "refused") return bench === current && showTrouble();
  if (details.code === "stale_draft" && bench === current) return conflict(bench, details);
  return refused(bench, details);
}

// Drawing an item as inert is work, in vain where it goes at once.
function makeInert(bench) {
  bench.root.inert &&= bench.saver.submitting;
  if (bench.saver.submitting) setTimeout(() => (bench.root.inert = bench.saver.submitting && !bench.saver.done), INERT_MS);
}

function refused(bench, details) {
  if (bench === current && details.code === "incomplete") return showTrouble(details.words);
  waiting.delete(bench);
  const words = refusedWords(details, home);
  if (bench === current) return showTrouble(...words);
  return showTrouble(t("An item was not submitted; its labels are kept in this browser."), " ", ...words);
}

// The submission goes on by itself while the next item is labeled.
function pass(bench) {
  waiting.add(bench);
  next();
}

async function submitted(bench, { evidence, main: sent }) {
  waiting.delete(bench);
  if (!bench.editing) document.querySelector("[data-today]").textContent = ++done;
  if (bench !== current) {
    if (current) showStatus(current.saver.kept ? "saving" : "saved", waiting.size);
    if (waiting.size === 0) ahead.fetch(main().dataset.aheadUrl);
    return moving && next();
  }
  showStatus("submitted");
  const shown = evidence && keymap.evidence ? (sent ? read(sent, evidence) : await get(evidence)) : null;
  return shown?.kind === "shown" ? show(shown) : next();
}

async function next() {
  moving = true;
  const answer = await ahead.take();
  if (answer?.kind === "shown") return show(answer);
  if (answer?.kind === "offline" || (!answer && waiting.size)) return nextLater();
  return location.assign(home);
}

function nextLater() {
  showTrouble(t("No network: the next item comes as soon as it is back. What you did is kept here."));
  if (waiting.size === 0) setTimeout(() => moving && fetchNext(), AGAIN_MS);
}

function fetchNext() {
  ahead.fetch(main().dataset.aheadUrl);
  next();
}

function submit() {
  if (untouched && performance.now() - shownAt < DOUBLE_MS) return true;
  if (!current) return moving || next();
  if (current.submit() && !keymap.evidence && !current.editing && ahead.ready) pass(current);
  return true;
}

function conflict(bench, { draft, version }) {
  const settle = (chosen) => {
    showTrouble();
    bench.settle(chosen, version);
  };
  const ask = () => settleConflict({ mine: bench.sheet.draft(), theirs: draft, steps: bench.view.steps, settle });
  if (differences(bench.sheet.draft(), draft).length === 0) return settle(draft);
  showTrouble(t("A newer draft of this item was saved in another tab or on another device."), " ", button(t("Compare the two"), ask));
  return ask();
}

function conflictAtOpening(bench) {
  bench.sheet.load(bench.saver.kept.draft);
  bench.view.showNotes(bench.sheet);
  bench.moveTo(0);
  conflict(bench, { draft: bench.given, version: bench.saver.version });
}

// Skip or report by the dialog's form: what comes back is the next item.
async function passBack(form) {
  const words = form.querySelector("[data-said]");
  words.textContent = t("… sending");
  const drained = await current.saver.drain();
  const answer = drained ? await send(form.action, new FormData(form)) : { kind: "offline" };
  if (answer.kind === "shown" || answer.kind === "elsewhere") return passedBack(form, answer);
  words.textContent =
    answer.kind === "offline"
      ? t("The server cannot be reached: nothing was sent. Your labels are kept here.")
      : (answer.words ?? t("Your session has ended. Sign in again in another tab, then try again."));
  return null;
}

function passedBack(form, answer) {
  current.saver.forget();
  form.closest("dialog").close();
  return arrive(answer);
}

async function arriveBy(asked) {
  const answer = await asked;
  if (answer.kind === "refused") return showTrouble(answer.words);
  if (answer.kind === "offline") return showTrouble(t("The server cannot be reached. Try again in a moment."));
  return arrive(answer);
}

function arrive(answer) {
  return answer.kind === "shown" ? show(answer) : location.assign(answer.url ?? home);
}

async function leaveFor(asked) {
  current?.saver.flush();
  await arriveBy(asked());
}

function earlier() {
  showEarlier({
    url: historyUrl,
    editUrl: (uid) => `${home}${uid}/edit`,
    visit: (url) => leaveFor(() => get(url)),
    takeBack: ({ uid }) => leaveFor(() => send(`${home}${uid}/unskip`)),
  });
}

function open(id) {
  document.getElementById(id)?.showModal();
}

const labeling = {
  ...Object.fromEntries(Object.entries(LABELS).map(([name, label]) => [name, () => current.mark(label)])),
  first_error: () => current.markFirstError(),
  rest_correct: () => current.markRest(LABELS.correct),
  rest_unsure: () => current.markRest(LABELS.unsure),
  rest_wrong: () => current.markRest(LABELS.wrong),
  undo: () => current.undo(),
  redo: () => current.redo(),
  next: () => current.moveTo(current.focus + 1),
  previous: () => current.moveTo(current.focus - 1),
  note: () => current.note(current.focus),
  whole_note: () => current.note(WHOLE),
  unfold: () => current.unfold(),
  problem: () => toggleProblem(main()),
  guidelines: () => {
    toggleSide(main());
    current.moveTo(current.focus);
  },
  skip: () => open("skip"),
  report: () => open("report"),
};
const always = { submit, back: earlier, help: () => open("help") };

// Returns false where the action means nothing here.
function act(action) {
  if (current?.saver.submitting) return true;
  if (action !== "submit") untouched = false;
  if (always[action]) always[action]();
  else if (current && isOffered(action)) labeling[action]();
  else return false;
  return true;
}

function isOffered(action) {
  return !OPTIONAL.has(action) || main().querySelector(`[data-act="${action}"]`) !== null;
}

listen({ keymap: () => keymap, act, leave: () => current?.leaveNote() });

document.addEventListener("click", (event) => {
  const hit = event.target.closest("[data-act]");
  if (!hit || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  act(hit.dataset.act);
  const reason = hit.dataset.reason && main().querySelector(`dialog[open] [value="${hit.dataset.reason}"]`);
  if (reason) reason.checked = true;
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-leaves]")) return;
  event.preventDefault();
  passBack(event.target);
});

addEventListener("beforeunload", (event) => {
  if ([current, ...waiting].some((bench) => bench?.saver.onlyCopy)) event.preventDefault();
});
addEventListener("popstate", () => location.reload());
// back or forward before this script heard of it: the page is not the one of the address
if (new URL(main().dataset.address, location.href).pathname !== location.pathname) location.reload();
addEventListener("online", () => moving && waiting.size === 0 && fetchNext());
giveBackOnLeaving(() => {
  const open = current && !current.editing ? main().dataset : ahead.ready?.main.dataset;
  return { releaseUrl: open?.releaseUrl, flush: () => current?.saver.flush() };
}, home);

begin({ fresh: true });
replayEarlyKeys();
sendLeft(current?.uid, () => say(t("Labels that this browser kept were sent.")));
