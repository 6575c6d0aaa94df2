// SPDX-License-Identifier: AGPL-3.0-or-later
// Whether anything moves between the device and the portal: told within seconds, and given up only after long.
//
// A request whose bytes move is never broken off, however long it takes. What moves is told by worker/upload.js for what
// goes, and by formats/body.js for what comes.

export const STILL_MS = 10_000;
export const SILENCE_MS = 90_000;

/** Watches all requests of a device. */
export class Line {
  #onStill;
  #onMove;
  #open = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {() => void} onStill nothing has moved for STILL_MS, although something is asked
   * @param {() => void} onMove
   */
  constructor(onStill, onMove) {
    this.#onStill = onStill;
    this.#onMove = onMove;
  }

  /**
   * Watch a request.
   *
   * @param {() => void} giveUp called when nothing of it has moved for so long
   * @param {number} silence milliseconds
   */
  watch(giveUp, silence) {
    let timer = setTimeout(giveUp, silence);
    this.#open++;
    this.#wait();
    return {
      move: () => {
        clearTimeout(timer);
        timer = setTimeout(giveUp, silence);
        this.#onMove();
        this.#wait();
      },
      end: () => {
        clearTimeout(timer);
        this.#open--;
        this.#wait();
      },
    };
  }

  #wait() {
    clearTimeout(this.#timer);
    if (this.#open > 0) this.#timer = setTimeout(this.#onStill, STILL_MS);
  }
}
