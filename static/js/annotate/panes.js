// The problem and the guidelines, folded or not: as one left them, for every next item.
import { local } from "../stores.js";

const SIDE = "annotator:side";
const PROBLEM = "annotator:problem";

export function takeSide(root) {
  showSide(root, local.get(SIDE) === "open");
  showProblem(root, local.get(PROBLEM) !== "folded");
}

export function toggleSide(root) {
  const open = root.querySelector("[data-side]").hidden;
  showSide(root, open);
  local.set(SIDE, open ? "open" : "folded");
}

export function toggleProblem(root) {
  const open = root.querySelector("[data-problem]").hidden;
  showProblem(root, open);
  local.set(PROBLEM, open ? "open" : "folded");
}

function showSide(root, open) {
  root.querySelector("[data-side]").hidden = !open;
  root.classList.toggle("with-side", open);
  root.querySelector("[data-act=guidelines]").setAttribute("aria-pressed", open);
}

function showProblem(root, open) {
  root.querySelector("[data-problem]").hidden = !open;
  root.querySelector("[data-act=problem]").setAttribute("aria-expanded", open);
}
