// SPDX-License-Identifier: AGPL-3.0-or-later
// What the office knows of a thread, and when, for the reporter's device. docs/protocol.md §8.1.

import { Fields, readDocument } from "./document.js";
import { HASH_BYTES, ID_BYTES, decodeBase64, decodeUtf8, encodeHex, encodeUtf8 } from "./encoding.js";
import { LimitError, MalformedError } from "./errors.js";
import { parseNote } from "./note.js";
import { THREAD_NOTE_BYTES, contentMax } from "./padding.js";
import { openDocument } from "./sealed-document.js";
import { NUMBER_MAX } from "./statement.js";

const HELD_MAX = 256;
const RENEWAL_BYTES_MAX = 6 * 1024;
const NOTE_MAX = contentMax(THREAD_NOTE_BYTES);

/**
 * @typedef {object} ThreadNote
 * @property {string} realm
 * @property {string} submission
 * @property {string} manifest hash
 * @property {number} number 1 for the first note of the thread, higher each time
 * @property {string} day
 * @property {{ number: number, charter: string }} newest the commission's newest charter, whose office key signs
 * @property {{ oldest: number, last: number, message: string | null }} replies numbers of those that are expected, 1 and
 *   0 before the first; id of the last one
 * @property {{ count: number, messages: string[] }} held follow-ups at the office: ids of the newest, oldest first
 * @property {Uint8Array | null} renewal sealed
 *
 * @typedef {{ thread: ThreadNote, note: import("./note.js").Note, signed: string }} SignedThreadNote `signed` is the text of
 *   the note with its signatures
 */

/**
 * Open a thread note, and read it as `readThreadNote` does.
 *
 * @param {Uint8Array} sealed
 * @param {string} identity of the mailbox
 * @returns {Promise<SignedThreadNote>}
 */
export async function openThreadNote(sealed, identity) {
  return readThreadNote(await openDocument(sealed, identity, THREAD_NOTE_BYTES, NOTE_MAX));
}

/**
 * Read a thread note. Not checked: its signature.
 *
 * @param {Uint8Array} content the signed note
 * @returns {SignedThreadNote}
 */
export function readThreadNote(content) {
  const note = parseNote(content);
  return { thread: readThreadNoteText(note.text), note, signed: decodeUtf8(content) };
}

/**
 * @param {string} text of a note, whose signature is not looked at
 * @returns {ThreadNote}
 */
export function readThreadNoteText(text) {
  const fields = readDocument(encodeUtf8(text.slice(0, -1)), "thread", NOTE_MAX);
  const thread = {
    realm: fields.hex("realm", ID_BYTES),
    submission: fields.hex("submission", ID_BYTES),
    manifest: fields.hex("manifest", HASH_BYTES),
    number: fields.integer("number", 1, NUMBER_MAX),
    day: fields.day("day"),
    newest: readNewest(fields.child("newest")),
    replies: readReplies(fields.child("replies")),
    held: readHeld(fields.child("held")),
    renewal: fields.optional("renewal", readRenewal),
  };
  fields.end();
  return thread;
}

/**
 * @param {Fields} fields
 * @returns {{ number: number, charter: string }}
 */
export function readNewest(fields) {
  const newest = { number: fields.integer("number", 1, NUMBER_MAX), charter: fields.hex("charter", HASH_BYTES) };
  fields.end();
  return newest;
}

/** @param {Fields} fields */
function readReplies(fields) {
  const replies = {
    oldest: fields.integer("oldest", 1, NUMBER_MAX),
    last: fields.integer("last", 0, NUMBER_MAX),
    message: fields.optional("message", () => fields.hex("message", ID_BYTES)),
  };
  fields.end();
  if ((replies.last === 0) !== (replies.message === null) || replies.oldest > replies.last + 1) {
    throw new MalformedError("the replies of a thread note contradict each other");
  }
  return replies;
}

/** @param {Fields} fields */
function readHeld(fields) {
  const count = fields.integer("count", 0, NUMBER_MAX);
  const ids = decodeBase64(fields.text("messages"));
  fields.end();
  if (ids.length % ID_BYTES !== 0) throw new MalformedError("a thread note has a message id of another length");
  if (ids.length > HELD_MAX * ID_BYTES) throw new LimitError("a thread note of too many follow-ups");
  const messages = [];
  for (let at = 0; at < ids.length; at += ID_BYTES) messages.push(encodeHex(ids.subarray(at, at + ID_BYTES)));
  if (messages.length > count || new Set(messages).size !== messages.length) {
    throw new MalformedError("the follow-ups of a thread note contradict each other");
  }
  return { count, messages };
}

/** @param {Fields} fields */
function readRenewal(fields) {
  const sealed = decodeBase64(fields.text("renewal", undefined, 2 * RENEWAL_BYTES_MAX));
  if (sealed.length === 0 || sealed.length > RENEWAL_BYTES_MAX) throw new LimitError("a renewal is empty or too long");
  return sealed;
}
