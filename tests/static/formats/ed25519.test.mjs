// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { ed25519 } from "../../../static/node_modules/@noble/curves/ed25519.js";
import { checkPublicKey, checkSignature } from "../../../static/src/formats/ed25519.js";
import { AuthenticationError, MalformedError } from "../../../static/src/formats/errors.js";
import { testByChance } from "../chance.mjs";
import { loadVectors, testVectors } from "../vectors.mjs";

const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

testVectors("ed25519", "verify", ({ public: publicKey, message, signature }) => {
  checkPublicKey(bytes(publicKey));
  checkSignature(bytes(publicKey), bytes(message), bytes(signature));
  return true;
});

test("the library alone would take some of the signatures that are refused", () => {
  const taken = loadVectors("ed25519", "verify").filter(({ input, error }) => {
    const { public: publicKey, message, signature } = input;
    if (!error || publicKey.length !== 64 || signature.length !== 128) return false;
    return ed25519.verify(bytes(signature), bytes(message), bytes(publicKey), { zip215: false });
  });
  assert.ok(taken.length > 10, `${taken.length} taken`);
});

testByChance("a signature is taken as it was made, and with nothing added or altered", (fill) => {
  const seed = fill(new Uint8Array(32));
  const publicKey = ed25519.getPublicKey(seed);
  const torsion = ed25519.Point.fromBytes(bytes("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), false);
  checkPublicKey(publicKey);
  for (let round = 0; round < 20; round += 1) {
    const message = fill(new Uint8Array(round * 7));
    const signature = ed25519.sign(message, seed);
    checkSignature(publicKey, message, signature);
    const [place, part] = fill(new Uint8Array(2));
    const flipped = signature.map((byte, index) => (index === place % 64 ? byte ^ (1 << (part % 8)) : byte));
    const R = ed25519.Point.fromBytes(signature.subarray(0, 32), false);
    const mixed = R.add(torsion.multiplyUnsafe(BigInt(1 + (part % 7)))).toBytes();
    for (const altered of [flipped, new Uint8Array([...mixed, ...signature.subarray(32)])]) {
      assert.throws(() => checkSignature(publicKey, message, altered), AuthenticationError);
    }
    const key = ed25519.Point.fromBytes(publicKey, false).add(torsion.multiplyUnsafe(BigInt(1 + (part % 7)))).toBytes();
    assert.throws(() => checkPublicKey(key), MalformedError);
  }
});
