// SPDX-License-Identifier: AGPL-3.0-or-later
// JSON documents that carry an HMAC over themselves: states and follow-ups. docs/protocol.md §5.4, §9.

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { encodeJson } from "./canonical-json.js";
import { encodeHex, encodeUtf8, sameBytes } from "./encoding.js";
import { AuthenticationError } from "./errors.js";

/**
 * Return the canonical JSON of the object with `mac` = hex HMAC-SHA-256 of its canonical JSON without `mac`.
 *
 * @param {Uint8Array} key 32 bytes
 * @param {Record<string, unknown>} value
 */
export function encodeWithMac(key, value) {
  return encodeJson({ ...value, mac: macOf(key, value) });
}

/**
 * @param {Uint8Array} key 32 bytes
 * @param {Record<string, unknown>} value without its mac
 * @param {string} mac
 */
export function checkMac(key, value, mac) {
  if (!sameBytes(encodeUtf8(macOf(key, value)), encodeUtf8(mac))) throw new AuthenticationError("the MAC does not match");
}

/**
 * @param {Uint8Array} key
 * @param {Record<string, unknown>} value
 */
function macOf(key, value) {
  return encodeHex(hmac(sha256, key, encodeJson(value)));
}
