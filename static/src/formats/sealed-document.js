// SPDX-License-Identifier: AGPL-3.0-or-later
// Sealed documents: padded, then sealed. docs/protocol.md §1.1, §2.

import { open, seal } from "./age.js";
import { padDocument, unpadDocument } from "./padding.js";

/**
 * @param {Uint8Array} content
 * @param {number} floor bytes
 * @param {string[]} recipients
 */
export function sealDocument(content, floor, recipients) {
  return seal(padDocument(content, floor), recipients);
}

/**
 * @param {Uint8Array} sealed
 * @param {string} identity
 * @param {number} floor bytes
 * @param {number} max bytes of the content
 * @returns {Promise<Uint8Array>} the content
 */
export async function openDocument(sealed, identity, floor, max) {
  return unpadDocument(await open(sealed, identity), floor, max);
}
