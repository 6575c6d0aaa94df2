// SPDX-License-Identifier: AGPL-3.0-or-later
// The list of a submission's sealed files, its mailbox, and the commitment to it. docs/protocol.md §3, §6.

import { sha256 } from "@noble/hashes/sha2.js";
import { recipientKey } from "./age.js";
import { encodeJson } from "./canonical-json.js";
import { HASH_BYTES, ID_BYTES, concat, decodeHex, encodeHex, label } from "./encoding.js";

export const REPORT_FILE = "report.age";
export const GRANT_FILE = "grant.age";
export const URGENCY_FILE = "urgency.age";
export const STATE_FILE = "state.age";

/**
 * @typedef {{ name: string, size: number, sha256: string }} SealedFile
 *
 * @typedef {object} Manifest
 * @property {string} submission
 * @property {string} charter hash
 * @property {string} mailbox id that commits to the three that follow
 * @property {string} recipient S
 * @property {string} control V, hex
 * @property {string} token_sha256
 * @property {SealedFile[]} files report, grant, urgency, then the attachments; the state is made last and is none of them
 */

/** @param {number} number from 1 */
export function attachmentFile(number) {
  return `attachment-${number}.age`;
}

/**
 * The mailbox id commits to who reads, who commands and who may ask.
 *
 * @param {string} recipient S
 * @param {string} control V, hex
 * @param {string} tokenSha256 hex
 */
export function mailboxId(recipient, control, tokenSha256) {
  const keys = [recipientKey(recipient), decodeHex(control, HASH_BYTES), decodeHex(tokenSha256, HASH_BYTES)];
  return encodeHex(sha256(concat(label("mailbox"), ...keys)).subarray(0, ID_BYTES));
}

/** @param {Manifest} manifest */
export function encodeManifest(manifest) {
  return encodeJson({ ...manifest, version: "amparo/v1/manifest" });
}

/** @param {Uint8Array} manifest its bytes */
export function manifestHash(manifest) {
  return encodeHex(sha256(manifest));
}

/**
 * SHA-256(label("leaf") ‖ leaf-nonce ‖ manifest hash), in hex.
 *
 * @param {Uint8Array} leafNonce 32 bytes
 * @param {string} hash of the manifest
 */
export function commitment(leafNonce, hash) {
  return encodeHex(sha256(concat(label("leaf"), leafNonce, decodeHex(hash, HASH_BYTES))));
}
