// The key that decides goes on, unless something else has the focus.
import { replayEarlyKeys } from "./replay.js";
import { shortcuts } from "./shortcuts.js";

const { keys, off } = JSON.parse(document.getElementById("preferences").textContent);
document.documentElement.classList.toggle("keys-off", off);
const decide = () => document.querySelector("[data-next]")?.click();
const leave = () => document.activeElement.blur();
shortcuts((key) => (!off && key === keys.decide ? "decide" : null), { decide }, leave);
replayEarlyKeys();
