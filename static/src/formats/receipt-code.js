// SPDX-License-Identifier: AGPL-3.0-or-later
// The receipt code: 35 digits in 7 groups of 5, each closed by a Damm check digit, and all of them by two digits modulo
// 97. docs/protocol.md §3.

import { CODE_DIGITS, readCode } from "./receipt-text.js";

const RANDOM_DIGITS = 26;
const WHOLE_MODULUS = 97;
const WHOLE_FACTOR = 21;

// The quasigroup of order 10 of Damm (2004), one row for each interim digit.
const DAMM = [
  "0317598642",
  "7092154863",
  "4206871359",
  "1750983426",
  "6123045978",
  "3674209581",
  "5869720134",
  "8945362017",
  "9438617205",
  "2581436790",
];

/** A typed code is wrong. The error names groups, never digits. */
export class ReceiptCodeError extends Error {
  /**
   * @param {"length" | "character" | "group" | "code"} reason "code": each group is right by itself, the whole is not
   * @param {number[]} groups numbers of the wrong groups, from 1; empty for "length" and "code"
   */
  constructor(reason, groups) {
    super("not a receipt code");
    this.name = "ReceiptCodeError";
    this.reason = reason;
    this.groups = groups;
  }
}

/**
 * Make a code with 26 random digits.
 *
 * @param {(bytes: Uint8Array<ArrayBuffer>) => Uint8Array} [fill] fills an array with random bytes
 * @returns {string} 35 ASCII digits
 */
export function newCode(fill = (bytes) => globalThis.crypto.getRandomValues(bytes)) {
  let digits = "";
  while (digits.length < RANDOM_DIGITS) {
    // 250 of the 256 values spread evenly over ten digits; the other six are thrown away.
    for (const byte of fill(new Uint8Array(RANDOM_DIGITS))) if (byte < 250) digits += byte % 10;
  }
  return addChecks(digits.slice(0, RANDOM_DIGITS));
}

/**
 * @param {string} digits 26 of them
 * @returns {string} the code of 35 digits
 */
export function addChecks(digits) {
  const parts = (digits + wholeCheck(digits)).match(/.{4}/g) ?? [];
  return parts.map((part, index) => part + damm(index + 1 + part)).join("");
}

/**
 * Cut a code into its seven groups.
 *
 * @param {string} code 35 digits
 * @returns {string[]}
 */
export function groups(code) {
  return code.match(/.{5}/g) ?? [];
}

/**
 * Read a code as it was typed or pasted.
 *
 * @param {string} text
 * @returns {string} 35 ASCII digits
 * @throws {ReceiptCodeError}
 */
export function parseCode(text) {
  const { digits, foreign } = readCode(text);
  if (foreign.length > 0) throw new ReceiptCodeError("character", foreign);
  return checkCode(digits);
}

/**
 * @param {string} digits in ASCII, nothing else
 * @returns {string} the same
 * @throws {ReceiptCodeError} unless they are a code
 */
export function checkCode(digits) {
  if (digits.length !== CODE_DIGITS) throw new ReceiptCodeError("length", []);
  const wrong = wrongGroups(digits);
  if (wrong.length > 0) throw new ReceiptCodeError("group", wrong);
  if (!wholeMatches(digits)) throw new ReceiptCodeError("code", []);
  return digits;
}

/**
 * Return the complete groups that do not end in their check digit.
 *
 * @param {string} digits the beginning of a code, or all of it
 * @returns {number[]} numbers of groups, from 1
 */
export function wrongGroups(digits) {
  const wrong = (/** @type {string} */ group, /** @type {number} */ index) =>
    group.includes("?") || damm(index + 1 + group) !== "0";
  return groups(digits).flatMap((group, index) => (wrong(group, index) ? [index + 1] : []));
}

/**
 * Whether the two digits that check the whole code are right. The groups' own check digits are not looked at.
 *
 * @param {string} code 35 digits
 */
export function wholeMatches(code) {
  const checked = groups(code)
    .map((group) => group.slice(0, -1))
    .join("");
  return wholeCheck(checked.slice(0, RANDOM_DIGITS)) === checked.slice(RANDOM_DIGITS);
}

/**
 * Return the interim digit after all digits: the check digit of digits without one, "0" for digits with theirs.
 *
 * @param {string} digits
 */
function damm(digits) {
  let interim = "0";
  for (const digit of digits) interim = DAMM[Number(interim)][Number(digit)];
  return interim;
}

/**
 * Return the two digits that check all random ones.
 *
 * @param {string} digits 26 of them
 */
function wholeCheck(digits) {
  let value = 0;
  for (const digit of digits) value = ((value + Number(digit)) * WHOLE_FACTOR) % WHOLE_MODULUS;
  return String(value).padStart(2, "0");
}
