// SPDX-License-Identifier: AGPL-3.0-or-later
// The reporter's return: read replies, send follow-ups. docs/protocol.md §8, §9.
//
// A code that opens nothing must look like a mailbox without messages to an observer of screen, clock or network: the
// same requests of the same size, and the same answer.

import { generateIdentity, identityFromSeed, recipientOf } from "../formats/age.js";
import { checkSuccessor, readCharter } from "../formats/charter.js";
import { readCollection } from "../formats/collection.js";
import { deriveSecrets, wipeSecrets } from "../formats/derive.js";
import { Fields, readDocument } from "../formats/document.js";
import { ID_BYTES, decodeBase64, encodeBase64, encodeHex, encodeUtf8, formatDay } from "../formats/encoding.js";
import { LimitError, MalformedError } from "../formats/errors.js";
import { messageId, openReply, sealFollowUp, verifyReply } from "../formats/message.js";
import { unpad } from "../formats/padding.js";
import { randomBytes } from "../formats/random.js";
import { openState } from "../formats/state.js";
import { PortalError } from "../formats/portal-error.js";
import { MAILBOX_STEP_BYTES } from "./portal.js";

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const SEALED_CHARACTERS_MAX = 2 * 1024 * 1024;
// More pages than any real mailbox has.
const PAGES_MAX = 256;

/**
 * @typedef {import("../formats/charter.js").Charter} Charter
 * @typedef {import("../formats/derive.js").MailboxSecrets} MailboxSecrets
 * @typedef {import("../formats/state.js").State} State
 * @typedef {import("../formats/worker-calls.js").Message} Message
 * @typedef {import("./portal.js").Portal} Portal
 * @typedef {{ id: string, day: string, sealed: string }} SealedMessage
 * @typedef {{ state: string, collection: string | null, messages: SealedMessage[] }} Answer
 */

/**
 * @param {{ origin: string, digits: string }} request
 * @param {{ portal: Portal }} context
 * @returns {Promise<import("../formats/worker-calls.js").Mailbox>}
 */
export async function openMailbox({ origin, digits }, { portal }) {
  const secrets = await deriveSecrets(digits, origin);
  try {
    const { state: sealedState, collection, messages } = await fetchMailbox(secrets, portal);
    const state = await tryState(sealedState, secrets);
    if (!state || (messages.length === 0 && collection === null)) return { messages: [], collection: null };
    const charters = await fetchCharters(state.charter, origin, portal);
    const identity = identityFromSeed(secrets.mailboxSeed);
    const opened = [];
    for (const message of messages) opened.push(await openMessage(message, identity, state, charters));
    return { messages: opened, collection: openCollection(collection, origin, charters, state) };
  } finally {
    wipeSecrets(secrets);
  }
}

/**
 * @param {import("../formats/worker-calls.js").FollowUpRequest} request
 * @param {{ portal: Portal, now: () => Date, fill: import("../formats/random.js").Fill }} context
 */
export async function sendFollowUp({ origin, digits, kind, body }, { portal, now, fill }) {
  const secrets = await deriveSecrets(digits, origin);
  try {
    const { state: sealedState } = await fetchPage(secrets, portal, null);
    const state = await tryState(sealedState, secrets);
    // Generated in any case, so that a code that opens nothing takes the same time.
    const decoy = { recipient: await recipientOf(await generateIdentity()), submission: encodeHex(randomBytes(ID_BYTES, fill)) };
    const { recipient, submission } = state ?? decoy;
    const followUp = { submission, day: formatDay(now()), kind, body };
    const sealed = await sealFollowUp(followUp, secrets.messageMac, recipient);
    await portal.postFollowUp({ ...credentials(secrets), sealed: encodeBase64(sealed) });
  } catch (error) {
    if (error instanceof LimitError) throw new PortalError("too-large");
    throw error;
  } finally {
    wipeSecrets(secrets);
  }
}

/**
 * All messages, oldest first, each once.
 *
 * @param {MailboxSecrets} secrets
 * @param {Portal} portal
 * @returns {Promise<Answer>}
 */
async function fetchMailbox(secrets, portal) {
  const first = await fetchPage(secrets, portal, null);
  /** @type {Map<string, SealedMessage>} */
  const messages = new Map();
  let page = first.messages;
  for (let count = 1; page.length > 0 && count < PAGES_MAX; count++) {
    for (const message of page) messages.set(message.id, message);
    page = (await fetchPage(secrets, portal, page[page.length - 1].id)).messages;
  }
  return { ...first, messages: [...messages.values()] };
}

