// SPDX-License-Identifier: AGPL-3.0-or-later
// Repeats a call until a temporary failure is over; the portal accepts it only once. docs/protocol.md §7.

import { DELAY_MS_MAX, Trouble } from "./request.js";

const DELAY_MS_MIN = 1_000;
// About a minute of a busy portal, or so many works that were not enough.
const LONG_AFTER = 5;

/**
 * @typedef {object} Pauses
 * @property {(delay: number) => Promise<void>} sleep milliseconds; may end early when the network is back
 * @property {() => number} random from 0 to 1
 *
 * @typedef {import("../formats/worker-calls.js").TroubleKind} TroubleKind
 * @typedef {NonNullable<import("../formats/worker-calls.js").Progress["onTrouble"]>} OnTrouble
 */

export class Retry {
  #pauses;
  #onTrouble;
  /** @type {TroubleKind | null} */
  #trouble = null;

  /**
   * @param {Pauses} pauses
   * @param {OnTrouble} [onTrouble]
   */
  constructor(pauses, onTrouble) {
    this.#pauses = pauses;
    this.#onTrouble = onTrouble;
  }

  /**
   * Tell why it takes longer, although no request has failed.
   *
   * @param {TroubleKind | null} kind
   * @param {number} [share] of the work that is done, from 0 to 1
   * @param {number} [failures] before: after many it takes long, whatever it is busy with
   */
  note(kind, share, failures = 0) {
    if (failures >= LONG_AFTER && (kind === "busy" || kind === "work")) [kind, share] = ["long", undefined];
    // Trouble is told each time: a page that hid its words, for another call, shows them again.
    if (kind || this.#trouble) this.#onTrouble?.(kind, share);
    this.#trouble = kind;
  }

  /** Bytes move: what was said of the line is over. */
  moved() {
    if (this.#trouble === "still" || this.#trouble === "offline") this.note(null);
  }

  /**
   * Return the result of `attempt`, repeated while it fails with `Trouble`.
   *
   * @template T
   * @param {(failures: number) => Promise<T>} attempt
   * @returns {Promise<T>}
   */
  async run(attempt) {
    for (let failures = 0; ; failures++) {
      try {
        const result = await attempt(failures);
        this.note(null);
        return result;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        this.note(error.kind, undefined, failures);
        await this.#pauses.sleep(this.#delay(failures, error.delay));
      }
    }
  }

  /**
   * Exponential backoff, not shorter than what the portal asks for, with jitter so that clients that were cut off
   * together do not return together.
   *
   * @param {number} failures
   * @param {number} asked milliseconds
   */
  #delay(failures, asked) {
    const jitter = this.#pauses.random() / 2;
    const ceiling = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** failures);
    return Math.max(asked * (1 + jitter), ceiling * (0.5 + jitter));
  }
}
