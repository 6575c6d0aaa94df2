// SPDX-License-Identifier: AGPL-3.0-or-later
// What the portal answers to who asks for a mailbox: read with limits, and not believed. docs/protocol.md §8.

import { Fields, readDocument } from "./document.js";
import { decodeBase64 } from "./encoding.js";
import { MalformedError } from "./errors.js";
import { unpad } from "./padding.js";

export const MESSAGES_MAX = 4096;
export const ANSWER_STEP_BYTES = 131_072;
export const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
// Who holds so much asks for no more.
export const MAILBOX_BYTES_MAX = 16 * 1024 * 1024;
const STATEMENT_CHARACTERS_MAX = 16 * 1024;
const FILE_CHARACTERS_MAX = 64 * 1024;
const SEALED_CHARACTERS_MAX = 2 * 1024 * 1024;

/**
 * @typedef {import("./encoding.js").Bytes} Bytes
 * @typedef {{ posting: string, sealed: Bytes }} PostedReply a sealed reply and its posting note
 *
 * @typedef {object} MailboxAnswer notes are text, sealed files bytes; nothing of it is checked
 * @property {Bytes} state
 * @property {string | null} acknowledgement
 * @property {string | null} collection
 * @property {Bytes | null} thread
 * @property {PostedReply[]} messages in the order of their numbers
 * @property {boolean} more whether there are messages after these
 */

/**
 * Read u32 length ‖ canonical JSON ‖ zero bytes, in all 131,072 · 2ᵏ.
 *
 * @param {Uint8Array} bytes
 * @returns {MailboxAnswer}
 */
export function readMailboxAnswer(bytes) {
  const json = unpad(bytes, ANSWER_BYTES_MAX);
  let expected = ANSWER_STEP_BYTES;
  while (expected < 4 + json.length) expected *= 2;
  if (bytes.length !== expected) throw new MalformedError("the mailbox answer has the wrong size");
  return readAnswerFields(readDocument(json, "mailbox", ANSWER_BYTES_MAX));
}

/**
 * @param {Fields} fields
 * @returns {MailboxAnswer}
 */
function readAnswerFields(fields) {
  const statement = (/** @type {string} */ name) =>
    fields.optional(name, () => fields.text(name, undefined, STATEMENT_CHARACTERS_MAX));
  const file = (/** @type {string} */ name) => decodeBase64(fields.text(name, undefined, FILE_CHARACTERS_MAX));
  const answer = {
    state: file("state"),
    acknowledgement: statement("acknowledgement"),
    collection: statement("collection"),
    thread: fields.optional("thread", () => file("thread")),
    messages: fields.items("messages", MESSAGES_MAX, readMessage),
    more: fields.boolean("more"),
  };
  fields.end();
  return answer;
}

/** @param {unknown} item */
function readMessage(item) {
  const fields = new Fields(item);
  const message = {
    posting: fields.text("posting", undefined, STATEMENT_CHARACTERS_MAX),
    sealed: decodeBase64(fields.text("sealed", undefined, SEALED_CHARACTERS_MAX)),
  };
  fields.end();
  return message;
}
