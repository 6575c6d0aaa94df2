// SPDX-License-Identifier: AGPL-3.0-or-later
// Tests with random inputs that can be had again: TEST_SEED=… repeats a run.

import { randomInt } from "node:crypto";
import { test } from "node:test";

const SEED = Number(process.env.TEST_SEED ?? randomInt(2 ** 32));

/** A test that gets a function filling arrays with bytes, and that names the seed of these bytes when it fails. */
export function testByChance(name, run) {
  test(name, async () => {
    try {
      await run(fillFrom(SEED));
    } catch (error) {
      throw new Error(`with TEST_SEED=${SEED}: ${error.message}`, { cause: error });
    }
  });
}

/** Mulberry32: bytes for tests, the same for the same seed. */
function fillFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) & 0xff;
  };
  return (bytes) => bytes.map((_, index) => (bytes[index] = next()));
}
