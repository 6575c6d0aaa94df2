// SPDX-License-Identifier: AGPL-3.0-or-later
// age v1 files with post-quantum hybrid recipients, by the package of age's author. docs/protocol.md §2.

import { bech32 } from "@scure/base";
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";
import { AuthenticationError, FormatError, LimitError, MalformedError, NotARecipientError } from "./errors.js";

const RECIPIENT_START = "age1pq1";
const STANZA = "mlkem768x25519";
const STANZAS_MAX = 256;
const CHUNK_BYTES = 65_536;
const TAG_BYTES = 16;
// A header with one stanza, and the nonce of the payload.
const HEADER_BYTES = 1_627 + 16;

/** @returns {Promise<string>} a fresh identity, `AGE-SECRET-KEY-PQ-1…` */
export function generateIdentity() {
  return generateHybridIdentity();
}

/**
 * @param {Uint8Array} seed 32 bytes
 * @returns {string} `AGE-SECRET-KEY-PQ-1…`
 */
export function identityFromSeed(seed) {
  return bech32.encodeFromBytes("AGE-SECRET-KEY-PQ-", seed).toUpperCase();
}

/**
 * @param {string} identity
 * @returns {Promise<string>} `age1pq1…`
 */
export function recipientOf(identity) {
  return identityToRecipient(identity);
}

/** @param {string} recipient refused unless it is `age1pq1…` of the right length and checksum */
export function checkRecipient(recipient) {
  newEncrypter([recipient]);
  return recipient;
}

/**
 * @param {string} recipient `age1pq1…`
 * @returns {Uint8Array} its public key, 1 216 bytes
 */
export function recipientKey(recipient) {
  checkRecipient(recipient);
  return bech32.fromWords(bech32.decode(/** @type {`age1pq1${string}`} */ (recipient), false).words);
}

/**
 * Seal to these recipients, with one stanza for each in the same order.
 *
 * @param {Uint8Array} plaintext
 * @param {string[]} recipients
 */
export function seal(plaintext, recipients) {
  return newEncrypter(recipients).encrypt(plaintext);
}

/**
 * Seal a stream chunk by chunk, in constant memory.
 *
 * @param {ReadableStream<Uint8Array>} plaintext
 * @param {string[]} recipients
 * @returns {Promise<ReadableStream<Uint8Array>>}
 */
export function sealStream(plaintext, recipients) {
  return newEncrypter(recipients).encrypt(plaintext);
}

/**
 * The size in bytes of a file sealed to one recipient.
 *
 * @param {number} size bytes of the plaintext
 */
export function sealedSize(size) {
  return HEADER_BYTES + size + TAG_BYTES * Math.max(1, Math.ceil(size / CHUNK_BYTES));
}

/**
 * Open a whole sealed file.
 *
 * @param {Uint8Array} sealed
 * @param {string} identity
 * @throws {NotARecipientError} when it is sealed to others
 * @throws {MalformedError | LimitError | AuthenticationError} for a header with other stanzas, or an altered file
 */
export async function open(sealed, identity) {
  const decrypter = new Decrypter();
  // Tried first, this one opens nothing: it refuses headers with stanzas that the protocol does not allow.
  decrypter.addIdentity({ unwrapFileKey: refuseOtherStanzas });
  decrypter.addIdentity(identity);
  decrypter.addIdentity({ unwrapFileKey: refuseUnopened });
  try {
    return await decrypter.decrypt(sealed);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new AuthenticationError("not an age file, or an altered one");
  }
}

/** @param {import("age-encryption").Stanza[]} stanzas */
function refuseOtherStanzas(stanzas) {
  if (stanzas.length > STANZAS_MAX) throw new LimitError("too many stanzas");
  if (stanzas.some((stanza) => stanza.args[0] !== STANZA)) throw new MalformedError("a stanza of another type");
  return null;
}

/**
 * Tried last, when our identity has opened nothing.
 *
 * @returns {never}
 */
function refuseUnopened() {
  throw new NotARecipientError("the file is sealed to others");
}

/** @param {string[]} recipients */
function newEncrypter(recipients) {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    if (!recipient.startsWith(RECIPIENT_START)) throw new MalformedError("the recipient is not a post-quantum one");
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new MalformedError("the recipient is malformed");
    }
  }
  return encrypter;
}
