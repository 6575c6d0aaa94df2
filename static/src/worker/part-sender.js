// SPDX-License-Identifier: AGPL-3.0-or-later
// The upload of a sealed file: cut into parts, which are sent while the rest is being sealed. docs/protocol.md §7.1.

import { BLOCK_BYTES } from "./portal.js";

export const PART_BYTES = 4 * 1024 * 1024;
const PARTS_IN_FLIGHT_MAX = 2;
// The next part is twice as large, or half, when one was there sooner or later than this: a cut costs seconds, and a fast
// line has few requests.
const FAST_MS = 4_000;
const SLOW_MS = 16_000;

/**
 * @typedef {import("../formats/encoding.js").Bytes} Bytes
 * @typedef {import("./portal.js").Portal} Portal
 */

/** Cuts sealed files into parts and sends them, two at a time. */
export class PartSender {
  #portal;
  #submission;
  #onSent;
  /** @type {Set<Promise<void>>} */
  #pending = new Set();
  #sent = 0;
  #size = BLOCK_BYTES;
  #now;

  /**
   * @param {Portal} portal
   * @param {string} submission
   * @param {(sent: number) => void} onSent sealed bytes that the portal holds, of all files
   * @param {() => number} [now] milliseconds
   */
  constructor(portal, submission, onSent, now = () => performance.now()) {
    this.#portal = portal;
    this.#submission = submission;
    this.#onSent = onSent;
    this.#now = now;
  }

  /**
   * Send a file while it is being sealed. At most three parts are in memory.
   *
   * @param {string} file
   * @param {ReadableStream<Uint8Array>} sealed
   * @param {(chunk: Uint8Array) => void} onChunk
   */
  async send(file, sealed, onChunk) {
    const reader = sealed.getReader();
    let part = new Uint8Array(this.#size);
    let used = 0;
    let block = 0;
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      onChunk(step.value);
      for (let chunk = step.value; chunk.length > 0; ) {
        const taken = chunk.subarray(0, part.length - used);
        part.set(taken, used);
        used += taken.length;
        chunk = chunk.subarray(taken.length);
        if (used < part.length) continue;
        await this.#upload(file, block, part);
        block += part.length / BLOCK_BYTES;
        part = new Uint8Array(this.#size);
        used = 0;
      }
    }
    if (used > 0) await this.#upload(file, block, part.slice(0, used));
  }

  /** Wait until all parts are stored. */
  async finish() {
    while (this.#pending.size > 0) await Promise.race(this.#pending);
  }

  /**
   * @param {string} file
   * @param {number} block
   * @param {Bytes} part
   */
  async #upload(file, block, part) {
    while (this.#pending.size >= PARTS_IN_FLIGHT_MAX) await Promise.race(this.#pending);
    const began = this.#now();
    const upload = this.#portal.putPart(this.#submission, file, block, part).then(() => {
      this.#pending.delete(upload);
      this.#fit(part.length, this.#now() - began);
      this.#sent += part.length;
      this.#onSent(this.#sent);
    });
    this.#pending.add(upload);
    // A failed upload stays pending, so that the next wait throws its error.
    upload.catch(() => {});
  }

  /**
   * @param {number} size of a part that has arrived
   * @param {number} took milliseconds
   */
  #fit(size, took) {
    if (took < FAST_MS) this.#size = Math.min(PART_BYTES, Math.max(this.#size, 2 * size));
    else if (took > SLOW_MS && !this.#portal.isPressed) this.#size = Math.max(BLOCK_BYTES, Math.min(this.#size, size / 2));
    this.#size -= this.#size % BLOCK_BYTES;
  }
}
