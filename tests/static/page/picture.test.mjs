// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, inflateSync } from "node:zlib";
import { decodeQR } from "../../../static/node_modules/qr/decode.js";
import { drawCode } from "../../../static/src/page/picture/picture.js";

const CODE = "01234567890123456789012345678901234";
const OTHER = "91234567890123456789012345678901234";

/** The chunks of a PNG by their type, each checked. */
function chunksOf(png) {
  const bytes = Buffer.from(png);
  const chunks = new Map();
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const named = bytes.subarray(at + 4, at + 8 + length);
    assert.equal(bytes.readUInt32BE(at + 8 + length), crc32(named));
    chunks.set(named.subarray(0, 4).toString(), named.subarray(4));
    at += 12 + length;
  }
  return chunks;
}

/** The pixels of a PNG of one bit each, black or white, as a decoder of pictures gives them. */
function pixelsOf(png) {
  const chunks = chunksOf(png);
  const [width, height] = [0, 4].map((at) => chunks.get("IHDR").readUInt32BE(at));
  const rows = inflateSync(chunks.get("IDAT"));
  const rowBytes = Math.ceil(width / 8);
  const data = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y++) {
    assert.equal(rows[y * (rowBytes + 1)], 0);
    for (let x = 0; x < width; x++) {
      const isWhite = (rows[y * (rowBytes + 1) + 1 + (x >> 3)] >> (7 - (x & 7))) & 1;
      data.fill(isWhite * 255, (y * width + x) * 4, (y * width + x) * 4 + 3);
      data[(y * width + x) * 4 + 3] = 255;
    }
  }
  return { width, height, data };
}

test("who reads the square has the 35 digits and nothing else", () => {
  for (const code of [CODE, OTHER, "0".repeat(35), "9".repeat(35)]) assert.equal(decodeQR(pixelsOf(drawCode(code))), code);
});

test("each group stands in a line of its own, in digits that differ from one another", () => {
  const [one, other] = [CODE, OTHER].map((code) => pixelsOf(drawCode(code)));
  const differs = (top, bottom) => {
    const [from, to] = [top, bottom].map((y) => y * one.width * 4);
    return Buffer.compare(one.data.subarray(from, to), other.data.subarray(from, to)) !== 0;
  };
  // The codes differ in their first digit: the first line differs, the other six are the same.
  assert.ok(differs(40, 104));
  assert.ok(!differs(104, 488));
  const lines = "0123456789".split("").map((digit) => {
    const { data, width } = pixelsOf(drawCode(digit.repeat(35)));
    return Buffer.from(data.subarray(40 * width * 4, 104 * width * 4)).toString("hex");
  });
  assert.equal(new Set(lines).size, 10);
});

test("the picture tells nothing but the code: no time, no program, no device", () => {
  assert.deepEqual([...chunksOf(drawCode(CODE)).keys()], ["IHDR", "IDAT", "IEND"]);
  assert.deepEqual(drawCode(CODE), drawCode(CODE));
});
