// SPDX-License-Identifier: AGPL-3.0-or-later
// The upload of a sealed file: cut into parts, which are sent while the rest is being sealed. docs/protocol.md §7.1.

export const PART_BYTES = 4 * 1024 * 1024;
const PARTS_IN_FLIGHT_MAX = 2;

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

  /**
   * @param {Portal} portal
   * @param {string} submission
   * @param {(sent: number) => void} onSent sealed bytes that the portal holds, of all files
   */
  constructor(portal, submission, onSent) {
    this.#portal = portal;
    this.#submission = submission;
    this.#onSent = onSent;
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
    let part = new Uint8Array(PART_BYTES);
    let used = 0;
    let index = 0;
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      onChunk(step.value);
      for (let chunk = step.value; chunk.length > 0; ) {
        const taken = chunk.subarray(0, PART_BYTES - used);
        part.set(taken, used);
        used += taken.length;
        chunk = chunk.subarray(taken.length);
        if (used < PART_BYTES) continue;
        await this.#upload(file, index++, part);
        part = new Uint8Array(PART_BYTES);
        used = 0;
      }
    }
    if (used > 0) await this.#upload(file, index, part.slice(0, used));
  }

  /** Wait until all parts are stored. */
  async finish() {
    while (this.#pending.size > 0) await Promise.race(this.#pending);
  }

  /**
   * @param {string} file
   * @param {number} index
   * @param {Bytes} part
   */
  async #upload(file, index, part) {
    while (this.#pending.size >= PARTS_IN_FLIGHT_MAX) await Promise.race(this.#pending);
    const upload = this.#portal.putPart(this.#submission, file, index, part).then(() => {
      this.#pending.delete(upload);
      this.#sent += part.length;
      this.#onSent(this.#sent);
    });
    this.#pending.add(upload);
    // A failed upload stays pending, so that the next wait throws its error.
    upload.catch(() => {});
  }
}
