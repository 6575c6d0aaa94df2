// SPDX-License-Identifier: AGPL-3.0-or-later
// What no public signed text may hold: what is not seen, or reorders what is read. docs/protocol.md §1.2.

import { MalformedError } from "./errors.js";

// In canonical JSON a control character is an escape; all other escapes are of quotation marks and of backslashes, which
// are taken out before.
const FORBIDDEN =
  /\\[^"n]|[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}]/u;

/**
 * Check all texts in canonical JSON.
 *
 * @param {string} document that was read as such
 * @throws {MalformedError}
 */
export function checkPublicTexts(document) {
  if (FORBIDDEN.test(document.replace(/\\\\/g, ""))) throw new MalformedError("a text holds what is not seen");
}
