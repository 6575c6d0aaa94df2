// SPDX-License-Identifier: AGPL-3.0-or-later
// "Check your answers": every question with its answer in words and a way to change it.

import { t } from "../strings.js";
import { copyTemplate, part } from "./element.js";
import { holdsTraces } from "./traces.js";

/**
 * @typedef {object} Row
 * @property {string} label
 * @property {string} words empty when there is no answer
 * @property {boolean} typed whether the person typed it rather than picked it
 * @property {() => void} change
 */

/**
 * @param {HTMLElement} panel
 * @param {Row[]} rows
 */
export function showAnswers(panel, rows) {
  part(panel, "[data-summary]").replaceChildren(...rows.map((row) => makeRow(panel, row)));
}

/**
 * @param {HTMLElement} panel
 * @param {Row} row
 */
function makeRow(panel, { label, words, typed, change }) {
  const element = copyTemplate(panel, "answer");
  part(element, "[data-label]").textContent = label;
  const answer = part(element, "[data-answer]");
  answer.textContent = words || t("Not answered");
  answer.classList.toggle("summary__answer--none", !words);
  part(element, "[data-change-what]").textContent = ` ${label}`;
  part(element, "[data-change]").addEventListener("click", change);
  part(element, "[data-warning]").hidden = !(typed && holdsTraces(words));
  return element;
}
