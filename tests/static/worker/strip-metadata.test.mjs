// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { stripMetadata } from "../../../static/src/worker/strip-metadata.js";

const ascii = (text) => Buffer.from(text, "latin1");

function segment(code, ...content) {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([0xff, code, (body.length + 2) >> 8, (body.length + 2) & 0xff]), body]);
}

/** Exif as a phone writes it: orientation, a maker's name, a pointer to GPS. */
function exif(orientation, little = true) {
  const tiff = Buffer.alloc(200);
  const u16 = (value, at) => (little ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at));
  const u32 = (value, at) => (little ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at));
  tiff.write(little ? "II" : "MM", 0);
  u16(42, 2);
  u32(8, 4);
  const entries = [
    [0x010f, 2, 12, 100],
    [0x0112, 3, 1, orientation],
    [0x8825, 4, 1, 120],
  ];
  u16(entries.length, 8);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + 12 * index;
    u16(tag, at);
    u16(type, at + 2);
    u32(count, at + 4);
    if (type === 3) u16(value, at + 8);
    else u32(value, at + 8);
  }
  tiff.write("canary-maker", 100);
  tiff.write("canary-gps", 130);
  return segment(0xe1, ascii("Exif\0\0"), tiff);
}

// Stuffed bytes, restarts and fill bytes, as they occur in compressed data; longer than any window it is read by.
const SCAN = Buffer.concat([
  Buffer.alloc(300_000, Buffer.from([1, 2, 0xff, 0x00, 3])),
  Buffer.from([0xff, 0xd0, 4, 5, 0xff, 0xd7, 0xff, 0xff, 0x00, 6]),
]);
const TABLES = Buffer.concat([
  segment(0xdb, Buffer.alloc(65, 1)),
  segment(0xc2, Buffer.from([8, 0, 16, 0, 16, 1, 1, 0x11, 0])),
  segment(0xc4, Buffer.alloc(20, 2)),
]);
const START = segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0]));
const ICC = segment(0xe2, ascii("ICC_PROFILE\0\x01\x01profile"));
const ADOBE = segment(0xee, ascii("Adobe\0d\0\0\0\0\x01"));
const SOI = Buffer.from([0xff, 0xd8]);
const EOI = Buffer.from([0xff, 0xd9]);
const JFIF = segment(0xe0, ascii("JFIF\0\x01\x02\x01\0\x48\0\x48\0\0"));
const COMMENT = segment(0xfe, ascii("canary-comment"));
const PICTURE = [TABLES, START, SCAN];

const METADATA = [
  exif(6),
  segment(0xe1, ascii("http://ns.adobe.com/xap/1.0/\0<canary-xmp/>")),
  segment(0xe2, ascii("MPF\0canary-preview")),
  segment(0xed, ascii("Photoshop 3.0\0canary-iptc")),
  segment(0xe0, ascii("JFXX\0canary-thumbnail")),
  segment(0xef, ascii("canary-maker-note")),
  COMMENT,
];

async function strip(...pieces) {
  const source = new Blob(pieces, { type: "image/jpeg" });
  const { blob, stripped } = await stripMetadata(source, "image/jpeg");
  return { bytes: Buffer.from(await blob.arrayBuffer()), stripped, blob, source };
}

/** The one Exif that may stay: an orientation and nothing else. */
function orientationExif(value) {
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0];
  return segment(0xe1, ascii("Exif\0\0MM\0\x2a\0\0\0\x08\0\x01"), Buffer.from(entry));
}

test("a photo with GPS comes out without it, with identical scan data, upright", async () => {
  const { bytes, stripped, blob } = await strip(SOI, JFIF, ...METADATA, ICC, ADOBE, ...PICTURE, EOI);
  assert.equal(stripped, true);
  assert.equal(blob.type, "image/jpeg");
  assert.ok(!bytes.includes("canary"));
  assert.deepEqual(bytes, Buffer.concat([SOI, JFIF, orientationExif(6), ICC, ADOBE, ...PICTURE, EOI]));
});

test("without JFIF the orientation comes first, whatever the byte order was", async () => {
  for (const little of [true, false]) {
    const { bytes } = await strip(SOI, exif(3, little), ...PICTURE, EOI);
    assert.deepEqual(bytes, Buffer.concat([SOI, orientationExif(3), ...PICTURE, EOI]));
  }
});

