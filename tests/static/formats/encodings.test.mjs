// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJson, encodeJson } from "../../../static/src/formats/canonical-json.js";
import { decodeBase64, decodeHex, encodeBase64, encodeHex, parseDay } from "../../../static/src/formats/encoding.js";
import { MalformedError } from "../../../static/src/formats/errors.js";
import { padDocument, paddedAttachmentSize, padme, unpadDocument } from "../../../static/src/formats/padding.js";
import { joinParts, loadVectors, testVectors } from "../vectors.mjs";

testVectors("canonical-json", "encode", ({ value }) => Buffer.from(encodeJson(value)).toString("utf8"));
testVectors("canonical-json", "decode", ({ bytes, size_max = 1 << 20 }) => decodeJson(joinParts(bytes), size_max));
testVectors("padding", "padme", ({ size }) => padme(size));
testVectors("padding", "attachment-size", ({ size }) => paddedAttachmentSize(size));
testVectors(
  "padding",
  "unpad",
  ({ padded, floor, content_max }) => unpadDocument(joinParts(padded), floor, content_max),
  joinParts,
);

for (const { name, input, value } of loadVectors("padding", "pad")) {
  test(`padding, pad: ${name}`, () => {
    assert.deepEqual(padDocument(joinParts(input.content), input.floor), joinParts(value));
  });
}

test("base64 and hexadecimal survive any bytes", () => {
  for (const size of [0, 1, 2, 3, 8191, 8192, 8193, 100_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 7919) & 0xff);
    assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes);
    assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString("base64"));
    assert.deepEqual(decodeHex(encodeHex(bytes), size), bytes);
  }
});

test("another spelling of base64 is malformed", () => {
  for (const text of ["QQ", "QQ=", "QR==", "QQ==\n", " QQ==", "Q-==", "QQ==QQ==", "é"]) {
    assert.throws(() => decodeBase64(text), MalformedError, text);
  }
});

test("upper-case or short hexadecimal is malformed", () => {
  for (const text of ["AB", "a", "abc", "0x", "ab\n"]) assert.throws(() => decodeHex(text, 1), MalformedError, text);
});

test("only days that exist are days", () => {
  assert.equal(parseDay("2024-02-29"), "2024-02-29");
  for (const text of ["2023-02-29", "2024-13-01", "2024-00-10", "2024-1-1", "24-01-01", "2024-01-01T00:00", "0000-01-01"]) {
    assert.throws(() => parseDay(text), MalformedError, text);
  }
});
