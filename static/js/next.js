// Enter goes on, unless something else has the focus.
import { replayEarlyKeys } from "./replay.js";
import { shortcuts } from "./shortcuts.js";

const next = document.querySelector("[data-next]");
shortcuts({ Enter: () => next?.click() }, () => document.activeElement.blur());
replayEarlyKeys();
