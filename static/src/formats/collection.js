// SPDX-License-Identifier: AGPL-3.0-or-later
// The note that an office signs when it has collected a submission. docs/protocol.md §8.

import { HASH_BYTES, ID_BYTES, decodeHex, parseDay } from "./encoding.js";
import { parseNote, verifyNote } from "./note.js";
import { readAfter, readLines } from "./statement.js";

const LINES = 4;

/**
 * Read a note that one of the office's keys signed. Not checked: which submission it names.
 *
 * @param {Uint8Array} bytes
 * @param {import("./note.js").VerifierKey[]} office
 * @returns {{ realm: string, submission: string, manifestHash: string, collected: string }} `collected` is a day
 */
export function readCollection(bytes, office) {
  const note = parseNote(bytes);
  verifyNote(note, office);
  const [realm, submission, manifestHash, collected] = readLines(note.text, "collection", LINES);
  decodeHex(submission, ID_BYTES);
  decodeHex(manifestHash, HASH_BYTES);
  return { realm, submission, manifestHash, collected: parseDay(readAfter(collected, "collected")) };
}
