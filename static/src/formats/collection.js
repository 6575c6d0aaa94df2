// SPDX-License-Identifier: AGPL-3.0-or-later
// What an office signs when it has collected a submission. docs/protocol.md §8.

import { HASH_BYTES, decodeHex, encodeUtf8, parseDay } from "./encoding.js";
import { AuthenticationError, MalformedError } from "./errors.js";
import { parseNote, verifyNote } from "./note.js";

/**
 * Check a collection note about this submission. Its manifest hash is for whoever holds the acknowledgement to compare.
 *
 * @param {string} text the note
 * @param {import("./charter.js").Charter[]} charters any of whose office keys may have signed
 * @param {string} submission
 * @returns {{ day: string }}
 */
export function checkCollection(text, charters, submission) {
  const note = parseNote(encodeUtf8(text));
  verifyNote(note, charters.flatMap(({ office }) => office));
  const lines = note.text.split("\n");
  if (lines.length !== 6 || lines[0] !== "amparo collection v1" || !lines[4].startsWith("collected ")) {
    throw new MalformedError("collection note has another form");
  }
  decodeHex(lines[3], HASH_BYTES);
  if (lines[1] !== charters[0].origin || lines[2] !== submission) {
    throw new AuthenticationError("collection note about something else");
  }
  return { day: parseDay(lines[4].slice("collected ".length)) };
}
