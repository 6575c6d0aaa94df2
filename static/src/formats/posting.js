// SPDX-License-Identifier: AGPL-3.0-or-later
// The office's signature on a reply, made when it is posted; it gives the reply its number. docs/protocol.md §9.1.

import { HASH_BYTES, ID_BYTES, decodeHex, parseDay } from "./encoding.js";
import { readAfter, readLines, readNumbered } from "./statement.js";

const LINES = 5;

/**
 * @typedef {object} Posting
 * @property {string} realm
 * @property {string} manifest hash
 * @property {number} number of the reply in its thread, from 1
 * @property {string} message id
 * @property {{ number: number, charter: string }} newest the newest charter, whose office key signs
 * @property {string} posted day
 */

/**
 * @param {string} text of a note, whose signature is not looked at
 * @returns {Posting}
 */
export function readPostingText(text) {
  const [realm, manifest, numbered, charterLine, posted] = readLines(text, "reply", LINES);
  decodeHex(manifest, HASH_BYTES);
  const [number, message] = readNumbered(numbered, ID_BYTES);
  const [charterNumber, charter] = readNumbered(charterLine, HASH_BYTES);
  const newest = { number: charterNumber, charter };
  return { realm, manifest, number, message, newest, posted: parseDay(readAfter(posted, "posted")) };
}
