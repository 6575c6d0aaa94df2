// SPDX-License-Identifier: AGPL-3.0-or-later
// The field for a whole receipt code: it divides the groups during typing, and shows at once which group is wrong, or,
// with the last digit, that one of them must be.
// Digits of any script are accepted; the check sends nothing.

import { parseCode, ReceiptCodeError, wholeMatches, wrongGroups } from "../../formats/receipt-code.js";
import { CODE_DIGITS, GROUPS, readCode } from "../../formats/receipt-text.js";
import { listWords, t, tn } from "../strings.js";
import { part } from "./element.js";

/** @typedef {import("./error-summary.js").Problem} Problem */

export class CodeField {
  #field;
  #tally;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#field = /** @type {HTMLTextAreaElement} */ (part(root, "textarea"));
    this.#tally = part(root, "[data-tally]");
    this.#field.addEventListener("input", () => this.#update());
  }

  /** @param {() => void} open */
  onEnter(open) {
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      open();
    });
  }

  /** @returns {{ code: string } | { problem: Problem }} */
  read() {
    try {
      return { code: parseCode(this.#field.value) };
    } catch (error) {
      if (!(error instanceof ReceiptCodeError)) throw error;
      return { problem: { message: this.#message(error), field: this.#field.id } };
    }
  }

  forget() {
    this.#field.value = "";
    this.#tally.textContent = "";
  }

  /** @param {ReceiptCodeError} error */
  #message({ reason, groups }) {
    if (reason === "character") {
      return tn(
        "There is something other than digits in group {groups}",
        "There is something other than digits in groups {groups}",
        groups.length,
        { groups: listWords(groups.map(String)) },
      );
    }
    if (reason === "group") return wrongWords(groups);
    if (reason === "code") return compareWords();
    const { length } = readCode(this.#field.value).digits;
    if (length === 0) return t("Type your code");
    return length < CODE_DIGITS
      ? tn("{count} digit is missing", "{count} digits are missing", CODE_DIGITS - length)
      : tn("There is {count} digit too many", "There are {count} digits too many", length - CODE_DIGITS);
  }

  #update() {
    const { digits, foreign, numbered } = readCode(this.#field.value);
    // The number of a group has to stay until the group is typed.
    if (foreign.length === 0 && (!numbered || digits.length === CODE_DIGITS)) this.#setGroupsApart(digits);
    const whole = Math.min(GROUPS, Math.floor(digits.length / 5));
    const problem = findProblem(digits.slice(0, CODE_DIGITS));
    const progress = digits.length > 0 ? t("{whole} of {all} groups", { whole, all: GROUPS }) : "";
    this.#tally.textContent = problem || progress;
    this.#tally.classList.toggle("tally--wrong", problem !== "");
  }

  /** Only while typing at the end: elsewhere the cursor would jump. @param {string} digits */
  #setGroupsApart(digits) {
    const field = this.#field;
    if (field.selectionEnd !== field.value.length) return;
    const apart = digits.match(/.{1,5}/g)?.join(" ") ?? "";
    if (apart !== field.value.trimEnd()) field.value = apart;
  }
}

/**
 * What is wrong with the groups that are complete. Empty if nothing is.
 *
 * @param {string} digits the beginning of a code, or all of it
 */
function findProblem(digits) {
  const wrong = wrongGroups(digits);
  if (wrong.length > 0) return wrongWords(wrong);
  return digits.length < CODE_DIGITS || wholeMatches(digits) ? "" : compareWords();
}

function compareWords() {
  return t("One of the groups is not as it was written. Compare all of them with your paper");
}

/** @param {number[]} groups */
function wrongWords(groups) {
  return tn("Check group {groups}: a digit is wrong", "Check groups {groups}: digits are wrong", groups.length, {
    groups: listWords(groups.map(String)),
  });
}
