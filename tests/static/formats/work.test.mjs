// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHex, encodeHex } from "../../../static/src/formats/encoding.js";
import { doWork, readAskedWork } from "../../../static/src/formats/work.js";
import { joinParts, loadVectors, testVectors } from "../vectors.mjs";

const withSalt = (salt) => (bytes) => {
  bytes.set(decodeHex(salt, bytes.length));
  return bytes;
};

testVectors("work", "do", ({ challenge, bits, salt, path, digest }) =>
  doWork({ challenge: decodeHex(challenge, 16), bits }, path, decodeHex(digest, 32), withSalt(salt), () => {}),
);

test("what it has done so far is told sixteen times", () => {
  const told = [];
  const asked = { challenge: new Uint8Array(16), bits: 1 };
  doWork(asked, "submissions", new Uint8Array(32), withSalt("00".repeat(16)), (share) => told.push(share));
  assert.deepEqual(told, Array.from({ length: 16 }, (_, done) => done / 16));
});

for (const { name, input, value, error } of loadVectors("work", "read-asked")) {
  // Whoever asks the portal takes an error of any class for what is no answer of it.
  test(`work, read-asked: ${name}`, () => {
    const read = () => readAskedWork(JSON.parse(Buffer.from(joinParts(input.bytes))));
    if (error) return void assert.throws(read);
    const asked = read();
    assert.deepEqual(asked && { challenge: encodeHex(asked.challenge), bits: asked.bits }, value);
  });
}
