// SPDX-License-Identifier: AGPL-3.0-or-later
// The strings of the browser script. Each page names the module of its language, made from the same catalog as the page
// itself, with that catalog's plural rule.

const DAY_MS = 86_400_000;

/**
 * @typedef {object} Strings
 * @property {string} locale
 * @property {(n: number) => number} plural index of the plural form of a number
 * @property {Record<string, string | string[]>} messages by their English text; plural forms as a list
 */

/** @type {Strings} English, until a module is loaded. */
let strings = { locale: "en", plural: (n) => Number(n !== 1), messages: {} };

/** @param {string} url address of the module, on the page's own origin */
export async function loadStrings(url) {
  strings = await import(url);
}

/**
 * Translate. `{name}` in the message stands for a parameter.
 *
 * @param {string} message
 * @param {Record<string, string | number>} [parameters]
 */
export function t(message, parameters = {}) {
  const found = strings.messages[message];
  return fill(typeof found === "string" && found ? found : message, parameters);
}

/**
 * Translate with a number, `{count}` in the message.
 *
 * @param {string} one
 * @param {string} other
 * @param {number} count
 * @param {Record<string, string | number>} [parameters]
 */
export function tn(one, other, count, parameters = {}) {
  const forms = strings.messages[one];
  const found = Array.isArray(forms) ? forms[strings.plural(count)] : undefined;
  return fill(found || (count === 1 ? one : other), { count, ...parameters });
}

/** The page's language with Latin digits and the Gregorian calendar, as on the rest of the page. */
export function numberLocale() {
  return `${strings.locale}-u-nu-latn-ca-gregory`;
}

/**
 * A day with the month in words, in the order of the pages in every language: 3 March 2026.
 *
 * @param {string} day YYYY-MM-DD
 */
export function dayWords(day) {
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return day;
  const month = new Intl.DateTimeFormat(numberLocale(), { month: "long", timeZone: "UTC" }).format(date);
  return `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}`;
}

/**
 * How many days ago that was by this device's clock; negative for a day to come.
 *
 * @param {string} day YYYY-MM-DD
 */
export function ageInDays(day) {
  return Math.floor((Date.now() - Date.parse(day)) / DAY_MS);
}

/**
 * A day and how long ago it was: 3 March 2026 (6 days ago). A day to come, by a clock that is wrong, has no age.
 *
 * @param {string} day YYYY-MM-DD
 */
export function dayWithAge(day) {
  const age = ageInDays(day);
  if (!(age >= 0)) return dayWords(day);
  const words = new Intl.RelativeTimeFormat(numberLocale(), { numeric: "auto" }).format(-age, "day");
  // Translators: a day and how long ago it was: 3 March 2026 (6 days ago)
  return t("{day} ({age})", { day: dayWords(day), age: words });
}

/**
 * A list in words: "a, b and c".
 *
 * @param {string[]} items
 */
export function listWords(items) {
  // Safari before 14.1 has no words for it.
  if (!Intl.ListFormat) return items.join(" · ");
  return new Intl.ListFormat(numberLocale(), { type: "conjunction" }).format(items);
}

/**
 * Names of countries by code, in the order of the page's alphabet. A browser without the names gives the codes.
 *
 * @param {string[]} codes ISO 3166-1 alpha-2
 * @returns {[string, string][]} code and name
 */
export function countryNames(codes) {
  const names = Intl.DisplayNames ? new Intl.DisplayNames(strings.locale, { type: "region" }) : null;
  const { compare } = new Intl.Collator(strings.locale);
  const pairs = codes.map((code) => /** @type {[string, string]} */ ([code, names?.of(code) ?? code]));
  return pairs.sort(([, a], [, b]) => compare(a, b));
}

/**
 * A size in words, rounded.
 *
 * @param {number} bytes
 */
export function sizeWords(bytes) {
  const [unit, divisor] = bytes < 1_000_000 ? ["kilobyte", 1000] : ["megabyte", 1_000_000];
  const number = Math.max(bytes / Number(divisor), 0.1);
  const digits = number < 10 && unit === "megabyte" ? 1 : 0;
  const shown = digits ? number : Math.max(1, number);
  const style = /** @type {Intl.NumberFormatOptions} */ ({ style: "unit", unit, unitDisplay: "short" });
  try {
    return new Intl.NumberFormat(numberLocale(), { ...style, maximumFractionDigits: digits }).format(shown);
  } catch {
    // Safari before 14.1 knows no units.
    const plain = new Intl.NumberFormat(numberLocale(), { maximumFractionDigits: digits }).format(shown);
    return `${plain} ${unit === "megabyte" ? "MB" : "kB"}`;
  }
}

/**
 * @param {string} message
 * @param {Record<string, string | number>} parameters
 */
function fill(message, parameters) {
  return message.replace(/\{(\w+)\}/g, (whole, name) => String(parameters[name] ?? whole));
}
