// SPDX-License-Identifier: AGPL-3.0-or-later
// Statements: signed notes of a few lines that programs sign and read. docs/protocol.md §4.1.
//
// Each begins with `amparo <name> v1` and the portal's realm. There is one spelling of a given content.

import { ID_BYTES, decodeHex } from "./encoding.js";
import { MalformedError, UnsupportedVersionError } from "./errors.js";

export const NUMBER_MAX = 1_000_000;
const NUMBER = /^(0|[1-9][0-9]{0,6})$/;

/**
 * @param {string} name
 * @param {string[]} lines
 * @returns {string} the text of the statement
 */
export function writeLines(name, lines) {
  return [`amparo ${name} v1`, ...lines, ""].join("\n");
}

/**
 * The lines after the heading; the first is the realm.
 *
 * @param {string} text
 * @param {string} name
 * @param {number} count of lines, without the heading
 */
export function readLines(text, name, count) {
  const [heading, ...lines] = text.split("\n");
  const start = `amparo ${name} v`;
  if (heading.startsWith(start) && heading !== `${start}1`) throw new UnsupportedVersionError("a note of another version");
  // The text ends in a line feed, so there is an empty item more.
  if (heading !== `${start}1` || lines.pop() !== "" || lines.length !== count) {
    throw new MalformedError("not the expected heading and number of lines");
  }
  decodeHex(lines[0], ID_BYTES);
  return lines;
}

/**
 * What follows a word and a space.
 *
 * @param {string} line
 * @param {string} word
 */
export function readAfter(line, word) {
  if (!line.startsWith(`${word} `)) throw new MalformedError(`a statement lacks its line ${word}`);
  return line.slice(word.length + 1);
}

/**
 * The number and the hexadecimal value of a line, divided by a space.
 *
 * @param {string} line
 * @param {number} size bytes of the value
 * @returns {[number, string]}
 */
export function readNumbered(line, size) {
  const at = line.indexOf(" ");
  const [digits, value] = [line.slice(0, Math.max(at, 0)), line.slice(at + 1)];
  decodeHex(value, size);
  return [readNumber(digits, 1), value];
}

/**
 * A decimal number without leading zeros, from `low` to 1,000,000.
 *
 * @param {string} text
 * @param {number} low
 */
export function readNumber(text, low) {
  const number = NUMBER.test(text) ? Number(text) : -1;
  if (number < low || number > NUMBER_MAX) throw new MalformedError("a number in a statement is not in its only form");
  return number;
}
