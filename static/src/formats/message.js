// SPDX-License-Identifier: AGPL-3.0-or-later
// Replies of the commission and follow-ups of the reporter. docs/protocol.md §9.

import { sha256 } from "@noble/hashes/sha2.js";
import { open, seal } from "./age.js";
import { LANGUAGE, membersOn } from "./charter.js";
import { readDocument } from "./document.js";
import { HASH_BYTES, ID_BYTES, encodeHex, encodeUtf8 } from "./encoding.js";
import { AuthenticationError, LimitError } from "./errors.js";
import { encodeWithMac } from "./mac.js";
import { parseNote, verifyNote } from "./note.js";
import { MESSAGE_FLOOR, padDocument, unpadDocument } from "./padding.js";

// A body may grow sixfold when JSON escapes it.
const REPLY_MAX = 512 * 1024;
const BODY_MAX = 64 * 1024;
// Padded and sealed with its header, a follow-up of this size has at most 64 KiB.
const FOLLOW_UP_MAX = 60 * 1024;

/**
 * @typedef {{ note: import("./note.js").Note, submission: string, charter: string, day: string, language: string,
 *   body: string }} Reply
 */

/** @typedef {{ submission: string, day: string, kind: string, body: string }} FollowUp */

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
  return readReply(unpadDocument(await open(sealed, identity), MESSAGE_FLOOR, REPLY_MAX));
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
    charter: fields.hex("charter", HASH_BYTES),
    day: fields.day("day"),
    language: fields.text("language", LANGUAGE),
    body: fields.text("body"),
  };
  fields.end();
  if (encodeUtf8(reply.body).length > BODY_MAX) throw new LimitError("the reply is too long");
  return reply;
}

/**
 * Return the member who signed a reply to this submission.
 *
 * @param {Reply} reply
 * @param {string} submission
 * @param {Map<string, import("./charter.js").Charter>} charters by hash: the one of the state, and its successors
 * @throws {AuthenticationError} when it belongs to another submission, or is not signed by a member on its day
 */
export function verifyReply(reply, submission, charters) {
  const charter = charters.get(reply.charter);
  if (reply.submission !== submission) throw new AuthenticationError("the reply belongs to another submission");
  if (!charter) throw new AuthenticationError("the reply names an unknown charter");
  const members = membersOn(charter, reply.day);
  const [signer] = verifyNote(
    reply.note,
    members.map(({ verifier }) => verifier),
  );
  const member = members.find(({ verifier }) => verifier === signer);
  if (!member) throw new AuthenticationError("unreachable: a verified key is one of those given");
  return { label: member.label, name: member.name };
}

/**
 * @param {FollowUp} followUp
 * @param {Uint8Array} messageMac 32 bytes
 * @throws {LimitError} above 60 KiB
 */
export function encodeFollowUp({ submission, day, kind, body }, messageMac) {
  const json = encodeWithMac(messageMac, { version: "amparo/v1/follow-up", submission, day, kind, body });
  if (json.length > FOLLOW_UP_MAX) throw new LimitError("the message is too long");
  return json;
}

/**
 * @param {FollowUp} followUp
 * @param {Uint8Array} messageMac 32 bytes
 * @param {string} thread R
 */
export async function sealFollowUp(followUp, messageMac, thread) {
  return seal(padDocument(encodeFollowUp(followUp, messageMac), MESSAGE_FLOOR), [thread]);
}
