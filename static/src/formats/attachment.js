// SPDX-License-Identifier: AGPL-3.0-or-later
// Attachments: a report's entry for a file, and its padded plaintext. docs/protocol.md §5.2.

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, encodeHex, label } from "./encoding.js";
import { MalformedError } from "./errors.js";
import { paddedAttachmentSize } from "./padding.js";

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;
const SLICE_BYTES = 256 * 1024;
const ZEROS_BYTES = 65_536;

/**
 * @typedef {object} Attachment an entry of a report; `sha256` is that of the file, `sealed_sha256` of the sealed file
 * @property {string} file
 * @property {string} name
 * @property {string} media_type
 * @property {number} size
 * @property {string} sha256
 * @property {string} salt
 * @property {string} commitment
 * @property {string} sealed_sha256
 * @property {boolean} stripped
 */

/**
 * SHA-256(label("attachment") ‖ salt ‖ SHA-256 of the file), in hex.
 *
 * @param {Uint8Array} salt 32 bytes
 * @param {Uint8Array} hash 32 bytes
 */
export function attachmentCommitment(salt, hash) {
  return encodeHex(sha256(concat(label("attachment"), salt, hash)));
}

/** @param {string} type as the browser reports it, possibly empty */
export function cleanMediaType(type) {
  const lower = type.split(";")[0].trim().toLowerCase();
  return MEDIA_TYPE.test(lower) ? lower : "application/octet-stream";
}

/**
 * The file, then its zero bytes, read on demand. `hash` is complete when the stream has ended.
 *
 * @param {Blob} blob
 * @param {(done: number) => void} onRead bytes read so far, padding included
 */
export function padBlob(blob, onRead) {
  const hash = sha256.create();
  const padded = paddedAttachmentSize(blob.size);
  let done = 0;
  /** @type {ReadableStream<Uint8Array>} */
  const stream = new ReadableStream({
    async pull(controller) {
      const left = blob.size - done;
      const chunk = left > 0 ? await readSlice(blob, done) : new Uint8Array(Math.min(ZEROS_BYTES, padded - done));
      // A file that changes on disk while it is read ends early.
      if (left > 0 && chunk.length !== Math.min(left, SLICE_BYTES)) throw new MalformedError("a file has changed");
      if (left > 0) hash.update(chunk);
      done += chunk.length;
      controller.enqueue(chunk);
      onRead(done);
      if (done === padded) controller.close();
    },
  });
  return { stream, hash, padded };
}

/**
 * By slices, as Safari before 14.1 gives no stream of a file.
 *
 * @param {Blob} blob
 * @param {number} from
 */
async function readSlice(blob, from) {
  return new Uint8Array(await blob.slice(from, from + SLICE_BYTES).arrayBuffer());
}
