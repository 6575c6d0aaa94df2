// SPDX-License-Identifier: AGPL-3.0-or-later
// The members who must not read the report: any members of the charter but not all of them.

import { t } from "../strings.js";
import { parts } from "./element.js";
import { optionWords } from "./question.js";

export class Members {
  /**
   * @param {HTMLElement} element the question of kind `members`
   * @param {string} today YYYY-MM-DD
   */
  constructor(element, today) {
    this.element = element;
    this.setToday(today);
  }

  /** @param {string} today YYYY-MM-DD. Former and future members get no key in any case */
  setToday(today) {
    for (const choice of parts(this.element, "[data-from]")) {
      choice.hidden = !isMemberOn(choice, today);
    }
  }

  /** @returns {string[]} labels of the excluded members */
  get excluded() {
    return this.#ticked().map((field) => field.value);
  }

  /** Names of the excluded members. */
  get lines() {
    return this.#ticked().map(optionWords);
  }

  /** @returns {import("./error-summary.js").Problem | null} */
  get problem() {
    const all = parts(this.element, "[data-from]:not([hidden]) input");
    if (all.length === 0 || this.#ticked().length < all.length) return null;
    return { message: t("Leave at least one person who can read it"), field: all[0].id };
  }

  #ticked() {
    return /** @type {HTMLInputElement[]} */ (parts(this.element, "input:checked"));
  }
}

/**
 * @param {HTMLElement} element with the first and the last day of a member, the last one empty while there is none
 * @param {string} today YYYY-MM-DD
 */
export function isMemberOn({ dataset: { from = "", until = "" } }, today) {
  return from <= today && (until === "" || today <= until);
}
