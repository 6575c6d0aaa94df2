// SPDX-License-Identifier: AGPL-3.0-or-later
// The data that the reporter's device leaves for its own return. docs/protocol.md §5.4.
//
// A state has one size and holds no text, so that neither its length nor its content tells what was written.

import { identityFromSeed } from "./age.js";
import { readLabels } from "./charter.js";
import { Fields, readDocument } from "./document.js";
import { HASH_BYTES, ID_BYTES } from "./encoding.js";
import { MalformedError, UnsupportedVersionError } from "./errors.js";
import { checkMac, encodeWithMac } from "./mac.js";
import { STATE_BYTES, contentMax } from "./padding.js";
import { openDocument, sealDocument } from "./sealed-document.js";
import { NUMBER_MAX } from "./statement.js";
import { readThreadKeys } from "./thread-keys.js";
import { readNewest } from "./thread-note.js";

const STATE_MAX = contentMax(STATE_BYTES);
const THREADS_MAX = 4;
const SENT_MAX = 100;

/**
 * @typedef {import("./derive.js").MailboxSecrets} MailboxSecrets
 *
 * @typedef {object} ThreadState
 * @property {string} submission
 * @property {string} manifest hash
 * @property {string} charter hash of the one that the report was sealed under
 * @property {string[]} excluded labels of members who must not read it, in rising order
 * @property {import("./thread-keys.js").ThreadKeys} keys where follow-ups go
 * @property {number} note number of the newest thread note that was seen; 0 for none
 * @property {number} reply number of the last reply that was seen; 0 for none
 * @property {number} deleted replies up to this number were deleted by the reporter; 0 for none
 * @property {{ count: number, last: { id: string, day: string }[] }} sent follow-ups: how many, and the newest of them
 *
 * @typedef {object} State
 * @property {string} realm
 * @property {ThreadState} thread
 * @property {{ number: number, charter: string }} newest the highest charter that was seen, and its hash
 */

/**
 * The state of a report that was just sealed.
 *
 * @param {import("./charter.js").Charter} charter
 * @param {Pick<ThreadState, "submission" | "manifest" | "excluded" | "keys">} thread
 * @returns {State}
 */
export function firstState({ realm, hash: charter, number }, thread) {
  const sent = { count: 0, last: [] };
  return { realm, thread: { ...thread, charter, note: 0, reply: 0, deleted: 0, sent }, newest: { number, charter } };
}

/**
 * The state after a follow-up was sent.
 *
 * @param {State} state
 * @param {string} id of the message
 * @param {string} day
 * @returns {State}
 */
export function addSent(state, id, day) {
  const { count, last } = state.thread.sent;
  const sent = { count: count + 1, last: [...last, { id, day }].slice(-SENT_MAX) };
  return { ...state, thread: { ...state.thread, sent } };
}

/**
 * The state after the replies up to a number were deleted.
 *
 * @param {State} state
 * @param {number} upTo
 * @returns {State}
 */
export function deleteReplies(state, upTo) {
  return { ...state, thread: { ...state.thread, deleted: Math.max(state.thread.deleted, upTo) } };
}

/**
 * @param {State} state
 * @param {Uint8Array} stateMac 32 bytes
 */
export function encodeState(state, stateMac) {
  return encodeWithMac(stateMac, valueOf(state));
}

/**
 * The commission knows S and could seal a forged state to it: only the MAC binds the state to the code.
 *
 * @param {Uint8Array} json
 * @param {Uint8Array} stateMac 32 bytes
 * @returns {State}
 * @throws {UnsupportedVersionError} for more than one thread
 */
export function readState(json, stateMac) {
  const fields = readDocument(json, "state", STATE_MAX);
  const realm = fields.hex("realm", ID_BYTES);
  const threads = fields.items("threads", THREADS_MAX, readThread);
  if (threads.length > 1) throw new UnsupportedVersionError("a state of more than one thread");
  if (threads.length === 0) throw new MalformedError("a state of no thread");
  const state = { realm, thread: threads[0], newest: readNewest(fields.child("newest")) };
  const mac = fields.hex("mac", HASH_BYTES);
  fields.end();
  checkMac(stateMac, valueOf(state), mac);
  return state;
}

/**
 * @param {State} state
 * @param {MailboxSecrets} secrets
 */
export function sealState(state, { recipient, stateMac }) {
  return sealDocument(encodeState(state, stateMac), STATE_BYTES, [recipient]);
}

/**
 * @param {Uint8Array} sealed
 * @param {MailboxSecrets} secrets
 * @returns {Promise<State>}
 */
export async function openState(sealed, { mailboxSeed, stateMac }) {
  return readState(await openDocument(sealed, identityFromSeed(mailboxSeed), STATE_BYTES, STATE_MAX), stateMac);
}

/** @param {State} state */
function valueOf({ realm, thread, newest }) {
  return { version: "amparo/v1/state", realm, threads: [thread], newest };
}

/**
 * @param {unknown} item
 * @returns {ThreadState}
 */
function readThread(item) {
  const fields = new Fields(item);
  const thread = {
    submission: fields.hex("submission", ID_BYTES),
    manifest: fields.hex("manifest", HASH_BYTES),
    charter: fields.hex("charter", HASH_BYTES),
    excluded: readLabels(fields, "excluded"),
    keys: readThreadKeys(fields.child("keys")),
    note: fields.integer("note", 0, NUMBER_MAX),
    reply: fields.integer("reply", 0, NUMBER_MAX),
    deleted: fields.integer("deleted", 0, NUMBER_MAX),
    sent: readSent(fields.child("sent")),
  };
  fields.end();
  return thread;
}

/** @param {Fields} fields */
function readSent(fields) {
  const sent = { count: fields.integer("count", 0, NUMBER_MAX), last: fields.items("last", SENT_MAX, readSentMessage) };
  fields.end();
  if (sent.last.length > sent.count) throw new MalformedError("a state lists more messages than were sent");
  return sent;
}

/** @param {unknown} item */
function readSentMessage(item) {
  const fields = new Fields(item);
  const message = { id: fields.hex("id", ID_BYTES), day: fields.day("day") };
  fields.end();
  return message;
}