/**
 * @param {MailboxSecrets} secrets
 * @param {Portal} portal
 * @param {string | null} after id of a message
 */
async function fetchPage(secrets, portal, after) {
  const answer = await portal.postMailbox({ ...credentials(secrets), ...(after ? { after } : {}) });
  try {
    return readAnswer(answer);
  } catch {
    throw new PortalError("unexpected-answer");
  }
}

/** @param {MailboxSecrets} secrets */
function credentials({ mailbox, token }) {
  return { mailbox, token: encodeHex(token) };
}

/**
 * @param {Uint8Array} bytes
 * @returns {Answer}
 */
function readAnswer(bytes) {
  const json = unpad(bytes, ANSWER_BYTES_MAX);
  let expected = MAILBOX_STEP_BYTES;
  while (expected < 4 + json.length) expected *= 2;
  if (bytes.length !== expected) throw new MalformedError("the mailbox answer has the wrong size");
  const fields = readDocument(json, "mailbox", ANSWER_BYTES_MAX);
  const collection = fields.take("collection");
  const answer = {
    state: fields.text("state"),
    collection: collection === null ? null : new Fields({ collection }, "mailbox").text("collection"),
    messages: fields.items("messages", PAGES_MAX * 1024, readMessage),
  };
  fields.end();
  return answer;
}

/** @param {unknown} item */
function readMessage(item) {
  const fields = new Fields(item, "message");
  const message = {
    id: fields.hex("id", ID_BYTES),
    day: fields.day("day"),
    sealed: fields.text("sealed", undefined, SEALED_CHARACTERS_MAX),
  };
  fields.end();
  return message;
}

/**
 * @param {string} sealed
 * @param {MailboxSecrets} secrets
 * @returns {Promise<State | null>} null when the code does not open it
 */
async function tryState(sealed, secrets) {
  try {
    return await openState(decodeBase64(sealed), secrets);
  } catch {
    return null;
  }
}

/**
 * Return the charter of the state and its successors, as far as each continues the one before.
 *
 * @param {string} hash
 * @param {string} origin
 * @param {Portal} portal
 */
async function fetchCharters(hash, origin, portal) {
  /** @type {Map<string, Charter>} */
  const charters = new Map();
  try {
    let last = readCharter(await portal.getCharter(hash));
    if (last.hash !== hash || last.origin !== origin) return charters;
    charters.set(last.hash, last);
    for (const note of await portal.getSuccessors(hash)) {
      const next = readCharter(encodeUtf8(note));
      if (charters.has(next.hash)) continue;
      checkSuccessor(last, next);
      charters.set(next.hash, next);
      last = next;
    }
  } catch {
    // The charters verified so far serve for the messages signed under them; the others are shown as unsigned.
  }
  return charters;
}

/**
 * One broken message never hides the others.
 *
 * @param {SealedMessage} message
 * @param {string} identity
 * @param {State} state
 * @param {Map<string, Charter>} charters
 * @returns {Promise<Message>}
 */
async function openMessage({ id, day, sealed }, identity, state, charters) {
  /** @type {(problem: "unreadable" | "unsigned") => Message} */
  const broken = (problem) => ({ id, day, body: "", language: "", from: null, problem });
  let reply;
  try {
    const bytes = decodeBase64(sealed);
    if (messageId(bytes) !== id) return broken("unreadable");
    reply = await openReply(bytes, identity);
  } catch {
    return broken("unreadable");
  }
  try {
    const from = verifyReply(reply, state.submission, charters);
    return { id, day: reply.day, body: reply.body, language: reply.language, from, problem: null };
  } catch {
    return broken("unsigned");
  }
}

/**
 * @param {string | null} note
 * @param {string} origin
 * @param {Map<string, Charter>} charters
 * @param {State} state
 */
function openCollection(note, origin, charters, state) {
  if (note === null) return null;
  try {
    const office = [...charters.values()].flatMap((charter) => charter.office);
    const collection = readCollection(encodeUtf8(note), office);
    // The manifest's hash can only be compared with the acknowledgement.
    if (collection.submission !== state.submission || collection.origin !== origin) return null;
    return { day: collection.collected };
  } catch {
    return null;
  }
}
