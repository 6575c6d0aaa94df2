// SPDX-License-Identifier: AGPL-3.0-or-later
// The data that the reporter's device leaves for its own return. docs/protocol.md §5.4.

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
 * @param {Uint8Array} stateMac 32 bytes
 */
export function encodeState({ recipient, charter, submission }, stateMac) {
  return encodeWithMac(stateMac, { version: "amparo/v1/state", recipient, charter, submission });
}

/**
 * The commission knows S and could seal a forged state to it: only the MAC binds the state to the code.
 *
 * @param {Uint8Array} json
 * @param {Uint8Array} stateMac 32 bytes
 * @returns {State}
 */
export function readState(json, stateMac) {
  const fields = readDocument(json, "state", STATE_MAX);
  const state = {
    recipient: fields.text("recipient"),
    charter: fields.hex("charter", HASH_BYTES),
    submission: fields.hex("submission", ID_BYTES),
  };
  const mac = fields.hex("mac", HASH_BYTES);
  fields.end();
  checkMac(stateMac, { version: "amparo/v1/state", ...state }, mac);
  checkRecipient(state.recipient);
  return state;
}

/**
 * @param {State} state
 * @param {MailboxSecrets} secrets
 * @param {string} mailbox S
 */
export function sealState(state, { stateMac }, mailbox) {
  return seal(padDocument(encodeState(state, stateMac), STATE_FLOOR), [mailbox]);
}

/**
 * @param {Uint8Array} sealed
 * @param {MailboxSecrets} secrets
 * @returns {Promise<State>}
 */
export async function openState(sealed, { mailboxSeed, stateMac }) {
  const padded = await open(sealed, identityFromSeed(mailboxSeed));
  return readState(unpadDocument(padded, STATE_FLOOR, STATE_MAX), stateMac);
}
