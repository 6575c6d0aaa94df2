// SPDX-License-Identifier: AGPL-3.0-or-later
// Reads a file piece by piece, with at most one window of it in memory.

const SLICE_BYTES = 256 * 1024;

/** Reads a file at any offset through a window, so that small steps need few reads. */
export class SlidingWindow {
  #blob;
  #start = 0;
  #bytes = new Uint8Array(0);

  /** @param {Blob} blob */
  constructor(blob) {
    this.#blob = blob;
  }

  /** In bytes. */
  get size() {
    return this.#blob.size;
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

/** @param {Uint8Array} bytes @returns {string} a character for each byte */
export function latin(bytes) {
  return String.fromCharCode(...bytes);
}
