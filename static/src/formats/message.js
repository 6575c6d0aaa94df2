// SPDX-License-Identifier: AGPL-3.0-or-later
// Replies of the commission and follow-ups of the reporter. docs/protocol.md §9.

import { sha256 } from "@noble/hashes/sha2.js";
import { LANGUAGE, verifyMember } from "./charter.js";
import { readDocument } from "./document.js";
import { HASH_BYTES, ID_BYTES, decodeHex, encodeHex, encodeUtf8 } from "./encoding.js";
import { AuthenticationError, LimitError } from "./errors.js";
import { encodeWithMac } from "./mac.js";
import { parseNote } from "./note.js";
import { MESSAGE_FLOOR } from "./padding.js";
import { openDocument, sealDocument } from "./sealed-document.js";
import { readThreadKeys } from "./thread-keys.js";

// A body may grow sixfold when JSON escapes it.
const REPLY_MAX = 512 * 1024;
const BODY_MAX = 64 * 1024;
// Padded and sealed with its header, a follow-up of this size has at most 64 KiB.
const FOLLOW_UP_MAX = 60 * 1024;

/**
 * @typedef {import("./thread-keys.js").ThreadKeys} ThreadKeys
 *
 * @typedef {{ note: import("./note.js").Note, submission: string, manifest: string, charter: string, day: string,
 *   language: string, keys: ThreadKeys, body: string }} Reply `manifest` and `charter` are hashes, `keys` the newest ones
 *
 * @typedef {{ submission: string, manifest: string, number: number, day: string, kind: string, generation: number,
 *   body: string }} FollowUp `number` counts from 1, `generation` is that of the message key
 */

/**
 * The first 16 bytes of the SHA-256 of a sealed file, in hex.
 *
 * @param {Uint8Array} sealed
 */
export function messageId(sealed) {
  return encodeHex(sha256(sealed).subarray(0, ID_BYTES));
}

/**
 * Open a reply. Not checked: its signature (`verifyReply`).
 *
 * @param {Uint8Array} sealed
 * @param {string} identity of the mailbox
 * @returns {Promise<Reply>}
 */
export async function openReply(sealed, identity) {
  return readReply(await openDocument(sealed, identity, MESSAGE_FLOOR, REPLY_MAX));
}

/**
 * @param {Uint8Array} content the signed note, not verified
 * @returns {Reply}
 */
export function readReply(content) {
  const note = parseNote(content);
  const fields = readDocument(encodeUtf8(note.text.slice(0, -1)), "reply", REPLY_MAX);
  const reply = {
    note,
    submission: fields.hex("submission", ID_BYTES),
    manifest: fields.hex("manifest", HASH_BYTES),
    charter: fields.hex("charter", HASH_BYTES),
    day: fields.day("day"),
    language: fields.text("language", LANGUAGE),
    keys: readThreadKeys(fields.child("keys")),
    body: fields.text("body"),
  };
  fields.end();
  if (encodeUtf8(reply.body).length > BODY_MAX) throw new LimitError("the reply is too long");
  return reply;
}

/**
 * Return the member who signed a reply. Not checked: its thread and its posting, §8.3.
 *
 * @param {Reply} reply
 * @param {import("./charter.js").Charter[]} charters
 * @throws {AuthenticationError} when it is not signed by a member, on its day, of the charter that it names
 */
export function verifyReply(reply, charters) {
  const charter = charters.find(({ hash }) => hash === reply.charter);
  if (!charter) throw new AuthenticationError("the reply names an unknown charter");
  return verifyMember(reply.note, charter, reply.day);
}

/**
 * @param {FollowUp} followUp
 * @param {Uint8Array} messageMac 32 bytes
 * @throws {LimitError} above 60 KiB
 */
export function encodeFollowUp({ submission, manifest, number, day, kind, generation, body }, messageMac) {
  const value = { version: "amparo/v1/follow-up", submission, manifest, number, day, kind, generation, body };
  const json = encodeWithMac(messageMac, value);
  if (json.length > FOLLOW_UP_MAX) throw new LimitError("the message is too long");
  return json;
}

/**
 * Seal a follow-up to the newest recipient of its thread.
 *
 * @param {Omit<FollowUp, "generation">} followUp
 * @param {ThreadKeys} keys
 */
export async function sealFollowUp(followUp, { generation, recipient, message_mac: messageMac }) {
  const json = encodeFollowUp({ ...followUp, generation }, decodeHex(messageMac, HASH_BYTES));
  return sealDocument(json, MESSAGE_FLOOR, [recipient]);
}
