// SPDX-License-Identifier: AGPL-3.0-or-later
// The one set of Ed25519 keys and signatures that is accepted, the same as in crypto/ed25519.py. docs/protocol.md §4.1.
//
// RFC 8032 leaves room, and libraries differ in it: in points with a part of small order, in the point zero, in the
// equation with or without the cofactor. Where key and R are both points of the main subgroup, all of them agree.

import { ed25519 } from "@noble/curves/ed25519.js";
import { AuthenticationError, MalformedError } from "./errors.js";

export const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/**
 * Check that these bytes are the encoding of a point of the main subgroup, not of its zero.
 *
 * @param {Uint8Array} publicKey 32 bytes
 * @throws {MalformedError}
 */
export function checkPublicKey(publicKey) {
  if (!isPoint(publicKey)) throw new MalformedError("not an Ed25519 public key");
}

/**
 * Check that this is the signature of the message by the key. The key has passed `checkPublicKey`: it is not checked
 * again here.
 *
 * @param {Uint8Array} publicKey
 * @param {Uint8Array} message
 * @param {Uint8Array} signature 64 bytes, R ‖ S
 * @throws {AuthenticationError}
 */
export function checkSignature(publicKey, message, signature) {
  // `verify` refuses an S of the group's order or above. Its equation has the cofactor, so R is looked at before.
  const matches =
    signature.length === SIGNATURE_BYTES &&
    isPoint(signature.subarray(0, KEY_BYTES)) &&
    ed25519.verify(signature, message, publicKey, { zip215: false });
  if (!matches) throw new AuthenticationError("the signature does not match");
}

/**
 * @param {Uint8Array} seed 32 bytes
 * @returns {Uint8Array} 32 bytes
 */
export function publicKeyOf(seed) {
  return ed25519.getPublicKey(seed);
}

/**
 * @param {Uint8Array} message
 * @param {Uint8Array} seed 32 bytes
 * @returns {Uint8Array} 64 bytes, R ‖ S
 */
export function sign(message, seed) {
  return ed25519.sign(message, seed);
}

/** @param {Uint8Array} encoded */
function isPoint(encoded) {
  let point;
  try {
    point = ed25519.Point.fromBytes(encoded, false);
  } catch {
    return false;
  }
  return !point.isSmallOrder() && point.isTorsionFree();
}
