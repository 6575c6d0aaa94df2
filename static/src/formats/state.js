// SPDX-License-Identifier: AGPL-3.0-or-later
// What the reporter's device leaves for its own return. docs/protocol.md §5.4.

import { checkRecipient, identityFromSeed, open, seal } from "./age.js";
import { readDocument } from "./document.js";
import { HASH_BYTES, ID_BYTES } from "./encoding.js";
import { checkMac, encodeWithMac } from "./mac.js";
import { STATE_FLOOR, padDocument, unpadDocument } from "./padding.js";

const STATE_MAX = 8 * 1024;

/**
 * @typedef {import("./derive.js").MailboxSecrets} MailboxSecrets
 * @typedef {{ recipient: string, charter: string, submission: string }} State `recipient` is R, `charter` a hash
 */

/**
 * @param {State} state
 * @param {MailboxSecrets} secrets
 * @param {string} mailbox S
 */
export function sealState({ recipient, charter, submission }, secrets, mailbox) {
  const value = { version: "amparo/v1/state", recipient, charter, submission };
  return seal(padDocument(encodeWithMac(secrets.stateMac, value), STATE_FLOOR), [mailbox]);
}

/**
 * @param {Uint8Array} sealed
 * @param {MailboxSecrets} secrets
 * @returns {Promise<State>}
 */
export async function openState(sealed, secrets) {
  const padded = await open(sealed, identityFromSeed(secrets.mailboxSeed));
  const fields = readDocument(unpadDocument(padded, STATE_FLOOR, STATE_MAX), "state", STATE_MAX);
  const state = {
    recipient: fields.text("recipient"),
    charter: fields.hex("charter", HASH_BYTES),
    submission: fields.hex("submission", ID_BYTES),
  };
  checkMac(secrets.stateMac, { version: "amparo/v1/state", ...state }, fields.hex("mac", HASH_BYTES));
  fields.end();
  checkRecipient(state.recipient);
  return state;
}
