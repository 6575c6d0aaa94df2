// SPDX-License-Identifier: AGPL-3.0-or-later
// A mailbox at the portal: its answer read, its state opened, its changes made. docs/protocol.md §8, §9.3.
//
// A code that opens nothing makes the same requests with the same sizes as one that does: in the place of a state it
// sends noise, sealed to nobody.

import { sha256 } from "@noble/hashes/sha2.js";
import { generateIdentity, recipientOf } from "../formats/age.js";
import { signControl } from "../formats/control.js";
import { HASH_BYTES, encodeBase64, encodeHex, encodeUtf8 } from "../formats/encoding.js";
import { FormatError } from "../formats/errors.js";
import { MAILBOX_BYTES_MAX, MESSAGES_MAX, readMailboxAnswer } from "../formats/mailbox-answer.js";
import { messageId } from "../formats/message.js";
import { parseNote } from "../formats/note.js";
import { STATE_BYTES, contentMax } from "../formats/padding.js";
import { PortalError } from "../formats/portal-error.js";
import { readPostingText } from "../formats/posting.js";
import { randomBytes } from "../formats/random.js";
import { sealDocument } from "../formats/sealed-document.js";
import { openState, sealState } from "../formats/state.js";

/**
 * @typedef {import("../formats/derive.js").MailboxSecrets} MailboxSecrets
 * @typedef {import("../formats/mailbox-answer.js").MailboxAnswer} MailboxAnswer
 * @typedef {import("../formats/state.js").State} State
 * @typedef {import("./mailbox-portal.js").MailboxPortal} Portal
 *
 * @typedef {object} Change
 * @property {State | null} state the new one; null for a code that opens nothing
 * @property {Uint8Array | null} followUp sealed
 * @property {number} delete replies up to this number; 0 for none
 * @property {boolean} close
 */

/**
 * The portal's answer, with all replies, and the state if the code opens it.
 *
 * @param {MailboxSecrets} secrets
 * @param {Portal} portal
 */
export async function fetchMailbox(secrets, portal) {
  const first = await fetchPage(secrets, portal, 0);
  const messages = [...first.messages];
  let { more, size } = first;
  for (let after = lastNumber(messages, 0); more && after > 0; ) {
    if (messages.length >= MESSAGES_MAX || size >= MAILBOX_BYTES_MAX) break;
    const page = await fetchPage(secrets, portal, after);
    messages.push(...page.messages);
    more = page.more;
    size += page.size;
    after = lastNumber(page.messages, after);
  }
  return { answer: { ...first, messages }, state: await tryState(first.state, secrets) };
}

/**
 * The body of a request that changes a mailbox.
 *
 * @param {MailboxSecrets} secrets
 * @param {string} realm
 * @param {Uint8Array} replaced the state file that is replaced
 * @param {Change} change
 * @param {import("../formats/random.js").Fill} fill
 */
export async function makeChange(secrets, realm, replaced, { state, followUp, delete: upTo, close }, fill) {
  const sealed = state ? await sealState(state, secrets) : await sealNoise(fill);
  const control = {
    realm,
    replaces: encodeHex(sha256(replaced)),
    state: encodeHex(sha256(sealed)),
    followUp: followUp && messageId(followUp),
    delete: upTo,
    close,
  };
  return {
    ...credentials(secrets),
    control: signControl(control, secrets),
    state: encodeBase64(sealed),
    follow_up: followUp && encodeBase64(followUp),
  };
}

/** @returns {Promise<string>} a recipient whose identity nobody has */
export async function throwawayRecipient() {
  return recipientOf(await generateIdentity());
}

/**
 * What has the size of a state, and is opened by nobody.
 *
 * @param {import("../formats/random.js").Fill} fill
 */
async function sealNoise(fill) {
  return sealDocument(randomBytes(contentMax(STATE_BYTES), fill), STATE_BYTES, [await throwawayRecipient()]);
}

/**
 * @param {MailboxSecrets} secrets
 * @param {Portal} portal
 * @param {number} after replies after this number; 0 for the first ones
 */
async function fetchPage(secrets, portal, after) {
  const bytes = await portal.postMailbox({ ...credentials(secrets), ...(after > 0 ? { after } : {}) });
  try {
    return { ...readMailboxAnswer(bytes), size: bytes.length };
  } catch (error) {
    if (error instanceof FormatError) throw new PortalError("unexpected-answer");
    throw error;
  }
}

/**
 * The number of the last reply that is there, if it is higher than `after`; 0 otherwise.
 *
 * @param {MailboxAnswer["messages"]} messages
 * @param {number} after
 */
function lastNumber(messages, after) {
  if (messages.length === 0) return 0;
  try {
    const { number } = readPostingText(parseNote(encodeUtf8(messages[messages.length - 1].posting)).text);
    return number > after ? number : 0;
  } catch (error) {
    if (error instanceof FormatError) return 0;
    throw error;
  }
}

/** @param {MailboxSecrets} secrets */
function credentials({ mailbox, token }) {
  return { mailbox, token: encodeHex(token) };
}

/**
 * @param {Uint8Array} sealed
 * @param {MailboxSecrets} secrets
 * @returns {Promise<State | null>} null when the code does not open it
 */
async function tryState(sealed, secrets) {
  try {
    return await openState(sealed, secrets);
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/**
 * Which of a page's charters a code that opens nothing asks for: always the same one for one code.
 *
 * @param {MailboxSecrets} secrets
 * @param {string[]} charters hashes
 */
export function pickCharter({ mailbox }, charters) {
  if (charters.length === 0) return "0".repeat(2 * HASH_BYTES);
  return charters[parseInt(mailbox.slice(0, 8), 16) % charters.length];
}
