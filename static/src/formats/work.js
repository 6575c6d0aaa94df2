// SPDX-License-Identifier: AGPL-3.0-or-later
// The work that a portal under pressure asks of strangers. docs/protocol.md §7.4.

import { sha256 } from "@noble/hashes/sha2.js";
import { Fields } from "./document.js";
import { ID_BYTES, concat, decodeHex, encodeBase64, encodeUtf8, label } from "./encoding.js";
import { randomBytes } from "./random.js";

const SEARCHES = 16;
const BITS_MAX = 17;

/** @typedef {{ challenge: Uint8Array, bits: number }} AskedWork `bits` is from 1 to 17 */

/**
 * @param {any} answer to `GET work`, or one that asks for it
 * @returns {AskedWork | null} null when nothing is asked
 * @throws {Error} of any class for what is no such answer
 */
export function readAskedWork({ work }) {
  if (work === null) return null;
  const fields = new Fields(work);
  return { challenge: decodeHex(fields.text("challenge"), ID_BYTES), bits: fields.integer("bits", 1, BITS_MAX) };
}

/**
 * Takes 16 · 2^bits hashes on average: seconds in which the thread does nothing else.
 *
 * @param {AskedWork} asked
 * @param {string} path of the request behind /api/v1/
 * @param {Uint8Array} digest SHA-256 of its body
 * @param {import("./random.js").Fill} fill
 * @param {(share: number) => void} onProgress how much is done, from 0 to 1
 * @returns {string} value of the header Amparo-Work
 */
export function doWork({ challenge, bits }, path, digest, fill, onProgress) {
  const salt = randomBytes(ID_BYTES, fill);
  const seeded = sha256.create().update(sha256(concat(label("work"), challenge, salt, digest, encodeUtf8(path))));
  const nonces = [];
  for (let search = 0; search < SEARCHES; search++) {
    onProgress(search / SEARCHES);
    nonces.push(find(seeded, search, bits));
  }
  return encodeBase64(concat(challenge, salt, ...nonces));
}

/**
 * The least number whose hash begins with so many zero bits, as bytes. Nothing is made anew for a try, which halves the
 * time.
 *
 * @param {ReturnType<typeof sha256.create>} seeded
 * @param {number} search
 * @param {number} bits
 */
function find(seeded, search, bits) {
  const hash = sha256.create();
  const digest = new Uint8Array(hash.outputLen);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, search);
  for (let nonce = 0; ; nonce++) {
    view.setUint32(4, nonce);
    seeded._cloneInto(hash).update(bytes).digestInto(digest);
    if (((digest[0] << 16) | (digest[1] << 8) | digest[2]) >> (24 - bits) === 0) return bytes.slice(4);
  }
}
