// SPDX-License-Identifier: AGPL-3.0-or-later
// "Check your answers": every question with its answer in words and a way to change it.

import { t } from "../strings.js";
import { copyTemplate, part, showText } from "./element.js";
import { holdsTraces } from "./traces.js";

// Longer answers would hide the others. The style shows eight lines of them.
const FOLDED_CHARS = 800;
const LINE_CHARS = 80;

/**
 * @typedef {object} Row
 * @property {string} label
 * @property {(string | string[])[]} lines what was answered, one line for each choice, file or name; none when there is
 *   no answer. The parts of a line are each set apart in a text of another direction
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

/** @param {string} text */
function isLong(text) {
  return text.length + LINE_CHARS * text.split("\n").length > FOLDED_CHARS;
}

/**
 * Show the beginning of a long answer, and the rest when the button is pressed.
 *
 * @param {HTMLElement} answer
 * @param {HTMLElement} more holds the button
 */
function fold(answer, more) {
  const button = part(more, "button");
  more.hidden = false;
  answer.classList.add("summary__answer--folded");
  button.addEventListener("click", () => {
    const isFolded = answer.classList.toggle("summary__answer--folded");
    button.setAttribute("aria-expanded", String(!isFolded));
  });
}

/**
 * @param {HTMLElement} panel
 * @param {Row} row
 */
function makeRow(panel, { label, lines, typed, change }) {
  const element = copyTemplate(panel, "answer");
  part(element, "[data-label]").textContent = label;
  const answer = part(element, "[data-answer]");
  showLines(answer, lines, typed);
  if (typed && isLong(lines.join())) fold(answer, part(element, "[data-more]"));
  part(element, "[data-change-what]").textContent = ` ${label}`;
  part(element, "[data-change]").addEventListener("click", change);
  part(element, "[data-warning]").hidden = !(typed && lines.flat().some(holdsTraces));
  return element;
}

/**
 * One line as it is, several as bullets. What was picked keeps the direction of the page, and each of its lines is kept
 * apart from what surrounds it; what was typed has its own direction.
 *
 * @param {HTMLElement} answer
 * @param {(string | string[])[]} lines
 * @param {boolean} typed
 */
function showLines(answer, lines, typed) {
  answer.classList.toggle("summary__answer--none", lines.length === 0);
  if (lines.length === 0) answer.textContent = t("Not answered");
  else if (lines.length > 1) answer.append(bullets(lines));
  else if (!typed) answer.append(isolated(lines[0]));
  else {
    answer.dir = "auto";
    showText(answer, String(lines[0]));
  }
}

/** @param {(string | string[])[]} lines */
function bullets(lines) {
  const list = document.createElement("ul");
  list.className = "summary__list";
  for (const line of lines) {
    const item = document.createElement("li");
    item.append(isolated(line));
    list.append(item);
  }
  return list;
}

/** @param {string | string[]} line */
function isolated(line) {
  const whole = document.createElement("span");
  [line].flat().forEach((words, index) => {
    const element = document.createElement("bdi");
    element.textContent = words;
    whole.append(...(index > 0 ? [" · "] : []), element);
  });
  return whole;
}
