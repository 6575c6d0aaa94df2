// SPDX-License-Identifier: AGPL-3.0-or-later
// The note that an office signs when it has collected a submission. docs/protocol.md §8.

import { HASH_BYTES, ID_BYTES, decodeHex, parseDay } from "./encoding.js";
import { MalformedError } from "./errors.js";
import { parseNote, readLines, verifyNote } from "./note.js";

const LINES = 5;

/**
 * Read a note that one of the office's keys signed. Not checked: which submission it names.
 *
 * @param {Uint8Array} bytes
 * @param {import("./note.js").VerifierKey[]} office
 * @returns {{ origin: string, submission: string, manifestHash: string, collected: string }} `collected` is a day
 */
export function readCollection(bytes, office) {
  const note = parseNote(bytes);
  verifyNote(note, office);
  const [origin, submission, manifestHash, collected] = readLines(note.text, "collection", LINES);
  decodeHex(submission, ID_BYTES);
  decodeHex(manifestHash, HASH_BYTES);
  if (origin === "" || !collected.startsWith("collected ")) throw new MalformedError("collection note lacks a field");
  return { origin, submission, manifestHash, collected: parseDay(collected.slice("collected ".length)) };
}
