// SPDX-License-Identifier: AGPL-3.0-or-later
// The commission's messages, newest first, with a row for each run of missing ones. A message that can't be opened is
// shown as such and hides no other.

import { dayWords, t } from "../strings.js";
import { copyTemplate, part, showText } from "./element.js";

/** @typedef {import("../../formats/worker-calls.js").Message} Message */

/**
 * @param {HTMLElement} panel
 * @param {Message[]} messages
 * @param {number[]} missing numbers of messages, rising
 */
export function showLetters(panel, messages, missing) {
  const rows = [
    ...messages.map((message) => ({ number: message.number || 0, letter: makeLetter(panel, message) })),
    ...runs(missing).map(([first, last]) => ({ number: first, letter: makeGap(panel, first, last) })),
  ];
  // What has no genuine number comes last.
  rows.sort((one, other) => other.number - one.number);
  const letters = part(panel, "[data-letters]");
  letters.replaceChildren(...rows.map(({ letter }) => letter));
  letters.hidden = rows.length === 0;
  part(panel, "[data-missing]").hidden = missing.length === 0;
}

/**
 * @param {HTMLElement} panel
 * @param {Message} message
 */
function makeLetter(panel, message) {
  const letter = copyTemplate(panel, "letter");
  const { number, day, problem, from, body, language } = message;
  part(letter, "[data-number]").textContent = number
    ? t("Message {number}", { number })
    : t("A message without a number");
  part(letter, "[data-day]").textContent = day ? dayWords(day) : "";
  if (problem) {
    part(letter, `[data-problem="${problem}"]`).hidden = false;
    return letter;
  }
  part(letter, "[data-from]").textContent = from
    ? t("From {name}, of the commission", { name: from.name })
    : t("From the commission");
  const words = part(letter, "[data-body]");
  showText(words, body);
  words.lang = language;
  // As in the office's preview: by the words themselves, whatever language they were said to be in.
  words.dir = "auto";
  return letter;
}

/**
 * @param {HTMLElement} panel
 * @param {number} first
 * @param {number} last
 */
function makeGap(panel, first, last) {
  const gap = copyTemplate(panel, "gap");
  part(gap, "[data-number]").textContent =
    first === last ? t("Message {number} is missing", { number: first }) : t("Messages {first} to {last} are missing", { first, last });
  return gap;
}

/**
 * @param {number[]} numbers rising
 * @returns {[number, number][]} first and last of each unbroken run
 */
function runs(numbers) {
  /** @type {[number, number][]} */
  const found = [];
  for (const number of numbers) {
    const run = found[found.length - 1];
    if (run && run[1] === number - 1) run[1] = number;
    else found.push([number, number]);
  }
  return found;
}
