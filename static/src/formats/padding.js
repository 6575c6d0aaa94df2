// SPDX-License-Identifier: AGPL-3.0-or-later
// Padmé sizes and padded documents: sealed lengths tell little. docs/protocol.md §1.1, §5.2.

import { LimitError, MalformedError } from "./errors.js";

export const REPORT_FLOOR = 16_384;
export const ATTACHMENT_FLOOR = 16_384;
export const MESSAGE_FLOOR = 4_096;
// These have one size, so that neither tells what is in them.
export const STATE_BYTES = 16_384;
export const THREAD_NOTE_BYTES = 16_384;
export const URGENCY_BYTES = 256;
const LENGTH_BYTES = 4;

/**
 * Return the Padmé size for `size` bytes: low bits zero, overhead under 12 % (Nikitin et al., PETS 2019).
 *
 * @param {number} size under 2³²
 */
export function padme(size) {
  if (size < 2) return size;
  if (size >= 2 ** 32) throw new LimitError("the content is too large to pad");
  const exponent = 31 - Math.clz32(size);
  const lowBits = exponent - (32 - Math.clz32(exponent));
  // Multiplied, not shifted: shifts are limited to 31 bits.
  const step = 2 ** lowBits;
  return Math.ceil(size / step) * step;
}

/** @param {number} size bytes of a file */
export function paddedAttachmentSize(size) {
  return padme(Math.max(size, ATTACHMENT_FLOOR));
}

/**
 * How many bytes of content a padded document of exactly `size` bytes holds.
 *
 * @param {number} size bytes
 */
export function contentMax(size) {
  return size - LENGTH_BYTES;
}

/**
 * Length prefix, content, zero bytes.
 *
 * @param {Uint8Array} content
 * @param {number} floor bytes
 */
export function padDocument(content, floor) {
  const padded = new Uint8Array(padme(Math.max(LENGTH_BYTES + content.length, floor)));
  new DataView(padded.buffer).setUint32(0, content.length);
  padded.set(content, LENGTH_BYTES);
  return padded;
}

/**
 * @param {Uint8Array} padded
 * @param {number} floor bytes
 * @param {number} max bytes of the content
 * @returns {Uint8Array} the content, a view of `padded`
 */
export function unpadDocument(padded, floor, max) {
  const content = unpad(padded, max);
  if (padded.length !== padme(Math.max(LENGTH_BYTES + content.length, floor))) {
    throw new MalformedError("the padded document has the wrong size for its content");
  }
  return content;
}

/**
 * Return the content after a length prefix, if only zero bytes follow it.
 *
 * @param {Uint8Array} padded
 * @param {number} max bytes of the content
 */
export function unpad(padded, max) {
  if (padded.length < LENGTH_BYTES) throw new MalformedError("padded document is truncated");
  const size = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  if (size > max) throw new LimitError(`document of ${size} bytes, the limit is ${max}`);
  if (padded.length < LENGTH_BYTES + size) throw new MalformedError("padded document is truncated");
  if (padded.subarray(LENGTH_BYTES + size).some((byte) => byte !== 0)) throw new MalformedError("padding is not zero");
  return padded.subarray(LENGTH_BYTES, LENGTH_BYTES + size);
}
