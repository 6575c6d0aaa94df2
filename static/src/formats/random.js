// SPDX-License-Identifier: AGPL-3.0-or-later
// Randomness from the browser's generator, unless a test passes another.

/** @typedef {(bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>} Fill fills an array with random bytes */

/** @type {Fill} */
export const systemRandom = (bytes) => globalThis.crypto.getRandomValues(bytes);

/**
 * @param {number} size
 * @param {Fill} fill
 */
export function randomBytes(size, fill) {
  return fill(new Uint8Array(size));
}

/**
 * Return a copy in random order (Fisher and Yates), every order equally likely.
 *
 * @template T
 * @param {T[]} items
 * @param {Fill} fill
 */
export function shuffle(items, fill) {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const chosen = randomBelow(last + 1, fill);
    [shuffled[last], shuffled[chosen]] = [shuffled[chosen], shuffled[last]];
  }
  return shuffled;
}

/**
 * @param {number} limit at most 256
 * @param {Fill} fill
 */
function randomBelow(limit, fill) {
  // Values of the last, incomplete round would make small numbers more likely.
  const fair = 256 - (256 % limit);
  for (;;) {
    const [value] = fill(new Uint8Array(1));
    if (value < fair) return value % limit;
  }
}
