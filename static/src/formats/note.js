// SPDX-License-Identifier: AGPL-3.0-or-later
// Signed notes: text, an empty line, Ed25519 signature lines (c2sp.org/signed-note). docs/protocol.md §4.1.

import { sha256 } from "@noble/hashes/sha2.js";
import { KEY_BYTES, checkPublicKey, checkSignature, publicKeyOf, sign } from "./ed25519.js";
import { concat, decodeBase64, decodeHex, decodeUtf8, encodeBase64, encodeHex, encodeUtf8 } from "./encoding.js";
import { AuthenticationError, LimitError, MalformedError } from "./errors.js";

export const NOTE_BYTES_MAX = 1 << 20;
const SIGNATURES_MAX = 64;
const NAME_CHARACTERS_MAX = 255;
const KEY_ID_BYTES = 4;
const ED25519 = 1;
const DASH = "— ";
// The line feed is the only control character allowed in a note.
const CONTROL = /[\x00-\x09\x0b-\x1f]/; // eslint-disable-line no-control-regex

/**
 * @typedef {{ name: string, keyId: string, publicKey: Uint8Array }} VerifierKey `keyId` is 8 hexadecimal digits
 * @typedef {{ name: string, keyId: string, data: Uint8Array }} Signature not verified: the signer that it claims
 * @typedef {{ text: string, hash: string, signatures: Signature[] }} Note well-formed, not verified; `hash` is of the
 *   text and does not depend on the signatures
 */

/**
 * Read `<name>+<hex key id>+base64(0x01 ‖ public key)`.
 *
 * @param {string} text
 * @returns {VerifierKey}
 */
export function parseVerifier(text) {
  const [, name, keyId, encoded] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? fail("not <name>+<key id>+<key>");
  checkName(name);
  decodeHex(keyId, KEY_ID_BYTES);
  const key = decodeBase64(encoded);
  if (key.length !== 1 + KEY_BYTES || key[0] !== ED25519) fail("not an Ed25519 key");
  const publicKey = key.subarray(1);
  if (encodeHex(keyIdOf(name, publicKey)) !== keyId) fail("the key id does not belong to the key");
  checkPublicKey(publicKey);
  return { name, keyId, publicKey };
}

/**
 * @param {Uint8Array} bytes
 * @returns {Note}
 */
export function parseNote(bytes) {
  if (bytes.length > NOTE_BYTES_MAX) throw new LimitError(`note of more than ${NOTE_BYTES_MAX} bytes`);
  const whole = decodeUtf8(bytes);
  if (CONTROL.test(whole)) fail("there is a control character");
  // The last empty line: a text may hold empty lines, and even lines that look like signatures.
  const end = whole.lastIndexOf("\n\n");
  const block = whole.slice(end + 2);
  if (end < 0 || !block.endsWith("\n")) fail("no signatures after an empty line");
  const text = whole.slice(0, end + 1);
  const lines = block.slice(0, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) throw new LimitError(`note of more than ${SIGNATURES_MAX} signatures`);
  const signatures = lines.map(readLine);
  if (new Set(signatures.map(keyOf)).size !== signatures.length) fail("two signatures by one key");
  return { text, hash: encodeHex(sha256(encodeUtf8(text))), signatures };
}

/**
 * Return those of the `known` keys that signed, at least one. Lines by other keys are ignored, whatever their names.
 * Not checked: that the right keys signed, or enough of them.
 *
 * @param {Note} note
 * @param {VerifierKey[]} known
 * @returns {VerifierKey[]}
 * @throws {AuthenticationError} when no known key signed, or a line by a known key does not verify
 */
export function verifyNote(note, known) {
  const keys = new Map(known.map((key) => [keyOf(key), key]));
  const message = encodeUtf8(note.text);
  const verified = note.signatures.flatMap((signature) => {
    const key = keys.get(keyOf(signature));
    if (!key) return [];
    checkSignature(key.publicKey, message, signature.data);
    return [key];
  });
  if (verified.length === 0) throw new AuthenticationError("not signed by a known key");
  return verified;
}

/**
 * Sign a text that ends in a line feed, with one key.
 *
 * @param {string} text
 * @param {string} name of the key
 * @param {Uint8Array} seed 32 bytes
 * @returns {string} the note
 */
export function signNote(text, name, seed) {
  checkName(name);
  const signature = sign(encodeUtf8(text), seed);
  const line = encodeBase64(concat(keyIdOf(name, publicKeyOf(seed)), signature));
  return `${text}\n${DASH}${name} ${line}\n`;
}

/**
 * The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key).
 *
 * @param {string} name
 * @param {Uint8Array} publicKey 32 bytes
 */
function keyIdOf(name, publicKey) {
  return sha256(concat(encodeUtf8(`${name}\n`), Uint8Array.of(ED25519), publicKey)).subarray(0, KEY_ID_BYTES);
}

/**
 * @param {string} line
 * @returns {Signature}
 */
function readLine(line) {
  const content = line.startsWith(DASH) ? line.slice(DASH.length) : "";
  const [, name, encoded] = /^([^ ]*) (.*)$/.exec(content) ?? fail("a malformed signature line");
  checkName(name);
  const data = decodeBase64(encoded);
  // Signatures of other types have other lengths: those lines are by unknown keys, to be ignored.
  if (data.length <= KEY_ID_BYTES) fail("a signature line is too short for a signature");
  return { name, keyId: encodeHex(data.subarray(0, KEY_ID_BYTES)), data: data.subarray(KEY_ID_BYTES) };
}

/** @param {string} name */
function checkName(name) {
  if ([...name].length > NAME_CHARACTERS_MAX) throw new LimitError("key name is too long");
  if (name === "" || /[+\u0085]|[^\S\ufeff]/.test(name) || CONTROL.test(name)) fail("a key name is malformed");
}

/** @param {{ name: string, keyId: string }} key */
function keyOf({ name, keyId }) {
  return `${name}+${keyId}`;
}

/**
 * @param {string} why
 * @returns {never}
 */
function fail(why) {
  throw new MalformedError(`note or key: ${why}`);
}
