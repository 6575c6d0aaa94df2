// SPDX-License-Identifier: AGPL-3.0-or-later
// Take place, time, device and comments out of JPEG and PNG files without touching a pixel.
//
// What is kept is named; everything else goes, known or not, and so does what stands after the end of the picture
// (previews, clips, trailers of makers). Pieces of the original are referred to, not copied: memory stays small.

import { stripJpeg } from "./strip-jpeg.js";
import { stripPng } from "./strip-png.js";

const SLICE_BYTES = 256 * 1024;

/** Reads a file at any place through a window, so that small steps cost few reads. */
export class Window {
  #blob;
  #start = 0;
  #bytes = new Uint8Array(0);

  /** @param {Blob} blob */
  constructor(blob) {
    this.#blob = blob;
  }

  /**
   * @param {number} at
   * @param {number} size at most 256 KiB
   * @returns {Promise<Uint8Array>} fewer bytes at the end of the file
   */
  async read(at, size) {
    if (at < this.#start || at + size > this.#start + this.#bytes.length) {
      this.#start = at;
      this.#bytes = new Uint8Array(await this.#blob.slice(at, at + SLICE_BYTES).arrayBuffer());
    }
    return this.#bytes.subarray(at - this.#start, at - this.#start + size);
  }
}

/**
 * A copy without metadata. What is not a whole JPEG or PNG is given back as it is, with `stripped` false.
 *
 * @param {Blob} blob
 * @param {string} type media type of the result
 * @returns {Promise<{ blob: Blob, stripped: boolean }>}
 */
export async function stripMetadata(blob, type) {
  const window = new Window(blob);
  const pieces = (await stripJpeg(window)) ?? (await stripPng(window));
  if (!pieces) return { blob, stripped: false };
  const parts = pieces.map((piece) => (piece instanceof Uint8Array ? piece : blob.slice(piece.from, piece.until)));
  return { blob: new Blob(parts, { type }), stripped: true };
}
