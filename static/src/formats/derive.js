// SPDX-License-Identifier: AGPL-3.0-or-later
// From the receipt code to the mailbox's secrets. docs/protocol.md §3.

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { parseCode } from "./receipt-code.js";
import { concat, encodeHex, encodeUtf8, label } from "./encoding.js";
import { MalformedError } from "./errors.js";

const ITERATIONS = 210_000;
const MASTER_BITS = 256;

/**
 * @typedef {object} MailboxSecrets
 * @property {string} mailbox public look-up key, hex of 16 bytes
 * @property {Uint8Array} token 32 bytes, shown to the portal on reading
 * @property {Uint8Array} mailboxSeed 32 bytes, seed of the identity whose recipient is S
 * @property {Uint8Array} messageMac 32 bytes
 * @property {Uint8Array} leafNonce 32 bytes
 * @property {Uint8Array} stateMac 32 bytes
 */

/**
 * @param {string} digits receipt code, 35 ASCII digits
 * @param {string} origin of the portal
 * @returns {Promise<MailboxSecrets>}
 * @throws {MalformedError} for another spelling of either, which would silently open another mailbox
 */
export async function deriveSecrets(digits, origin) {
  checkInput(digits, origin);
  const { subtle } = globalThis.crypto;
  const password = await subtle.importKey("raw", encodeUtf8(digits), "PBKDF2", false, ["deriveBits"]);
  const salt = concat(label("receipt"), encodeUtf8(origin));
  const parameters = { name: "PBKDF2", hash: "SHA-512", salt, iterations: ITERATIONS };
  const master = new Uint8Array(await subtle.deriveBits(parameters, password, MASTER_BITS));
  const key = (/** @type {string} */ name, /** @type {number} */ size) =>
    hkdf(sha256, master, undefined, encodeUtf8(`amparo/v1/${name}`), size);
  const secrets = {
    mailbox: encodeHex(key("mailbox-id", 16)),
    token: key("mailbox-token", 32),
    mailboxSeed: key("mailbox-identity", 32),
    messageMac: key("message-mac", 32),
    leafNonce: key("leaf-nonce", 32),
    stateMac: key("state-mac", 32),
  };
  master.fill(0);
  return secrets;
}

/** @param {MailboxSecrets} secrets overwritten, as far as a script can */
export function wipeSecrets(secrets) {
  for (const value of Object.values(secrets)) if (typeof value !== "string") value.fill(0);
}

/**
 * @param {string} digits
 * @param {string} origin
 */
function checkInput(digits, origin) {
  try {
    if (parseCode(digits) === digits && /^https?:/.test(origin) && new URL(origin).origin === origin) return;
  } catch {
    // Not an address.
  }
  throw new MalformedError("not 35 digits of a receipt code and a serialized origin");
}
