// SPDX-License-Identifier: AGPL-3.0-or-later
// A date of which parts may be unknown: day, month, year, and "I am not sure". Digits of any script are accepted.

import { readDigits } from "../../formats/receipt-text.js";
import { t } from "../strings.js";
import { part } from "./element.js";

/** @typedef {{ year: number | null, month: number | null, day: number | null, about: boolean }} PartialDate */

const YEAR_MIN = 1900;
const YEAR_MAX = 2100;

/**
 * @param {HTMLElement} element
 * @returns {PartialDate | undefined}
 */
export function dateAnswer(element) {
  const [year, month, day] = ["year", "month", "day"].map((name) => numberIn(element, name));
  if (year === null && month === null && day === null) return undefined;
  return { year, month, day, about: field(element, "about").checked };
}

/** @param {HTMLElement} element */
export function dateWords(element) {
  const answer = dateAnswer(element);
  if (!answer) return "";
  const month = /** @type {HTMLSelectElement} */ (part(element, '[data-part="month"]'));
  const monthName = answer.month ? (month.selectedOptions[0]?.text.replace(/^[^·]*·\s*/, "") ?? "") : "";
  const words = [answer.day, monthName, answer.year].filter(Boolean).join(" ");
  // Translators: a date of which the person is not sure, such as "about 3 March 2025".
  return answer.about ? t("about {date}", { date: words }) : words;
}

/**
 * @param {HTMLElement} element
 * @returns {import("./error-summary.js").Problem | null}
 */
export function dateProblem(element) {
  const answer = dateAnswer(element);
  if (!answer) return null;
  const { year, month, day } = answer;
  if (year === null) {
    return { message: t("Write the year too, even a rough one, or leave the date empty"), field: id(element, "year") };
  }
  if (!(year >= YEAR_MIN && year <= YEAR_MAX)) {
    return { message: t("Write the year with four digits, such as 2024"), field: id(element, "year") };
  }
  if (day !== null && !dayExists(year, month, day)) {
    return { message: t("There is no such day. Check the day and the month"), field: id(element, "day") };
  }
  return null;
}

/**
 * @param {number} year
 * @param {number | null} month
 * @param {number} day
 */
function dayExists(year, month, day) {
  // Day 0 of the month after is the last of this one; without a month any of 31 days is possible.
  const last = month === null ? 31 : new Date(Date.UTC(year, month, 0)).getUTCDate();
  return day >= 1 && day <= last;
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @returns {number | null} NaN for text that is not a number
 */
function numberIn(element, name) {
  const digits = readDigits(field(element, name).value);
  if (digits === "") return null;
  return /^\d{1,4}$/.test(digits) ? Number(digits) : NaN;
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 */
function field(element, name) {
  return /** @type {HTMLInputElement} */ (part(element, `[data-part="${name}"]`));
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 */
function id(element, name) {
  return field(element, name).id;
}
