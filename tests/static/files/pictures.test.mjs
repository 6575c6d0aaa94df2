// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { clean } from "../../../static/src/files/clean.js";

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

/** A colour profile with these tags; dates, makers and names in its header. */
function profile(tags) {
  const head = Buffer.alloc(132 + 12 * tags.length);
  head.write("acsp", 36);
  head.write("canary-icc", 48);
  head.writeUInt16BE(2026, 24);
  head.writeUInt32BE(tags.length, 128);
  let at = head.length;
  for (const [index, [name, content]] of tags.entries()) {
    head.write(name, 132 + 12 * index);
    head.writeUInt32BE(at, 136 + 12 * index);
    head.writeUInt32BE(content.length, 140 + 12 * index);
    at += content.length;
  }
  head.writeUInt32BE(at, 0);
  return Buffer.concat([head, ...tags.map(([, content]) => content)]);
}

const COLOURS = [["rXYZ", Buffer.alloc(20, 7)], ["rTRC", Buffer.alloc(16, 8)]];
const NAMES = [["desc", ascii("canary-screen of Amal")], ["dmnd", ascii("canary-make!")]];
const icc = (content, number = 1, count = 1) => segment(0xe2, ascii("ICC_PROFILE\0"), Buffer.from([number, count]), content);
const PLAIN_PROFILE = profile(COLOURS);
PLAIN_PROFILE.fill(0, 48, 60);
PLAIN_PROFILE.fill(0, 24, 36);
const ICC = icc(PLAIN_PROFILE);
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
  // What the browser says of a file is what its name ends with.
  const result = await clean(new Blob(pieces, { type: "image/heic" }));
  const bytes = result.blob && Buffer.from(await result.blob.arrayBuffer());
  return { ...result, bytes, stripped: result.problem === null };
}

/** The one Exif that may stay: an orientation and nothing else. */
function orientationExif(value) {
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0];
  return segment(0xe1, ascii("Exif\0\0MM\0\x2a\0\0\0\x08\0\x01"), Buffer.from(entry));
}

test("a photo with GPS comes out without it, with identical scan data, upright", async () => {
  const { bytes, stripped, blob, size } = await strip(SOI, JFIF, ...METADATA, icc(profile([...NAMES, ...COLOURS])), ADOBE, ...PICTURE, EOI);
  assert.equal(stripped, true);
  assert.equal(blob.type, "image/jpeg");
  assert.deepEqual(size, { width: 16, height: 16 });
  assert.ok(!bytes.includes("canary"));
  assert.deepEqual(bytes, Buffer.concat([SOI, JFIF, orientationExif(6), ICC, ADOBE, ...PICTURE, EOI]));
});

test("a colour profile in two segments is read as one, and one that can't be read goes", async () => {
  const whole = profile([...NAMES, ...COLOURS]);
  const parts = [icc(whole.subarray(150), 2, 2), icc(whole.subarray(0, 150), 1, 2)];
  assert.deepEqual((await strip(SOI, ...parts, ...PICTURE, EOI)).bytes, Buffer.concat([SOI, ICC, ...PICTURE, EOI]));
  for (const bad of [ascii("profile"), whole.subarray(0, 160)]) {
    assert.deepEqual((await strip(SOI, icc(bad), ...PICTURE, EOI)).bytes, Buffer.concat([SOI, ...PICTURE, EOI]));
  }
});

