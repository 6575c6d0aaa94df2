// SPDX-License-Identifier: AGPL-3.0-or-later
// The thread identity, sealed to its readers. docs/protocol.md §5.3.

import { generateIdentity, recipientOf, seal } from "./age.js";
import { encodeJson } from "./canonical-json.js";
import { readersOn } from "./charter.js";
import { shuffle } from "./random.js";

/** @param {{ identity: string, subject: string }} thread `subject` is the submission */
export function encodeGrant({ identity, subject }) {
  return encodeJson({ version: "amparo/v1/grant", kind: "thread", subject, identity });
}

/**
 * A grant does not reveal how many of its stanzas are for members: the rest, up to the charter's slots, are for
 * throwaway identities, and all are in random order.
 *
 * @param {{ identity: string, subject: string }} thread
 * @param {string[]} chosen recipients of members
 * @param {import("./charter.js").Charter} charter
 * @param {import("./random.js").Fill} fill
 */
export async function sealGrant(thread, chosen, charter, fill) {
  const recipients = [...chosen, charter.reserve.recipient];
  while (recipients.length < charter.slots) recipients.push(await recipientOf(await generateIdentity()));
  return seal(encodeGrant(thread), shuffle(recipients, fill));
}

/**
 * The recipients of the readers on this day, except the excluded ones.
 *
 * @param {import("./charter.js").Charter} charter
 * @param {string[]} exclude labels
 * @param {string} day
 */
export function chooseMembers(charter, exclude, day) {
  return readersOn(charter, day)
    .filter(({ label }) => !exclude.includes(label))
    .map(({ recipient }) => recipient);
}