test("a photo that is stored upright, or whose Exif is broken, keeps no Exif at all", async () => {
  for (const some of [exif(1), exif(9), exif(0), segment(0xe1, ascii("Exif\0\0II")), segment(0xe1, ascii("Exif\0\0"))]) {
    const { bytes, stripped } = await strip(SOI, some, ...PICTURE, EOI);
    assert.deepEqual([bytes, stripped], [Buffer.concat([SOI, ...PICTURE, EOI]), true]);
  }
});

test("what follows the end of the picture goes: previews, clips, trailers", async () => {
  const { bytes } = await strip(SOI, JFIF, ...PICTURE, EOI, ascii("canary-trailer"), SOI, ...PICTURE, EOI);
  assert.deepEqual(bytes, Buffer.concat([SOI, JFIF, ...PICTURE, EOI]));
});

test("comments between the scans of a progressive picture go, its scans stay", async () => {
  const { bytes } = await strip(SOI, ...PICTURE, COMMENT, METADATA[1], TABLES, START, SCAN, EOI);
  assert.deepEqual(bytes, Buffer.concat([SOI, ...PICTURE, TABLES, START, SCAN, EOI]));
});

test("the small picture inside JFIF goes", async () => {
  const withThumbnail = segment(0xe0, ascii("JFIF\0\x01\x02\x01\0\x48\0\x48\x01\x01abc"));
  const { bytes } = await strip(SOI, withThumbnail, ...PICTURE, EOI);
  assert.deepEqual(bytes, Buffer.concat([SOI, JFIF, ...PICTURE, EOI]));
});

test("a JPEG that is cut short or malformed is given back as it is, and says so", async () => {
  const whole = Buffer.concat([SOI, JFIF, COMMENT, ...PICTURE, EOI]);
  const broken = [
    whole.subarray(0, whole.length - 2),
    whole.subarray(0, whole.length - 1),
    whole.subarray(0, 10),
    whole.subarray(0, 2),
    Buffer.concat([SOI, JFIF, Buffer.from([0x00]), ...PICTURE, EOI]),
    Buffer.concat([SOI, Buffer.from([0xff, 0xe1, 0, 1]), ...PICTURE, EOI]),
  ];
  for (const bytes of broken) {
    const { blob, stripped, source } = await strip(bytes);
    assert.equal(stripped, false);
    assert.equal(blob, source);
  }
});

function chunk(type, content = Buffer.alloc(0)) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, ascii(type), content, ascii("crc!")]);
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const HEAD = chunk("IHDR", Buffer.alloc(13, 1));
const DATA = Buffer.concat([chunk("IDAT", Buffer.alloc(400_000, 5)), chunk("IDAT", Buffer.alloc(10, 6))]);
const END = chunk("IEND");

test("a PNG loses text, time, Exif, unknown chunks and what follows it, and keeps its picture", async () => {
  const colour = [chunk("gAMA", Buffer.alloc(4)), chunk("iCCP", ascii("profile")), chunk("pHYs", Buffer.alloc(9))];
  const hidden = ["tEXt", "zTXt", "iTXt", "tIME", "eXIf", "caBX", "prVt"].map((type) => chunk(type, ascii("canary")));
  const { bytes, stripped } = await strip(SIGNATURE, HEAD, ...colour, ...hidden, DATA, hidden[0], END, ascii("canary"));
  assert.equal(stripped, true);
  assert.deepEqual(bytes, Buffer.concat([SIGNATURE, HEAD, ...colour, DATA, END]));
});

test("a PNG that is cut short, or that holds what a viewer must know and we do not, is given back as it is", async () => {
  const whole = Buffer.concat([SIGNATURE, HEAD, DATA, END]);
  const strange = Buffer.concat([SIGNATURE, HEAD, chunk("XXXX"), DATA, END]);
  for (const bytes of [whole.subarray(0, whole.length - 1), whole.subarray(0, 100), SIGNATURE, strange]) {
    assert.equal((await strip(bytes)).stripped, false);
  }
});

test("any other file is given back as it is", async () => {
  for (const bytes of [ascii("%PDF-1.7"), ascii("GIF89a"), Buffer.alloc(0), Buffer.from([0xff])]) {
    const { blob, stripped, source } = await strip(bytes);
    assert.deepEqual([blob, stripped], [source, false]);
  }
});
