// SPDX-License-Identifier: AGPL-3.0-or-later
// From the receipt code to the mailbox's secrets. docs/protocol.md §3.

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { identityFromSeed, recipientOf } from "./age.js";
import { publicKeyOf } from "./ed25519.js";
import { checkCode } from "./receipt-code.js";
import { ID_BYTES, concat, decodeHex, encodeHex, encodeUtf8, label } from "./encoding.js";
import { MalformedError } from "./errors.js";
import { mailboxId } from "./manifest.js";

const ITERATIONS = 210_000;
const MASTER_BITS = 256;
const KEY_BYTES = 32;

/**
 * @typedef {object} MailboxSecrets public are `mailbox`, `recipient`, `control` and `tokenSha256`; the others have 32 bytes
 * @property {string} mailbox look-up key at the portal, hex of 16 bytes
 * @property {string} recipient S
 * @property {string} control V, hex
 * @property {string} tokenSha256 hex
 * @property {Uint8Array} token shown to the portal on reading
 * @property {Uint8Array} mailboxSeed seed of the identity whose recipient is S
 * @property {Uint8Array} controlSeed seed of the Ed25519 key whose public part is V
 * @property {Uint8Array} messageMac
 * @property {Uint8Array} leafNonce
 * @property {Uint8Array} stateMac
 */

/**
 * @param {string} digits receipt code, 35 ASCII digits
 * @param {string} realm of the portal, hex of 16 bytes
 * @returns {Promise<MailboxSecrets>}
 * @throws {MalformedError} for another spelling of either, which would silently open another mailbox
 */
export async function deriveSecrets(digits, realm) {
  const salt = concat(label("receipt"), decodeHex(realm, ID_BYTES));
  checkDigits(digits);
  const master = await deriveMaster(digits, salt, ITERATIONS);
  const key = (/** @type {string} */ name) =>
    hkdf(sha256, master, undefined, encodeUtf8(`amparo/v1/${name}`), KEY_BYTES);
  const [token, mailboxSeed, controlSeed] = [key("mailbox-token"), key("mailbox-identity"), key("control-key")];
  const recipient = await recipientOf(identityFromSeed(mailboxSeed));
  const control = encodeHex(publicKeyOf(controlSeed));
  const tokenSha256 = encodeHex(sha256(token));
  const secrets = {
    mailbox: mailboxId(recipient, control, tokenSha256),
    recipient,
    control,
    tokenSha256,
    token,
    mailboxSeed,
    controlSeed,
    messageMac: key("message-mac"),
    leafNonce: key("leaf-nonce"),
    stateMac: key("state-mac"),
  };
  master.fill(0);
  return secrets;
}

/**
 * PBKDF2 with HMAC-SHA-512, by the browser.
 *
 * @param {string} digits
 * @param {import("./encoding.js").Bytes} salt
 * @param {number} iterations
 * @returns {Promise<import("./encoding.js").Bytes>} 32 bytes
 */
export async function deriveMaster(digits, salt, iterations) {
  const { subtle } = globalThis.crypto;
  const password = await subtle.importKey("raw", encodeUtf8(digits), "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-512", salt, iterations };
  return new Uint8Array(await subtle.deriveBits(parameters, password, MASTER_BITS));
}

/** @param {MailboxSecrets} secrets overwritten, as far as a script can */
export function wipeSecrets(secrets) {
  for (const value of Object.values(secrets)) if (typeof value !== "string") value.fill(0);
}

/** @param {string} digits */
function checkDigits(digits) {
  try {
    if (/^\d+$/.test(digits) && checkCode(digits)) return;
  } catch {
    // Its own error says which group is wrong, which concerns the page alone.
  }
  throw new MalformedError("not 35 digits of a receipt code");
}
