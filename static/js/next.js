// Enter goes on, unless something else has the focus.
import { shortcuts } from "./shortcuts.js";

const next = document.querySelector("[data-next]");
shortcuts({ Enter: () => next?.click() }, () => document.activeElement.blur());
