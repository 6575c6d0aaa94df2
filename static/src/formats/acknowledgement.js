// SPDX-License-Identifier: AGPL-3.0-or-later
// What the portal signs when it has taken a submission in. docs/protocol.md §7.2.

import { encodeUtf8, parseDay } from "./encoding.js";
import { AuthenticationError, MalformedError } from "./errors.js";
import { parseNote, verifyNote } from "./note.js";

const LAST_LINE = /^(not-logged|logged-before [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)$/;

/**
 * Check that the portal of this charter signed for exactly this submission.
 *
 * @param {string} text the note
 * @param {import("./charter.js").Charter} charter
 * @param {{ submission: string, manifestHash: string, commitment: string }} sent
 * @returns {{ day: string }} when it was received
 */
export function checkAcknowledgement(text, charter, { submission, manifestHash, commitment }) {
  const note = parseNote(encodeUtf8(text));
  verifyNote(note, [charter.portal]);
  const lines = note.text.split("\n");
  const due = ["amparo acknowledgement v1", charter.origin, submission, manifestHash, commitment];
  if (lines.length !== 8 || !LAST_LINE.test(lines[6]) || !lines[5].startsWith("received ")) {
    throw new MalformedError("acknowledgement has another form");
  }
  if (due.some((line, index) => lines[index] !== line)) throw new AuthenticationError("acknowledgement of something else");
  return { day: parseDay(lines[5].slice("received ".length)) };
}
