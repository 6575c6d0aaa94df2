// SPDX-License-Identifier: AGPL-3.0-or-later
// Who gets a key is decided by the day, and a device's clock may be months wrong. docs/protocol.md §4.2.
//
// What the office signed was not signed later than today, so a clock that is behind is corrected by it. The portal's day is
// nobody's word: it may only take readers away, and tell the person that the two clocks differ.

import { isInForce } from "../formats/charter.js";
import { daysBetween } from "../formats/encoding.js";
import { chooseMembers } from "../formats/grant.js";
import { PortalError } from "../formats/portal-error.js";

/** @typedef {{ device: string, signed: string | null, portal: string | null }} Days of the clock, the newest-charter note, the answer */

/**
 * @param {string} one
 * @param {string | null} other
 * @returns {boolean} false for one that is not known; a day more or less is nobody's fault
 */
export function daysDiffer(one, other) {
  return other !== null && Math.abs(daysBetween(one, other)) > 1;
}

/**
 * The recipients of those who are readers on the device's day and, if it is another, on the portal's, too.
 *
 * @param {import("../formats/charter.js").Charter} charter
 * @param {string[]} exclude labels
 * @param {Days} days
 * @throws {PortalError} `charter-expired`, `no-recipient`, or `clock-differs` where that may be for a wrong clock
 */
export function chooseReaders(charter, exclude, { device, signed, portal }) {
  const day = signed !== null && signed > device ? signed : device;
  if (!isInForce(charter, day)) throw new PortalError(daysDiffer(device, portal) ? "clock-differs" : "charter-expired");
  const members = chooseMembers(charter, exclude, day);
  // A day before the one that the office signed is not today's.
  if (portal === null || !daysDiffer(day, portal) || (signed !== null && portal < signed)) return someone(members, "no-recipient");
  const others = chooseMembers(charter, exclude, portal);
  return someone(members.filter((recipient) => others.includes(recipient)), "clock-differs");
}

/**
 * @param {string[]} recipients
 * @param {string} code
 */
function someone(recipients, code) {
  if (recipients.length === 0) throw new PortalError(code);
  return recipients;
}
