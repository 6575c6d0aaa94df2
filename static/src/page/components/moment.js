// SPDX-License-Identifier: AGPL-3.0-or-later
// A day that is near and an hour of it, of which either may be unknown. docs/protocol.md §4.3.

import { dayWords, t } from "../strings.js";
import { part, parts } from "./element.js";
import { dateAnswer, dateProblem, dateWords } from "./partial-date.js";

/** @typedef {import("./partial-date.js").PartialDate & { hour: number | null }} Moment */

/**
 * Name the days beside their words, and show what follows a choice.
 *
 * @param {HTMLElement} element
 */
export function startMoment(element) {
  for (const choice of parts(element, "[data-day]")) {
    const day = dayAfter(/** @type {HTMLInputElement} */ (choice).value);
    if (day) part(/** @type {HTMLElement} */ (choice.parentElement), "[data-day-words]").textContent = dayWords(isoDay(day));
  }
  element.addEventListener("change", () => {
    const value = chosen(element);
    part(element, "[data-other-day]").hidden = value !== "date";
    part(element, "[data-hour]").hidden = !value || value === "unknown";
    part(element, "[data-about]").hidden = !value || value === "unknown";
  });
}

/**
 * @param {HTMLElement} element
 * @returns {Moment | undefined}
 */
export function momentAnswer(element) {
  const value = chosen(element);
  if (!value) return undefined;
  const nothing = { year: null, month: null, day: null, about: false, hour: null };
  if (value === "unknown") return nothing;
  const day = dayAfter(value);
  const date = day ? { year: day.getFullYear(), month: day.getMonth() + 1, day: day.getDate() } : dateAnswer(element);
  const hour = field(element, "hour").value;
  return { ...nothing, ...date, about: field(element, "about").checked, hour: hour ? Number(hour) : null };
}

/** @param {HTMLElement} element */
export function momentWords(element) {
  const answer = momentAnswer(element);
  if (!answer) return "";
  const { year, month, day, hour, about } = answer;
  if (chosen(element) === "unknown") return t("I don’t know the day");
  const isWhole = chosen(element) !== "date" && year && month && day;
  const date = isWhole ? dayWords(isoDay(new Date(year, month - 1, day))) : dateWords(element).replace(/^$/, "–");
  const words = isWhole && about ? t("about {date}", { date }) : date;
  const time = hour === null ? "" : `${String(hour).padStart(2, "0")}:00`;
  // Translators: a day and an hour of it: 3 March 2026, at 14:00
  return time ? t("{day}, at {hour}", { day: words, hour: time }) : words;
}

/** @param {HTMLElement} element */
export function momentProblem(element) {
  return chosen(element) === "date" ? dateProblem(element, "") : null;
}

/** @param {HTMLElement} element */
function chosen(element) {
  const choice = /** @type {HTMLInputElement | null} */ (element.querySelector("[data-day]:checked"));
  return choice?.value ?? "";
}

/**
 * @param {string} value how many days after today, by the device's clock and its time zone
 * @returns {Date | null} null for a choice that is no number
 */
function dayAfter(value) {
  if (!/^\d$/.test(value)) return null;
  const day = new Date();
  day.setDate(day.getDate() + Number(value));
  return day;
}

/** @param {Date} day */
function isoDay(day) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 */
function field(element, name) {
  return /** @type {HTMLInputElement} */ (part(element, `[data-part="${name}"]`));
}
