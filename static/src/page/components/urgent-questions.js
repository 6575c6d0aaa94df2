// SPDX-License-Identifier: AGPL-3.0-or-later
// The few questions for somebody in danger. They are those of the panels, moved: what is answered here stands there too.

import { part } from "./element.js";

export class UrgentQuestions {
  #list;
  /** @type {Map<HTMLElement, Comment>} what stands in the place of a question that is here */
  #places = new Map();
  /** @type {HTMLElement[]} those that need an answer only here */
  #required = [];

  /**
   * @param {HTMLElement} panel
   * @param {HTMLElement} root the form
   */
  constructor(panel, root) {
    this.#list = part(panel, "[data-urgent-questions]");
    const { urgentQuestions = "", urgentRequired = "" } = this.#list.dataset;
    for (const name of urgentQuestions.split(" ")) {
      this.#places.set(part(root, `[data-question="${name}"]`), document.createComment(""));
    }
    const required = urgentRequired.split(" ");
    this.#required = [...this.#places.keys()].filter(
      ({ dataset }) => required.includes(dataset.question ?? "") && !("required" in dataset),
    );
  }

  get isHere() {
    return this.#list.firstChild !== null;
  }

  /** Bring the questions here. */
  take() {
    if (this.isHere) return;
    for (const [question, place] of this.#places) {
      question.replaceWith(place);
      this.#list.append(question);
    }
    for (const { dataset } of this.#required) dataset.required = "";
  }

  /** Give them back. */
  giveBack() {
    if (!this.isHere) return;
    for (const [question, place] of this.#places) place.replaceWith(question);
    for (const { dataset } of this.#required) delete dataset.required;
  }
}
