// SPDX-License-Identifier: AGPL-3.0-or-later
// How urgent a report is, by its answers: what the office learns before anybody opens it.

/** @typedef {"now" | "soon" | "none"} Level */

// Codes of crypto/taxonomy.py; tests/architecture/test_taxonomy.py holds the two against each other.
const NOW = ["UR-SURR-72H", "UR-LIFE", "UR-TORT-NOW", "UR-DISAP", "UR-SUICIDE"];
const SOON = ["UR-SURR-14D", "UR-SURR", "UR-MED", "UR-HUNGER", "UR-MINOR", "UR-PREG"];
const DAY_MS = 86_400_000;
const DAYS_NOW = 3;

/**
 * @param {unknown[]} answers
 * @param {number} now milliseconds since 1970
 * @returns {Level}
 */
export function levelOf(answers, now) {
  const codes = answers.flat();
  const surrenders = answers.filter(isMoment);
  if (codes.some((code) => NOW.includes(String(code)))) return "now";
  if (surrenders.some((moment) => isNear(moment, now))) return "now";
  return surrenders.length > 0 || codes.some((code) => SOON.includes(String(code))) ? "soon" : "none";
}

/**
 * Only the moment of a surrender has an hour.
 *
 * @param {any} answer
 * @returns {answer is { year: number, month: number, day: number }}
 */
function isMoment(answer) {
  return answer?.hour !== undefined;
}

/**
 * Within three days, or just over: it may have been put off.
 *
 * @param {{ year: number, month: number, day: number }} moment
 * @param {number} now
 */
function isNear({ year, month, day }, now) {
  const days = (Date.UTC(year, month - 1, day) - now) / DAY_MS;
  return Boolean(month && day) && Math.abs(days) < DAYS_NOW + 1;
}
