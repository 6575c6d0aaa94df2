// SPDX-License-Identifier: AGPL-3.0-or-later
// One question of the form: its answer as data (docs/protocol.md §4.3), its answer in words, and its problems.
// Files and members are not answers: see files.js and members.js.

import { countryNames, t } from "../strings.js";
import { part, parts, setting } from "./element.js";
import { momentAnswer, momentProblem, momentWords, startMoment } from "./moment.js";
import { dateAnswer, dateProblem, dateWords } from "./partial-date.js";
import { keepLongRunsOnOneLine, typedText } from "./typed.js";

/** @typedef {import("./error-summary.js").Problem} Problem */

export class Question {
  #clock;

  /**
   * @param {HTMLElement} element with data-question and data-kind
   * @param {import("../clock.js").PageClock} clock
   */
  constructor(element, clock) {
    this.element = element;
    this.#clock = clock;
    this.id = element.dataset.question ?? "";
    this.kind = element.dataset.kind ?? "";
    if (this.kind === "choice" || this.kind === "moment") this.#makeClearable();
    if (this.kind === "moment") startMoment(element);
    if (this.kind === "country") this.#addCountries();
    if (this.kind === "text") keepLongRunsOnOneLine(this.#field());
  }

  /** Somebody in danger has to answer others than everybody has. */
  get required() {
    return "required" in this.element.dataset;
  }

  /** The text of the question on the page, without "(optional)". */
  get label() {
    const label = part(this.element, ".field__label");
    return [...label.childNodes]
      .filter((node) => !(node instanceof HTMLElement && node.classList.contains("field__optional")))
      .map((node) => node.textContent)
      .join("")
      .trim();
  }

  /** The answer, or undefined when there is none. */
  get answer() {
    switch (this.kind) {
      case "choice":
        return this.#ticked()[0]?.value;
      case "checkboxes":
        return this.#ticked().length > 0 ? this.#ticked().map((field) => field.value) : undefined;
      case "date":
        return dateAnswer(this.element);
      case "moment":
        return momentAnswer(this.element);
      default:
        return typedText(this.#field().value) || undefined;
    }
  }

  /** The answer in words, for "Check your answers": one line for each choice, none when there is no answer. */
  get lines() {
    return this.kind === "choice" || this.kind === "checkboxes"
      ? this.#ticked().map(optionWords)
      : [this.#words].filter(Boolean);
  }

  get #words() {
    if (this.kind === "date") return dateWords(this.element);
    if (this.kind === "moment") return momentWords(this.element);
    if (this.kind !== "country") return typedText(this.#field().value);
    const field = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (this.#field()));
    return field.value ? (field.selectedOptions[0]?.text ?? "") : "";
  }

  /** @returns {Problem | null} */
  get problem() {
    const problem = this.#dateProblem;
    if (problem) return problem;
    if (!this.required || this.answer !== undefined) return null;
    return { message: t("Answer this question: {question}", { question: this.label }), field: this.#firstFieldId() };
  }

  /** What happened is past; what is to happen may be on any day. */
  get #dateProblem() {
    if (this.kind === "date") return dateProblem(this.element, this.#clock.tomorrow);
    return this.kind === "moment" ? momentProblem(this.element) : null;
  }

  #ticked() {
    return /** @type {HTMLInputElement[]} */ (parts(this.element, "input:checked"));
  }

  #field() {
    return /** @type {HTMLInputElement} */ (part(this.element, ".field__control"));
  }

  #firstFieldId() {
    return part(this.element, "input, textarea, select").id;
  }

  #addCountries() {
    const field = this.#field();
    const codes = setting(field, "countries").match(/../g) ?? [];
    field.append(...countryNames(codes).map(([code, name]) => new Option(name, code)));
  }

  /** A radio button can't be deselected by itself, and an answer must be removable. */
  #makeClearable() {
    const button = part(this.element, "[data-clear]");
    this.element.addEventListener("change", () => {
      button.hidden = this.#ticked().length === 0;
    });
    button.addEventListener("click", () => {
      for (const field of this.#ticked()) field.checked = false;
      this.element.dispatchEvent(new Event("change"));
      part(this.element, "input").focus();
    });
  }
}

/** @param {HTMLElement} field a radio button or checkbox within its label */
export function optionWords(field) {
  return part(/** @type {HTMLElement} */ (field.closest("label")), "[data-label]").textContent?.trim() ?? "";
}
