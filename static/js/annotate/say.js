// What a screen reader says of what has just happened, and the words of labels.
import { t } from "../i18n.js";

const WORDS = {
  1: () => t("correct"),
  0: () => t("unsure"),
  "-1": () => t("wrong"),
  null: () => t("no label"),
};

export function say(text) {
  const place = document.querySelector("[data-announce]");
  // the same words twice are two announcements
  place.textContent = place.textContent === text ? `${text}\u00a0` : text;
}

export function word(label) {
  return WORDS[label]();
}
