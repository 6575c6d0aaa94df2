// SPDX-License-Identifier: AGPL-3.0-or-later
// What a mailbox is told to do, signed by the control key V of its receipt code. docs/protocol.md §9.3.
//
// V never signs free text: that stays deniable.

import { signNote } from "./note.js";
import { writeLines } from "./statement.js";

const NO_MESSAGE = "0".repeat(32);

/**
 * @typedef {object} Control
 * @property {string} realm
 * @property {string} replaces SHA-256 of the state file that is replaced, hex
 * @property {string} state SHA-256 of the new one, hex
 * @property {string | null} followUp id of the message that goes with it
 * @property {number} delete replies up to this number are deleted; 0 for none
 * @property {boolean} close
 */

/**
 * @param {Control} control
 * @param {string} mailbox id
 */
export function encodeControl({ realm, replaces, state, followUp, delete: upTo, close }, mailbox) {
  return writeLines("control", [
    realm,
    mailbox,
    `state ${replaces} ${state}`,
    `follow-up ${followUp ?? NO_MESSAGE}`,
    `delete ${upTo}`,
    close ? "close" : "open",
  ]);
}

/**
 * @param {Control} control
 * @param {import("./derive.js").MailboxSecrets} secrets
 * @returns {string} the note
 */
export function signControl(control, { mailbox, controlSeed }) {
  return signNote(encodeControl(control, mailbox), mailbox, controlSeed);
}
