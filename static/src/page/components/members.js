// SPDX-License-Identifier: AGPL-3.0-or-later
// Who must not read this: the members of the charter, of whom any but the last may be left out.

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
    // Somebody who has left the commission, or has not joined yet, gets no key in any case.
    for (const choice of parts(element, "[data-from]")) {
      const { from = "", until = "" } = choice.dataset;
      if (today < from || (until !== "" && today > until)) choice.remove();
    }
  }

  /** @returns {string[]} labels of those left out */
  get excluded() {
    return this.#ticked().map((field) => field.value);
  }

  /** Names of those left out. */
  get words() {
    return this.#ticked().map(optionWords).join("\n");
  }

  /** @returns {import("./error-summary.js").Problem | null} */
  get problem() {
    const all = parts(this.element, "input");
    if (all.length === 0 || this.#ticked().length < all.length) return null;
    return { message: t("Leave at least one person who can read it"), field: all[0].id };
  }

  #ticked() {
    return /** @type {HTMLInputElement[]} */ (parts(this.element, "input:checked"));
  }
}
