// SPDX-License-Identifier: AGPL-3.0-or-later
// The list of a submission's sealed files, and the commitment to them. docs/protocol.md §6.

import { sha256 } from "@noble/hashes/sha2.js";
import { encodeJson } from "./canonical-json.js";
import { HASH_BYTES, concat, decodeHex, encodeHex, label } from "./encoding.js";

export const REPORT_FILE = "report.age";
export const GRANT_FILE = "grant.age";
export const STATE_FILE = "state.age";

/** @typedef {{ name: string, size: number, sha256: string }} SealedFile */

/** @param {number} number from 1 */
export function attachmentFile(number) {
  return `attachment-${number}.age`;
}

/**
 * @param {{ submission: string, charter: string, mailbox: string, token_sha256: string, files: SealedFile[] }} manifest
 *   `files` are report, grant, state, then the attachments
 */
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
