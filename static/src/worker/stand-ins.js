// SPDX-License-Identifier: AGPL-3.0-or-later
// What the packages use and the oldest browsers lack (docs/adr/0024), as far as the packages use it.

/** Put it in the place of what is missing. Nothing that a browser has is replaced. */
export function standIn() {
  standInForStreams();
  standInForNumbers();
}

/** Firefox before 102 and Safari before 14.1 have no TransformStream. A browser that has none can't pipe through another's. */
function standInForStreams() {
  if (globalThis.TransformStream) return;
  const scope = /** @type {any} */ (globalThis);
  scope.TransformStream = class {
    /** @param {Transformer} steps */
    constructor(steps) {
      this.steps = steps;
    }
  };
  scope.ReadableStream.prototype.pipeThrough = pipeThrough;
}

/**
 * @this {ReadableStream}
 * @param {{ steps: Transformer }} through
 */
function pipeThrough(through) {
  const { steps } = through;
  const reader = this.getReader();
  return new ReadableStream({
    start: (/** @type {any} */ controller) => steps.start?.(controller),
    async pull(/** @type {any} */ controller) {
      let given = false;
      const output = /** @type {any} */ ({
        enqueue(/** @type {unknown} */ chunk) {
          given = true;
          controller.enqueue(chunk);
        },
      });
      // After a pull that gave nothing there would be no other one.
      while (!given) {
        const { done, value } = await reader.read();
        if (done) {
          steps.flush?.(output);
          return controller.close();
        }
        if (steps.transform) steps.transform(value, output);
        else output.enqueue(value);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** Safari before 15 has big integers, but writes none into bytes. Hashes do, for lengths. */
function standInForNumbers() {
  const views = /** @type {any} */ (DataView.prototype);
  views.setBigUint64 ??= function (/** @type {number} */ at, /** @type {bigint} */ value, little = false) {
    this.setUint32(little ? at + 4 : at, Number(value >> BigInt(32)), little);
    this.setUint32(little ? at : at + 4, Number(value & BigInt(0xffffffff)), little);
  };
}
