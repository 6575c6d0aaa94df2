// SPDX-License-Identifier: AGPL-3.0-or-later
// The digits of a receipt code as somebody typed or pasted it: with commas, numbers before its groups, words around it.
// docs/protocol.md §3.

export const GROUPS = 7;
const GROUP_DIGITS = 5;
export const CODE_DIGITS = GROUPS * GROUP_DIGITS;

// Every script's ten digits are consecutive, so the zero determines the other nine. The zeros of §3, each as its distance
// from the one before, to the base 36: a browser's own table may be older.
const DIGITS = /* @__PURE__ */ readZeros(
  "1c 180 40 5s bq 3k 3k 3k 3k 3k 3k 3k 3k 3k 2y 3k 28 80 28 1g0 1c 8m 3u 4w g 5c 2o 40 g r80 j4 1c 5s w 2o bk gf4 13k 1ow g me 3u 1y 4a 80 9s 3k ao 34 g a 2e c0 34 io 2o 74 28 1s a8 d0g 1tc 2o 40 f4 iv4 25a a a a a 1u2 c0 e8 75 nz 3og",
);

// White space, punctuation of lists and quotations, hyphens and dashes, and the invisible marks that a pasted code may
// hold. A number of a group ends in one of the second.
const DIVIDER =
  /[\s\x85"'()*,\-./:;>[\]_|\xab\xad\xb7\xbb\u060c\u061b\u061c\u066c\u200b-\u2015\u2018-\u201f\u2022\u202a-\u202e\u2060\u2066-\u2069\u2212\u3001\u3002\ufeff\uff08\uff09\uff0c-\uff0e\uff1a\uff1b]/;
const NUMBER_END = /[).:\uff09\uff0e\uff1a]/;

/**
 * A typed or pasted code as far as it goes: its digits in ASCII. "?" replaces another character, whose group is in
 * `foreign`: it counts as the digit in its place, so that an O typed for a zero points at its own group.
 *
 * @param {string} text
 * @returns {{ digits: string, foreign: number[], numbered: boolean }} `numbered`: numbers of groups were left out
 */
export function readCode(text) {
  const plain = leaveOutWords(toPlain(text));
  const whole = pickDigits(plain, false);
  return whole.digits.length === CODE_DIGITS ? whole : pickDigits(plain, true);
}

/**
 * The digits of a text alone, in ASCII, with "?" for other characters but dividers.
 *
 * @param {string} text
 */
export function readDigits(text) {
  return pickDigits(toPlain(text), false).digits;
}

/**
 * One character of ASCII for each character: its digit, " " for a divider, ")" for one that may end a number of a group,
 * "?" for any other.
 *
 * @param {string} text
 */
export function toPlain(text) {
  let plain = "";
  for (const character of text) {
    plain += DIGITS.get(character) ?? (NUMBER_END.test(character) ? ")" : DIVIDER.test(character) ? " " : "?");
  }
  return plain;
}

/**
 * Without the words of two characters or more in front of the first digit and behind the last one, unless they touch it.
 *
 * @param {string} plain
 */
function leaveOutWords(plain) {
  const first = plain.search(/\d/);
  if (first < 0) return plain;
  let last = plain.length;
  while (!/\d/.test(plain[last - 1])) last--;
  const before = plain.slice(0, first).split(/[ )]/);
  const behind = plain.slice(last).split(/[ )]/);
  const [touching, touched] = [before.pop(), behind.shift()];
  return [...before.filter(isShort), touching + plain.slice(first, last) + touched, ...behind.filter(isShort)].join(" ");
}

/** @param {string} word */
function isShort(word) {
  return word.length < 2;
}

/**
 * @param {string} plain
 * @param {boolean} leaveOut the numbers of the groups
 */
function pickDigits(plain, leaveOut) {
  let digits = "";
  let numbered = false;
  /** @type {Set<number>} */
  const foreign = new Set();
  for (let at = 0; at < plain.length; at++) {
    const character = plain[at];
    if (character === " " || character === ")") continue;
    if (leaveOut && isNumber(plain, at, digits.length)) {
      numbered = true;
      continue;
    }
    if (character === "?") foreign.add(Math.min(GROUPS, Math.floor(digits.length / GROUP_DIGITS) + 1));
    digits += character;
  }
  return { digits, foreign: [...foreign], numbered };
}

/**
 * Whether what stands here is the number of the group that begins after so many digits, as in "2) 59266".
 *
 * @param {string} plain
 * @param {number} at
 * @param {number} before
 */
function isNumber(plain, at, before) {
  if (before >= CODE_DIGITS || plain[at] !== String(before / GROUP_DIGITS + 1)) return false;
  return /^[ )]?$/.test(plain[at - 1] ?? "") && /^\)\D?$/.test(plain.slice(at + 1, at + 3));
}

/**
 * @param {string} distances
 * @returns {Map<string, string>} ASCII digits by digits
 */
function readZeros(distances) {
  const digits = new Map();
  let zero = 0;
  for (const distance of distances.split(" ")) {
    zero += parseInt(distance, 36);
    for (let digit = 0; digit < 10; digit++) digits.set(String.fromCodePoint(zero + digit), String(digit));
  }
  return digits;
}
