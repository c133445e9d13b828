// Decide one solution: choose by keys or mouse, keep what is typed, keep others away meanwhile.
import { Keymap } from "./annotate/keymap.js";
import { replayEarlyKeys } from "./replay.js";
import { shortcuts } from "./shortcuts.js";
import { session } from "./stores.js";

const form = document.querySelector("[data-adjudicate]");
const reason = document.getElementById("reason");
const output = form.querySelector("[data-choice]");
const rows = [...form.querySelectorAll("tr[data-step]")];
const kept = `annotator:deciding:${form.dataset.kept}`; // one's own: others may sign in in this tab
const HOLD_MS = 60_000;
const SIDES = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const keymap = new Keymap();
let at = -1;

function moveTo(index) {
  if (!rows.length) return;
  at = Math.max(0, Math.min(index, rows.length - 1));
  for (const row of rows) row.classList.toggle("focused", row === rows[at]);
  rows[at].focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}

function toQuestioned(direction) {
  for (let i = at + direction; i >= 0 && i < rows.length; i += direction) {
    if (rows[i].classList.contains("questioned")) return moveTo(i);
  }
}

function choose(radio) {
  if (!radio) return;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  const row = radio.closest("tr");
  if (row.dataset.step) moveTo(rows.indexOf(row));
}

function take(number) {
  const side = form.querySelector(`[data-take="${number}"]`);
  if (!side) return;
  if (side.dataset.code !== undefined) side.click();
  else choose(document.getElementById(side.htmlFor));
}

function fill(message, values) {
  return message.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

function showChoice() {
  const chosen = form.querySelector("input[name=first_error]:checked");
  for (const row of form.querySelectorAll("tbody tr")) {
    row.classList.toggle("chosen", row.contains(chosen));
  }
  if (!chosen) return (output.textContent = output.dataset.none);
  const said = chosen.value === "-1" ? "right" : "step";
  const names = [...form.querySelectorAll(`[for="${chosen.id}"][data-take]`)];
  const words = fill(output.dataset[said], { n: Number(chosen.value) + 1 });
  const sides = names.length
    ? fill(output.dataset.sides, { names: names.map((one) => one.dataset.name).join(", ") })
    : output.dataset.alone;
  output.textContent = `${words} · ${sides}`;
  output.classList.toggle("alone", !names.length);
}

function conclude() {
  const next = document.querySelector("[data-next]");
  if (next && !chosen()) return next.click();
  form.requestSubmit();
}

function unfold() {
  for (const part of rows[at]?.querySelectorAll(":scope details") ?? []) part.open = !part.open;
}

shortcuts(
  (key) => keymap.actionOf(key),
  {
    ...Object.fromEntries(SIDES.map((number) => [`side_${number}`, () => take(number)])),
    no_error: () => choose(document.getElementById("first-error--1")),
    next: () => moveTo(at + 1),
    previous: () => moveTo(at - 1),
    next_question: () => toQuestioned(1),
    previous_question: () => toQuestioned(-1),
    first_error: () => choose(rows[at]?.querySelector("input[name=first_error]")),
    evidence: unfold,
    reason: () => reason.focus(),
    discard: () => document.getElementById("discard").showModal(),
    correct_answer: () => document.getElementById("correct")?.showModal(),
    take_back: () => document.querySelector("[data-reopen]")?.requestSubmit(),
    pass: () => form.querySelector("[data-pass]").click(),
    help: () => document.getElementById("help").showModal(),
    decide: conclude,
  },
  () => document.activeElement.blur(),
);

reason.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
form.addEventListener("change", showChoice);
form.addEventListener("focusin", (event) => {
  const row = event.target.closest("tr[data-step]");
  if (row) at = rows.indexOf(row);
});

// A side that says "discard": its reason is chosen already.
for (const side of form.querySelectorAll("[data-code]")) {
  side.addEventListener("click", () => {
    const code = side.dataset.code || "other";
    document.querySelector(`#discard input[value="${CSS.escape(code)}"]`).checked = true;
  });
}

// What is chosen and typed outlives a reload, a lost connection and a session that ran out.
const decided = document.querySelector("[data-next]") !== null;
const chosen = () => form.querySelector("input[name=first_error]:checked");
const keep = () => session.set(kept, JSON.stringify({ reason: reason.value, first_error: chosen()?.value }));

function takeUp({ reason: words, first_error }) {
  reason.value ||= words;
  if (!chosen()) form.querySelector(`[name=first_error][value="${CSS.escape(first_error)}"]`)?.click();
}

if (!("refused" in form.dataset)) {
  if (decided) session.remove(kept);
  else takeUp(JSON.parse(session.get(kept) ?? '{ "reason": "" }'));
}
for (const sign of ["input", "change"]) form.addEventListener(sign, keep);

form.addEventListener("submit", (event) => {
  const notice = document.querySelector("[data-offline]");
  notice.hidden = navigator.onLine;
  if (!navigator.onLine) event.preventDefault();
});

// The lease: others are given another solution while this page is looked at.
async function hold(release = false) {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  if (release) {
    body.set("release", "1");
    navigator.sendBeacon(form.dataset.hold, body);
    return;
  }
  if (document.hidden) return;
  try {
    const answer = await fetch(form.dataset.hold, { method: "POST", body });
    if (answer.ok && !answer.redirected) showHolder((await answer.json()).held_by);
  } catch {
    // offline: the lease runs out by itself
  }
}

function showHolder(name) {
  const notice = document.querySelector("[data-held]");
  const words = notice.querySelector("[data-held-words]");
  notice.hidden = !name;
  if (name) words.textContent = fill(words.dataset.heldWords, { name });
}

if (!decided) {
  hold();
  setInterval(hold, HOLD_MS);
  document.addEventListener("visibilitychange", () => hold());
  addEventListener("pagehide", () => hold(true));
}

document.querySelector("[data-open-now]")?.showModal();
showChoice();
const first = rows.findIndex((row) => row.classList.contains("questioned"));
if (!decided && !("refused" in form.dataset)) moveTo(Math.max(0, first));
replayEarlyKeys();
