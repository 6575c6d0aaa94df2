// SPDX-License-Identifier: AGPL-3.0-or-later
// "There is a problem": a list at the top that takes the focus, the same words beside each field, and "Error" in the
// title. Answers are not changed.

import { t } from "../strings.js";
import { part, parts } from "./element.js";

/**
 * @typedef {object} Problem
 * @property {string} message
 * @property {string | null} field id of the field to correct, if any
 * @property {{ words: string, run: () => void }} [mend] a button beside the field that corrects it
 */

let plainTitle = "";

/**
 * Show these problems instead of the previous ones; an empty list clears them.
 *
 * @param {HTMLElement} panel holds the summary and the fields
 * @param {Problem[]} problems
 */
export function showProblems(panel, problems) {
  plainTitle ||= document.title;
  clearFields(panel);
  const summary = part(panel, "[data-errors]");
  part(summary, "ul").replaceChildren(...problems.map(summaryItem));
  summary.hidden = problems.length === 0;
  // Translators: stands before the title of the page when something has to be mended.
  document.title = problems.length > 0 ? t("Error: {title}", { title: plainTitle }) : plainTitle;
  for (const problem of problems) markField(panel, problem);
  if (problems.length === 0) return;
  summary.scrollIntoView({ block: "start" });
  summary.focus({ preventScroll: true });
}

/** @param {Problem} problem */
function summaryItem({ message, field }) {
  const item = document.createElement("li");
  if (!field) {
    item.textContent = message;
    return item;
  }
  const link = document.createElement("a");
  link.className = "error-summary__link";
  link.href = `#${field}`;
  link.textContent = message;
  // A look at a field must not change the address or add to the history.
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const target = document.getElementById(field);
    target?.closest(".field")?.scrollIntoView({ block: "start" });
    target?.focus({ preventScroll: true });
  });
  item.append(link);
  return item;
}

/**
 * @param {HTMLElement} panel
 * @param {Problem} problem
 */
function markField(panel, { message, field, mend }) {
  const target = field ? document.getElementById(field) : null;
  const box = target?.closest(".field");
  if (!target || !box) return;
  box.classList.add("field--wrong");
  target.setAttribute("aria-invalid", "true");
  const words = document.getElementById(`${field}-error`) ?? box.querySelector(".field__error");
  if (!(words instanceof HTMLElement)) return;
  words.textContent = message;
  words.hidden = false;
  if (!mend) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--text";
  button.textContent = mend.words;
  button.addEventListener("click", () => {
    mend.run();
    showProblems(panel, []);
    target.focus();
  });
  words.append(" ", button);
}

/** @param {HTMLElement} panel */
function clearFields(panel) {
  for (const box of parts(panel, ".field--wrong")) box.classList.remove("field--wrong");
  for (const target of parts(panel, "[aria-invalid]")) target.removeAttribute("aria-invalid");
  for (const words of parts(panel, ".field .field__error")) {
    words.textContent = "";
    words.hidden = true;
  }
}
