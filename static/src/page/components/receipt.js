// SPDX-License-Identifier: AGPL-3.0-or-later
// The receipt code on the page: shown in groups, copied, printed, and two groups of it typed back.

import { groups } from "../../formats/receipt-code.js";
import { CODE_DIGITS, readDigits } from "../../formats/receipt-text.js";
import { t } from "../strings.js";
import { startPicture } from "./code-picture.js";
import { part, parts } from "./element.js";

/** @typedef {import("./error-summary.js").Problem} Problem */

const GROUP_DIGITS = 5;

/**
 * Show the code in a panel. An empty code removes it.
 *
 * @param {HTMLElement} panel
 * @param {string} code 35 digits
 */
export function showCode(panel, code) {
  const shown = groups(code);
  parts(panel, ".code__group").forEach((element, index) => {
    element.textContent = shown[index] ?? "";
  });
}

/**
 * Start what can be done with the code that a panel shows.
 *
 * @param {HTMLElement} panel
 * @param {() => string} readCode
 * @param {string} pictureScript address of the module that draws it
 */
export function startCode(panel, readCode, pictureScript) {
  startPicture(pictureOf(panel), pictureScript, readCode);
  const said = part(panel, "[data-copied]");
  part(panel, "[data-print]").addEventListener("click", () => print());
  part(panel, "[data-copy]").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(groups(readCode()).join(" "));
      said.textContent = t("Copied. Paste it somewhere safe now.");
    } catch {
      // Without a secure connection or permission there is no clipboard; the digits can be selected by hand.
      said.textContent = t("This browser doesn’t let us copy. Write the digits down, please.");
    }
  });
}

const COVERED = "•".repeat(CODE_DIGITS);

/**
 * Asks for two random groups, or for none when the person continues without the code. The digits are covered from when a
 * field takes the focus: what is typed comes from the paper, not from the screen.
 */
export class TypeBack {
  #panel;
  /** @type {number[]} */
  #asked;
  #code;

  /**
   * @param {HTMLElement} panel
   * @param {string} code
   */
  constructor(panel, code) {
    this.#panel = panel;
    this.#code = code;
    this.#asked = pickTwo(groups(code).length);
    parts(panel, "[data-back-label]").forEach((label, index) => {
      label.textContent = t("Group {number}", { number: this.#asked[index] });
    });
    const [first, second] = this.#fields;
    for (const field of [first, second]) field.addEventListener("focus", () => this.#cover(true));
    first.addEventListener("input", () => {
      if (second.value === "" && readDigits(first.value).length === GROUP_DIGITS) second.focus();
    });
    part(panel, "[data-uncover]").addEventListener("click", () => this.#uncover());
    this.#withoutCode.addEventListener("change", () => {
      part(panel, "[data-type-back]").hidden = this.#withoutCode.checked;
      this.#uncover();
    });
  }

  /** @returns {Problem[]} the first problem to solve before sending: one thing at a time */
  get problems() {
    if (this.isWithout) return [];
    const found = this.#fields.flatMap((field, index) => {
      const number = this.#asked[index];
      const digits = readDigits(field.value);
      if (digits === groups(this.#code)[number - 1]) return [];
      return [{ message: wrongWords(number, digits.length), field: field.id }];
    });
    return found.slice(0, 1);
  }

  /** Whether the person sends without keeping the code. */
  get isWithout() {
    return this.#withoutCode.checked;
  }

  forget() {
    this.#code = "";
    this.#clear();
  }

  /** Whoever looks again has to type again. */
  #uncover() {
    this.#clear();
    this.#cover(false);
    if (!this.#withoutCode.checked) part(this.#panel, "[data-code]").focus({ preventScroll: true });
  }

  /** @param {boolean} covered */
  #cover(covered) {
    const panel = this.#panel;
    pictureOf(panel).open = false;
    showCode(panel, covered ? COVERED : this.#code);
    part(panel, "[data-code]").setAttribute("aria-hidden", String(covered));
    part(panel, "[data-covered]").hidden = !covered;
    part(panel, "[data-uncovered]").hidden = covered;
  }

  #clear() {
    for (const field of this.#fields) field.value = "";
  }

  get #fields() {
    return /** @type {HTMLInputElement[]} */ (parts(this.#panel, "[data-back-field]"));
  }

  get #withoutCode() {
    return /** @type {HTMLInputElement} */ (part(this.#panel, "[data-without-code]"));
  }
}

/** @param {HTMLElement} panel */
function pictureOf(panel) {
  return /** @type {HTMLDetailsElement} */ (part(panel, "[data-picture]"));
}

/**
 * What is wrong with a group that is not as it should be.
 *
 * @param {number} number
 * @param {number} digits how many were typed
 */
function wrongWords(number, digits) {
  if (digits === 0) return t("Type group {number} of your code", { number });
  return digits === GROUP_DIGITS
    ? t("Group {number} is not the same. Look again at what you wrote down", { number })
    : t("Group {number} has five digits", { number });
}

/**
 * Return two different numbers from 1 to `count`, the smaller one first. The bias of the division does not matter: this
 * guards against mistakes, not against an attacker.
 *
 * @param {number} count
 */
function pickTwo(count) {
  const [first, second] = globalThis.crypto.getRandomValues(new Uint32Array(2));
  const one = first % count;
  const other = (one + 1 + (second % (count - 1))) % count;
  return [one + 1, other + 1].sort((a, b) => a - b);
}
