// SPDX-License-Identifier: AGPL-3.0-or-later
// The test vectors of tests/vectors, the same files that the tests in Python read: see tests/vectors/README.md.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** The vectors of one operation of `<name>.json`. */
export function loadVectors(name, operation) {
  const file = new URL(`../vectors/${name}.json`, import.meta.url);
  const vectors = JSON.parse(readFileSync(file, "utf8")).vectors.filter((vector) => vector.operation === operation);
  assert.ok(vectors.length > 0, `no vectors for ${operation} in ${name}.json`);
  return vectors;
}

/** The bytes that a list of parts stands for: `text` in UTF-8, `hex` or a `file`, as the README of the vectors says. */
export function joinParts(parts) {
  return new Uint8Array(Buffer.concat(parts.flatMap((part) => Array(part.times ?? 1).fill(onePart(part)))));
}

function onePart({ text, hex, file, replace = [] }) {
  if (file === undefined) return text === undefined ? Buffer.from(hex, "hex") : Buffer.from(text, "utf8");
  const content = readFileSync(new URL(`../vectors/${file}`, import.meta.url));
  if (replace.length === 0) return content;
  let edited = content.toString("utf8");
  for (const [from, to] of replace) {
    assert.equal(edited.split(from).length, 2, `${from} occurs once`);
    edited = edited.split(from).join(to);
  }
  return Buffer.from(edited, "utf8");
}

/**
 * One test a vector: `run` gives what must equal `value`, as `read` understands it, or throws an error of the class that
 * `error` names.
 */
export function testVectors(name, operation, run, read = (value) => value) {
  for (const vector of loadVectors(name, operation)) {
    test(`${name}, ${operation}: ${vector.name}`, async () => {
      if (vector.error === undefined) {
        assert.deepEqual(await run(vector.input), read(vector.value));
        return;
      }
      await assert.rejects(
        async () => run(vector.input),
        (error) => {
          assert.equal(error.name, vector.error, String(error.stack));
          return true;
        },
      );
    });
  }
}