test("what hides behind a kept name or a marker that no camera writes goes too", async () => {
  const longAdobe = segment(0xee, ascii("Adobe\0d\0\0\0\0\x01canary"));
  const { bytes } = await strip(SOI, longAdobe, segment(0xf4, ascii("canary")), segment(0xc8, ascii("canary")), ...PICTURE, EOI);
  assert.deepEqual(bytes, Buffer.concat([SOI, ADOBE, ...PICTURE, EOI]));
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

test("a JPEG that is cut short or malformed is not cleaned in words either", async () => {
  const whole = Buffer.concat([SOI, JFIF, COMMENT, ...PICTURE, EOI]);
  const broken = [
    whole.subarray(0, whole.length - 2),
    whole.subarray(0, whole.length - 1),
    whole.subarray(0, 10),
    Buffer.concat([SOI, JFIF, Buffer.from([0x00]), ...PICTURE, EOI]),
    Buffer.concat([SOI, Buffer.from([0xff, 0xe1, 0, 1]), ...PICTURE, EOI]),
    Buffer.concat([SOI, JFIF, EOI]),
    Buffer.concat([SOI, JFIF, TABLES, EOI]),
  ];
  for (const bytes of broken) {
    const { blob, problem, kind } = await strip(bytes);
    assert.deepEqual([blob, problem, kind], [null, "damaged", "jpeg"]);
  }
});

/** CRC-32, a bit at a time. */
function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}

function chunk(type, content = Buffer.alloc(0)) {
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc(Buffer.concat([ascii(type), content])));
  return Buffer.concat([length, ascii(type), content, sum]);
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const HEAD = chunk("IHDR", Buffer.from([0, 0, 0, 9, 0, 0, 0, 7, 8, 2, 0, 0, 0]));
const DATA = Buffer.concat([chunk("IDAT", Buffer.alloc(400_000, 5)), chunk("IDAT", Buffer.alloc(10, 6))]);
const END = chunk("IEND");

test("a PNG loses text, time, Exif, profile, unknown chunks and what follows it, and keeps its picture", async () => {
  const colour = [chunk("gAMA", Buffer.alloc(4)), chunk("pHYs", Buffer.alloc(9))];
  const hidden = ["tEXt", "zTXt", "iTXt", "tIME", "eXIf", "iCCP", "caBX", "prVt"].map((type) => chunk(type, ascii("canary")));
  const all = [SIGNATURE, HEAD, ...colour, ...hidden, DATA, hidden[0], END, ascii("canary")];
  const { bytes, stripped, size } = await strip(...all);
  assert.equal(stripped, true);
  assert.deepEqual(bytes, Buffer.concat([SIGNATURE, HEAD, ...colour, DATA, END]));
  assert.deepEqual(size, { width: 9, height: 7 });
});

test("a PNG that is cut short, corrupt, or holds what a viewer must know and we do not, is not cleaned", async () => {
  const whole = Buffer.concat([SIGNATURE, HEAD, DATA, END]);
  const strange = Buffer.concat([SIGNATURE, HEAD, chunk("XXXX"), DATA, END]);
  const corrupt = Buffer.from(whole);
  corrupt[300_000] ^= 1;
  const fat = Buffer.concat([SIGNATURE, HEAD, DATA, chunk("IEND", ascii("canary"))]);
  for (const bytes of [whole.subarray(0, -1), whole.subarray(0, 100), SIGNATURE, strange, corrupt, fat]) {
    assert.deepEqual((await strip(bytes)).problem, "damaged");
  }
});

function riff(type, content) {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(content.length);
  return Buffer.concat([ascii(type), length, content, Buffer.alloc(content.length & 1)]);
}

function webp(...chunks) {
  return riff("RIFF", Buffer.concat([ascii("WEBP"), ...chunks]));
}

const extended = (flags) => riff("VP8X", Buffer.from([flags, 0, 0, 0, 15, 0, 0, 8, 0, 0]));
const LOSSY = riff("VP8 ", Buffer.concat([Buffer.from([0, 0, 0, 0x9d, 1, 0x2a, 16, 0, 9, 0]), Buffer.alloc(301, 3)]));
const FRAME = riff("ANMF", Buffer.concat([Buffer.alloc(16, 1), LOSSY]));

test("a WebP loses Exif but its orientation, XMP, names in the profile, unknown chunks and what follows it", async () => {
  const hidden = [riff("XMP ", ascii("canary-xmp")), riff("CANA", ascii("canary"))];
  const tiff = exif(8).subarray(4 + 6);
  const due = riff("EXIF", orientationExif(8).subarray(10));
  for (const head of ["", "Exif\0\0"]) {
    const all = [extended(0x2c), riff("ICCP", profile([...NAMES, ...COLOURS])), LOSSY, riff("EXIF", Buffer.concat([ascii(head), tiff])), ...hidden];
    const { bytes, blob, size } = await strip(webp(...all), ascii("canary-trailer"));
    assert.deepEqual(bytes, webp(extended(0x28), riff("ICCP", PLAIN_PROFILE), LOSSY, due));
    assert.deepEqual([blob.type, size], ["image/webp", { width: 16, height: 9 }]);
  }
  assert.deepEqual((await strip(webp(LOSSY))).bytes, webp(LOSSY));
  assert.deepEqual((await strip(webp(extended(2), riff("ANIM", Buffer.alloc(6)), FRAME, FRAME, hidden[0]))).stripped, true);
});

test("a WebP that is cut short, or hides something in a frame, is not cleaned", async () => {
  const whole = webp(extended(4), LOSSY, riff("XMP ", ascii("canary-xmp")));
  const inFrame = riff("ANMF", Buffer.concat([Buffer.alloc(16, 1), LOSSY, riff("XMP ", ascii("canary"))]));
  for (const bytes of [whole.subarray(0, -1), webp(extended(2), inFrame), webp(LOSSY, riff("XMP ", ascii("x"))), webp()]) {
    assert.deepEqual((await strip(bytes)).problem, "damaged");
  }
});

test("what is cleaned is clean, and no byte of a hidden text is in it, wherever it stood", async () => {
  const segments = [JFIF, ...METADATA, icc(profile([...NAMES, ...COLOURS])), ADOBE];
  for (let turn = 0; turn < segments.length; turn += 1) {
    const order = [...segments.slice(turn), ...segments.slice(0, turn)];
    const first = await strip(SOI, ...order, ...PICTURE, ...order, TABLES, START, SCAN, EOI, ...order);
    assert.ok(first.stripped && !first.bytes.includes("canary"));
    assert.deepEqual((await strip(first.bytes)).bytes, first.bytes);
  }
});

test("kinds are told by bytes, whatever name or type they have", async () => {
  const heif = (brand) => Buffer.concat([Buffer.from([0, 0, 0, 24]), ascii(`ftyp${brand}\0\0\0\0mif1heic`)]);
  const cases = [
    [heif("heic"), "heic", "image/heic", "heic"],
    [heif("mif1"), "heic", "image/heic", "heic"],
    [heif("avif"), "heic", "image/avif", "heic"],
    [heif("isom"), "other", "video/mp4", "other"],
    [heif("qt  "), "other", "video/quicktime", "other"],
    [ascii("%PDF-1.7"), "pdf", "application/pdf", "other"],
    [ascii("\n%PDF-1.7"), "pdf", "application/pdf", "other"],
    [ascii("GIF89a"), "other", "image/gif", "other"],
    [Buffer.alloc(0), "other", "", "other"],
    [Buffer.from([0xff]), "other", "", "other"],
  ];
  for (const [bytes, kind, type, problem] of cases) {
    const claimed = type === "image/gif" ? type : "image/jpeg";
    const result = await clean(new Blob([bytes], { type: claimed }));
    assert.deepEqual([result.kind, result.type, result.problem, result.blob], [kind, type, problem, null]);
  }
});

test("a file that can't be read is not one that can't be cleaned", async () => {
  const gone = () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) });
  await assert.rejects(clean({ size: 9, type: "", slice: gone }), { name: "NotReadableError" });
});
