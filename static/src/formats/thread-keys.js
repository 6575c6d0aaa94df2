// SPDX-License-Identifier: AGPL-3.0-or-later
// Keys of a thread that move on when somebody must not read on. docs/protocol.md §9.2.

import { checkRecipient } from "./age.js";
import { HASH_BYTES } from "./encoding.js";

export const GENERATION_MAX = 1_000;

/**
 * @typedef {object} ThreadKeys where follow-ups go: generation 0 is R, with the key derived from the receipt code
 * @property {number} generation
 * @property {string} recipient
 * @property {string} message_mac hex of 32 bytes
 */

/**
 * @param {import("./document.js").Fields} fields
 * @returns {ThreadKeys}
 */
export function readThreadKeys(fields) {
  const keys = {
    generation: fields.integer("generation", 0, GENERATION_MAX),
    recipient: fields.text("recipient"),
    message_mac: fields.hex("message_mac", HASH_BYTES),
  };
  fields.end();
  checkRecipient(keys.recipient);
  return keys;
}

/**
 * The higher generation, of equal ones the first.
 *
 * @param {ThreadKeys} one
 * @param {ThreadKeys} other
 */
export function newerKeys(one, other) {
  return other.generation > one.generation ? other : one;
}
