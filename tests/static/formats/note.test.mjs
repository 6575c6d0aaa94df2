// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHex } from "../../../static/src/formats/encoding.js";
import { parseNote, parseVerifier, verifyNote } from "../../../static/src/formats/note.js";
import { joinParts, loadVectors, testVectors } from "../vectors.mjs";

testVectors("note", "parse-key", ({ text }) => {
  const { name, keyId, publicKey } = parseVerifier(text);
  return { name, key_id: keyId, public: encodeHex(publicKey) };
});

testVectors("note", "verify", ({ note, keys }) => {
  const parsed = parseNote(joinParts(note));
  const signers = verifyNote(parsed, keys.map(parseVerifier)).map(({ name }) => name);
  return { text: parsed.text, signers, hash: parsed.hash };
});

for (const { name, input, value, error } of loadVectors("note", "sign")) {
  // Nothing is signed on a reporter's device; what Python signs must be read here.
  if (error) continue;
  test(`note, sign: ${name}`, () => {
    const note = parseNote(Buffer.from(value));
    assert.equal(note.text, input.text);
    assert.deepEqual(
      note.signatures.map((signature) => signature.name),
      input.keys.map((key) => key.name),
    );
  });
}
