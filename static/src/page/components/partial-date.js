// SPDX-License-Identifier: AGPL-3.0-or-later
// A date of which parts may be unknown: day, month, year, and "I am not sure". Digits of any script are accepted, and
// years of other calendars are named: nothing is converted without being asked for.

import { toPlain } from "../../formats/receipt-text.js";
import { t } from "../strings.js";
import { part } from "./element.js";

/**
 * @typedef {{ year: number | null, month: number | null, day: number | null, about: boolean }} PartialDate
 * @typedef {import("./error-summary.js").Problem} Problem
 */

const YEAR_MIN = 1900;

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
  const { day, year } = answer;
  const isOfUnknownMonth = day && year && !monthName;
  const words = isOfUnknownMonth
    ? t("day {day} of a month of {year}", { day, year })
    : [day, monthName, year].filter(Boolean).join(" ");
  // Translators: a date of which the person is not sure, such as "about 3 March 2025".
  return answer.about ? t("about {date}", { date: words }) : words;
}

/**
 * Days to come are a problem, unless the question is about such: then its element has `data-to-come`.
 *
 * @param {HTMLElement} element
 * @param {string} tomorrow YYYY-MM-DD
 * @returns {Problem | null}
 */
export function dateProblem(element, tomorrow) {
  const answer = dateAnswer(element);
  if (!answer) return null;
  const { year, month, day } = answer;
  if (year === null) {
    return { message: t("Write the year too, even a rough one, or leave the date empty"), field: id(element, "year") };
  }
  const otherYear = calendarProblem(element, year, month === null && day === null);
  if (otherYear) return otherYear;
  if (!(year >= YEAR_MIN && year <= 9999)) {
    return { message: t("Write the year with four digits, such as 2024"), field: id(element, "year") };
  }
  if (day !== null && !dayExists(year, month, day)) {
    const message = day
      ? t("There is no such day: {date}. Check the day and the month", { date: dateWords(element) })
      : t("There is no such day. Check the day and the month");
    return { message, field: id(element, "day") };
  }
  const first = [year, month ?? 1, day ?? 1].map((number) => String(number).padStart(2, "0")).join("-");
  if (first <= tomorrow || "toCome" in element.dataset) return null;
  return { message: t("This day is still to come. Check the date"), field: id(element, "year") };
}

/**
 * A year of the Solar Hijri, Hijri or Buddhist calendar. Only a year alone can be put right by a tap. One of the first two
 * has days of two of ours.
 *
 * @param {HTMLElement} element
 * @param {number} year
 * @param {boolean} isAlone
 * @returns {Problem | null}
 */
function calendarProblem(element, year, isAlone) {
  let calendar;
  let ours = 0;
  if (year >= 1300 && year <= 1410) [calendar, ours] = [t("Solar Hijri"), year + 621];
  else if (year > 1410 && year <= 1500) [calendar, ours] = [t("Hijri"), Math.floor(year * 0.970224 + 621.5774)];
  else if (year >= 2443 && year <= 2643) [calendar, ours] = [t("Buddhist"), year - 543];
  if (!calendar) return null;
  const isWhole = year > 2000;
  const message = t("{year} looks like a year of the {calendar} calendar. Here it is the Gregorian one: {years}", {
    year,
    calendar,
    years: isWhole ? ours : `${ours}–${ours + 1}`,
  });
  const run = () => {
    field(element, "year").value = String(ours);
    if (!isWhole) field(element, "about").checked = true;
  };
  const mend = isAlone ? { words: t("Change it to {year}", { year: ours }), run } : undefined;
  return { message, field: id(element, "year"), mend };
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
  const plain = toPlain(field(element, name).value).replace(/^[ )]+|[ )]+$/g, "");
  if (plain === "") return null;
  return /^\d{1,4}$/.test(plain) ? Number(plain) : NaN;
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
