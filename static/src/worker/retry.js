// SPDX-License-Identifier: AGPL-3.0-or-later
// Repeats a call until a temporary failure is over; the portal accepts it only once. docs/protocol.md §7.

import { DELAY_MS_MAX, Trouble } from "./request.js";

const DELAY_MS_MIN = 1_000;

/**
 * @typedef {object} Pauses
 * @property {(delay: number) => Promise<void>} sleep milliseconds; may end early when the network is back
 * @property {() => number} random from 0 to 1
 *
 * @typedef {{ onTrouble?: (kind: "offline" | "busy") => void, onCalm?: () => void }} TroubleReport
 */

export class Retry {
  #pauses;
  #report;
  /** @type {"offline" | "busy" | null} */
  #trouble = null;

  /**
   * @param {Pauses} pauses
   * @param {TroubleReport} report
   */
  constructor(pauses, report) {
    this.#pauses = pauses;
    this.#report = report;
  }

  /** The device has noticed that its network is gone before a request failed. */
  noteOffline() {
    this.#setTrouble("offline");
  }

  /**
   * Return the result of `attempt`, repeated while it fails with `Trouble`.
   *
   * @template T
   * @param {(isRepeat: boolean) => Promise<T>} attempt
   * @returns {Promise<T>}
   */
  async run(attempt) {
    for (let failures = 0; ; failures++) {
      try {
        const result = await attempt(failures > 0);
        this.#setTrouble(null);
        return result;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        this.#setTrouble(error.kind);
        await this.#pauses.sleep(Math.max(error.delay, this.#delay(failures)));
      }
    }
  }

  /**
   * Exponential backoff, with jitter so that clients that were cut off together do not return together.
   *
   * @param {number} failures
   */
  #delay(failures) {
    const ceiling = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** failures);
    return ceiling * (0.5 + this.#pauses.random() / 2);
  }

  /** @param {"offline" | "busy" | null} kind */
  #setTrouble(kind) {
    if (kind === this.#trouble) return;
    this.#trouble = kind;
    if (kind) this.#report.onTrouble?.(kind);
    else this.#report.onCalm?.();
  }
}
