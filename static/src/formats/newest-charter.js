// SPDX-License-Identifier: AGPL-3.0-or-later
// The office's statement which charter is the newest on a day. docs/protocol.md §4.2.

import { HASH_BYTES, parseDay } from "./encoding.js";
import { MalformedError } from "./errors.js";
import { parseNote, verifyNote } from "./note.js";
import { readAfter, readLines, readNumbered } from "./statement.js";

const LINES = 4;

/**
 * @typedef {{ realm: string, slug: string, number: number, charter: string, day: string }} NewestCharter `charter` is a
 *   hash
 */

/**
 * Read a note that an office key signed: one of the charter that it names or, when that is none of `charters`, of any of
 * them. Not checked: realm and slug, and that the hash is that of the charter with this number.
 *
 * @param {Uint8Array} bytes
 * @param {import("./charter.js").Charter[]} charters
 * @returns {NewestCharter}
 */
export function readNewestCharter(bytes, charters) {
  const note = parseNote(bytes);
  const newest = readNewestCharterText(note.text);
  const named = charters.filter(({ number }) => number === newest.number);
  verifyNote(
    note,
    (named.length > 0 ? named : charters).flatMap(({ office }) => office),
  );
  return newest;
}

/**
 * @param {string} text of a note, whose signature is not looked at
 * @returns {NewestCharter}
 */
export function readNewestCharterText(text) {
  const [realm, slug, line, day] = readLines(text, "newest charter", LINES);
  if (slug === "") throw new MalformedError("a newest-charter note without a commission");
  const [number, charter] = readNumbered(line, HASH_BYTES);
  return { realm, slug, number, charter, day: parseDay(readAfter(day, "on")) };
}
