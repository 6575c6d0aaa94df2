// SPDX-License-Identifier: AGPL-3.0-or-later
// Signed notes: text, an empty line, Ed25519 signature lines (c2sp.org/signed-note). docs/protocol.md §4.1.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, decodeBase64, decodeHex, decodeUtf8, encodeHex, encodeUtf8 } from "./encoding.js";
import { AuthenticationError, LimitError, MalformedError, UnsupportedVersionError } from "./errors.js";

export const NOTE_BYTES_MAX = 1 << 20;
const SIGNATURES_MAX = 64;
const NAME_CHARACTERS_MAX = 255;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const ED25519 = 1;
const DASH = "— ";
// Of all control characters only the line feed may stand in a note.
const CONTROL = /[\x00-\x09\x0b-\x1f]/; // eslint-disable-line no-control-regex

/**
 * @typedef {{ name: string, keyId: string, publicKey: Uint8Array }} VerifierKey `keyId` is 8 hexadecimal digits
 * @typedef {{ name: string, keyId: string, data: Uint8Array }} Signature by whom it says it is; nobody has checked
 * @typedef {{ text: string, hash: string, signatures: Signature[] }} Note well-formed and not yet verified; `hash` is of
 *   the text, so that adding a signature does not change it
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
  const due = sha256(concat(encodeUtf8(`${name}\n`), key)).subarray(0, KEY_ID_BYTES);
  if (encodeHex(due) !== keyId) fail("the key id does not belong to the key");
  const publicKey = key.subarray(1);
  checkPoint(publicKey);
  return { name, keyId, publicKey };
}

/**
 * @param {Uint8Array} bytes
 * @returns {Note}
 */
export function parseNote(bytes) {
  if (bytes.length > NOTE_BYTES_MAX) throw new LimitError(`note of more than ${NOTE_BYTES_MAX} bytes`);
  const whole = decodeUtf8(bytes);
  if (CONTROL.test(whole)) fail("a control character");
  // At the last empty line, so that a text may hold empty lines and even lines that look like signatures.
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
 * Those of the `known` keys that signed, at least one. Lines by other keys are ignored, whoever they claim to be by.
 * That the right keys signed, or enough of them, is for the caller to see.
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
    if (!isSignature(signature.data, message, key.publicKey)) throw new AuthenticationError("a signature is wrong");
    return [key];
  });
  if (verified.length === 0) throw new AuthenticationError("not signed by a known key");
  return verified;
}

/**
 * The lines of a text that is one of our own, after its heading `amparo <name> v1`.
 *
 * @param {string} text
 * @param {string} name
 * @param {number} count of lines, the heading among them
 */
export function readLines(text, name, count) {
  const [heading, ...lines] = text.split("\n");
  const start = `amparo ${name} v`;
  if (heading.startsWith(start) && heading !== `${start}1`) throw new UnsupportedVersionError("a note of another version");
  // The text ends in a line feed, after which nothing follows.
  if (heading !== `${start}1` || lines.length !== count) fail("another text than the one due");
  return lines;
}

/**
 * @param {string} line
 * @returns {Signature}
 */
function readLine(line) {
  const [, name, encoded] = /^([^ ]*) (.*)$/.exec(line.startsWith(DASH) ? line.slice(DASH.length) : "") ?? fail("a line");
  checkName(name);
  const data = decodeBase64(encoded);
  // Signatures of other types are of other lengths: those lines are by unknown keys, to be ignored.
  if (data.length <= KEY_ID_BYTES) fail("a line without a signature");
  return { name, keyId: encodeHex(data.subarray(0, KEY_ID_BYTES)), data: data.subarray(KEY_ID_BYTES) };
}

/** @param {string} name */
function checkName(name) {
  if ([...name].length > NAME_CHARACTERS_MAX) throw new LimitError("key name is too long");
  if (name === "" || /[+\u0085]|[^\S\ufeff]/.test(name) || CONTROL.test(name)) fail("a key name");
}

/**
 * Points outside the main subgroup verify differently from one implementation to another.
 *
 * @param {Uint8Array} publicKey
 */
function checkPoint(publicKey) {
  let point;
  try {
    point = ed25519.Point.fromBytes(publicKey, false);
  } catch {
    fail("not a point of the curve");
  }
  if (point.isSmallOrder() || !point.isTorsionFree()) fail("not a point of the main subgroup");
}

/**
 * @param {Uint8Array} signature
 * @param {Uint8Array} message
 * @param {Uint8Array} publicKey
 */
function isSignature(signature, message, publicKey) {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
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
