// SPDX-License-Identifier: AGPL-3.0-or-later
// What the office is told at once of how urgent a report is. docs/protocol.md §5.5. The lists are those of
// crypto/taxonomy.py.

const NOW = ["UR-SURR-72H", "UR-LIFE", "UR-TORT-NOW", "UR-DISAP", "UR-SUICIDE"];
const SOON = ["UR-SURR-14D", "UR-SURR", "UR-MED", "UR-HUNGER", "UR-MINOR", "UR-PREG"];
const DAY_MS = 86_400_000;
// A surrender of the last days counts too: it may have been put off.
const DAYS_NEAR = 4;

/**
 * @param {unknown[]} answers codes, lists of codes, moments, and others among them
 * @param {number} now milliseconds since 1970
 * @returns {"now" | "soon" | "none"}
 */
export function levelOf(answers, now) {
  const values = answers.flat();
  const surrenders = values.filter(isMoment);
  if (NOW.some((code) => values.includes(code)) || surrenders.some((moment) => isNear(moment, now))) return "now";
  return surrenders.length > 0 || SOON.some((code) => values.includes(code)) ? "soon" : "none";
}

/**
 * Only the moment of a surrender has an hour.
 *
 * @param {any} answer
 * @returns {answer is { year: number, month: number, day: number }} any of them may be null
 */
function isMoment(answer) {
  return answer?.hour !== undefined;
}

/**
 * @param {{ year: number, month: number, day: number }} moment
 * @param {number} now
 */
function isNear({ year, month, day }, now) {
  return Boolean(month && day) && Math.abs(Date.UTC(year, month - 1, day) - now) < DAYS_NEAR * DAY_MS;
}
