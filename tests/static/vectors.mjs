// SPDX-License-Identifier: AGPL-3.0-or-later
// The test vectors of tests/vectors, the same files that the tests in Python read: see tests/vectors/README.md.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const FOLDER = new URL("../vectors/", import.meta.url);

/** The vectors of one operation of `<name>.json`. */
export function loadVectors(name, operation) {
  const vectors = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8")).vectors;
  const chosen = vectors.filter((vector) => vector.operation === operation);
  assert.ok(chosen.length > 0, `no vectors for ${operation} in ${name}.json`);
  return chosen;
}

/** The bytes of a list of parts: `text`, `hex` or `file`, once or as many `times` as it says. */
export function joinParts(parts) {
  const pieces = parts.map((part) => Buffer.concat(Array(part.times ?? 1).fill(readPart(part))));
  return new Uint8Array(Buffer.concat(pieces));
}

function readPart({ text, hex, file, replace }) {
  if (hex !== undefined) return Buffer.from(hex, "hex");
  if (text !== undefined) return Buffer.from(text, "utf8");
  const data = readFileSync(new URL(file, FOLDER));
  return replace ? Buffer.from(replaceOnce(data.toString("utf8"), replace), "utf8") : data;
}

/** The text in which the first of each pair, which occurs once, became the second. */
export function replaceOnce(text, pairs) {
  for (const [from, to] of pairs) {
    assert.equal(text.split(from).length, 2, `${from} occurs once`);
    text = text.split(from).join(to);
  }
  return text;
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
