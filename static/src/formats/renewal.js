// SPDX-License-Identifier: AGPL-3.0-or-later
// New keys of a thread, signed by a member and sealed to the mailbox alone. docs/protocol.md §9.2.

import { verifyMember } from "./charter.js";
import { readDocument } from "./document.js";
import { HASH_BYTES, ID_BYTES, encodeUtf8 } from "./encoding.js";
import { AuthenticationError } from "./errors.js";
import { parseNote } from "./note.js";
import { MESSAGE_FLOOR } from "./padding.js";
import { openDocument } from "./sealed-document.js";
import { readThreadKeys } from "./thread-keys.js";

const RENEWAL_MAX = 4 * 1024;

/**
 * @typedef {{ submission: string, manifest: string, charter: string, day: string,
 *   keys: import("./thread-keys.js").ThreadKeys }} Renewal `manifest` and `charter` are hashes
 */

/**
 * Open a renewal, and read it as `readRenewal` does.
 *
 * @param {Uint8Array} sealed
 * @param {string} identity of the mailbox
 * @param {import("./charter.js").Charter[]} charters
 * @returns {Promise<Renewal & { signer: import("./charter.js").Member }>}
 */
export async function openRenewal(sealed, identity, charters) {
  return readRenewal(await openDocument(sealed, identity, MESSAGE_FLOOR, RENEWAL_MAX), charters);
}

/**
 * Read a renewal and verify that a member of the charter that it names signed it, on its day. Not checked: its thread,
 * and what §8.3 demands of its signer.
 *
 * @param {Uint8Array} content the signed note
 * @param {import("./charter.js").Charter[]} charters
 * @returns {Renewal & { signer: import("./charter.js").Member }}
 */
export function readRenewal(content, charters) {
  const note = parseNote(content);
  const renewal = readRenewalText(note.text);
  const charter = charters.find(({ hash }) => hash === renewal.charter);
  if (!charter) throw new AuthenticationError("the renewal names an unknown charter");
  return { ...renewal, signer: verifyMember(note, charter, renewal.day) };
}

/**
 * @param {string} text of a note, whose signature is not looked at
 * @returns {Renewal}
 */
function readRenewalText(text) {
  const fields = readDocument(encodeUtf8(text.slice(0, -1)), "renewal", RENEWAL_MAX);
  const renewal = {
    submission: fields.hex("submission", ID_BYTES),
    manifest: fields.hex("manifest", HASH_BYTES),
    charter: fields.hex("charter", HASH_BYTES),
    day: fields.day("day"),
    keys: readThreadKeys(fields.child("keys")),
  };
  fields.end();
  return renewal;
}
