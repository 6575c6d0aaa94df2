// SPDX-License-Identifier: AGPL-3.0-or-later
// The commission's messages, newest first. A message that can't be opened is shown as such and hides no other.

import { dayWords, t } from "../strings.js";
import { copyTemplate, part } from "./element.js";

/** @typedef {import("../../formats/worker-calls.js").Message} Message */

const RIGHT_TO_LEFT = /^(ar|fa|ur|he|ps|ckb|dv|sd|ug|yi)\b/;

/**
 * @param {HTMLElement} panel
 * @param {Message[]} messages oldest first
 */
export function showLetters(panel, messages) {
  const letters = part(panel, "[data-letters]");
  letters.replaceChildren(...messages.map((message) => makeLetter(panel, message)).reverse());
  letters.hidden = messages.length === 0;
}

/**
 * @param {HTMLElement} panel
 * @param {Message} message
 */
function makeLetter(panel, message) {
  const letter = copyTemplate(panel, "letter");
  const body = part(letter, "[data-body]");
  part(letter, "[data-day]").textContent = message.day === null ? "" : dayWords(message.day);
  if (message.problem) {
    body.textContent = problemWords(message.problem);
    letter.classList.add("letter--broken");
    return letter;
  }
  part(letter, "[data-from]").textContent = message.from
    ? t("From {name}, of the commission", { name: message.from.name })
    : t("From the commission");
  body.textContent = message.body;
  body.lang = message.language;
  body.dir = RIGHT_TO_LEFT.test(message.language) ? "rtl" : "ltr";
  return letter;
}

/** @param {"unreadable" | "unsigned"} problem */
function problemWords(problem) {
  return problem === "unsigned"
    ? t("There is a message here that is not signed by anyone of your commission. We don’t show it, because it may come from someone else.")
    : t("There is a message here that can’t be opened. It may be damaged. You can tell the commission so below.");
}
