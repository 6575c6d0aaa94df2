// SPDX-License-Identifier: AGPL-3.0-or-later
// The note that the portal signs when it has accepted a submission. docs/protocol.md §7.2.

import { HASH_BYTES, ID_BYTES, decodeHex, parseDay } from "./encoding.js";
import { AuthenticationError, MalformedError } from "./errors.js";
import { parseNote, verifyNote } from "./note.js";
import { readAfter, readLines } from "./statement.js";

const LINES = 6;
const NOT_LOGGED = "not-logged";
const LOGGED_BEFORE = /^logged-before ([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)$/;

/**
 * @typedef {object} Acknowledgement
 * @property {string} realm
 * @property {string} submission
 * @property {string} manifestHash
 * @property {string} commitment
 * @property {string} received day
 * @property {string | null} loggedBefore
 */

/**
 * Read a note that the portal signed. What it acknowledges is not checked: see `checkAcknowledgement`.
 *
 * @param {Uint8Array} bytes
 * @param {import("./note.js").VerifierKey[]} portal its keys
 * @returns {Acknowledgement}
 */
export function readAcknowledgement(bytes, portal) {
  const note = parseNote(bytes);
  verifyNote(note, portal);
  const [realm, submission, manifestHash, commitment, received, logged] = readLines(note.text, "acknowledgement", LINES);
  decodeHex(submission, ID_BYTES);
  decodeHex(manifestHash, HASH_BYTES);
  decodeHex(commitment, HASH_BYTES);
  const day = parseDay(readAfter(received, "received"));
  return { realm, submission, manifestHash, commitment, received: day, loggedBefore: readLogged(logged) };
}

/**
 * @param {Acknowledgement} acknowledgement
 * @param {{ realm: string, submission: string, manifestHash: string, commitment: string }} sent
 * @throws {AuthenticationError} unless it is for exactly the bytes sent
 */
export function checkAcknowledgement(acknowledgement, sent) {
  for (const name of /** @type {(keyof typeof sent)[]} */ (["realm", "submission", "manifestHash", "commitment"])) {
    if (acknowledgement[name] !== sent[name]) throw new AuthenticationError("the acknowledgement does not match");
  }
}

/** @param {string} line */
function readLogged(line) {
  if (line === NOT_LOGGED) return null;
  const [, day, time] = LOGGED_BEFORE.exec(line) ?? [];
  if (!day || Number.isNaN(Date.parse(parseDay(day) + time))) throw new MalformedError("not a logging time");
  return day + time;
}
