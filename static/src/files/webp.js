// SPDX-License-Identifier: AGPL-3.0-or-later
// WebP (RFC 9649): keep the chunks that make the picture; of Exif, the orientation; of a colour profile, its numbers.

import { plainProfile } from "./icc.js";
import { orientationTiff, readOrientation } from "./orientation.js";
import { PARTS_MAX, equal } from "./pieces.js";
import { latin } from "./sliding-window.js";

const HEADER_BYTES = 8;
const START_BYTES = 12;
const KEPT = new Set(["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF"]);
const IN_FRAME = new Set(["VP8 ", "VP8L", "ALPH"]);
const FRAME_HEAD_BYTES = 16;
const FLAGS_AT = 8;
const HAS_PROFILE = 0x20;
const HAS_EXIF = 0x08;
const HAS_XMP = 0x04;
const SMALL_BYTES_MAX = 200_000;

/**
 * @typedef {import("./sliding-window.js").SlidingWindow} SlidingWindow
 * @typedef {{ type: string, from: number, until: number, length: number }} Chunk `until` counts the byte of padding
 */

/**
 * @param {SlidingWindow} file
 * @returns {Promise<import("./pieces.js").Picture | null>} null if this is not a whole WebP
 */
export async function cleanWebp(file) {
  const chunks = await readChunks(file);
  if (chunks === null || !(await areFramesPlain(file, chunks))) return null;
  const profile = await read(file, chunks, "ICCP").then((bytes) => bytes && plainProfile(bytes));
  const exif = await read(file, chunks, "EXIF");
  const tiff = exif && latin(exif.subarray(0, 6)) === "Exif\0\0" ? exif.subarray(6) : exif;
  const orientation = tiff && readOrientation(tiff);
  /** @type {import("./pieces.js").Piece[]} */
  const pieces = [];
  for (const { type, from, until } of chunks.filter((chunk) => KEPT.has(chunk.type))) {
    if (type !== "VP8X") pieces.push({ from, until });
    else pieces.push(await extended(file, { from, until }, profile !== null, orientation !== null));
    if (type === "VP8X" && profile) pieces.push(chunk("ICCP", profile));
  }
  if (orientation !== null) pieces.push(chunk("EXIF", new Uint8Array(orientationTiff(orientation))));
  const length = pieces.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece.until - piece.from), 4);
  const start = new Uint8Array([...ascii("RIFF"), 0, 0, 0, 0, ...ascii("WEBP")]);
  new DataView(start.buffer).setUint32(4, length, true);
  return { pieces: [start, ...pieces], size: await sizeOf(file, chunks[0]) };
}

/**
 * Read a cleaned WebP again: whether there is nothing in it but what `cleanWebp` leaves.
 *
 * @param {SlidingWindow} file
 */
export async function isCleanWebp(file) {
  const chunks = await readChunks(file);
  if (chunks === null || chunks[chunks.length - 1].until !== file.size || !(await areFramesPlain(file, chunks))) return false;
  if (chunks.filter(({ type }) => type === "EXIF" || type === "ICCP").length > 2) return false;
  const exif = await read(file, chunks, "EXIF");
  const profile = await read(file, chunks, "ICCP");
  const known = chunks.every(({ type }) => KEPT.has(type) || type === "EXIF" || type === "ICCP");
  const isPlain = profile === null || equal(profile, plainProfile(profile) ?? new Uint8Array());
  return known && isPlain && (exif === null || equal(exif, new Uint8Array(orientationTiff(exif[19]))));
}

/** @param {SlidingWindow} file */
async function readChunks(file) {
  const start = await file.read(0, START_BYTES);
  if (latin(start.subarray(0, 4)) !== "RIFF" || latin(start.subarray(8)) !== "WEBP") return null;
  const end = new DataView(start.buffer, start.byteOffset).getUint32(4, true) + 8;
  const chunks = end <= file.size ? await readInside(file, START_BYTES, end) : null;
  const isPicture = chunks?.some(({ type }) => type === "VP8 " || type === "VP8L" || type === "ANMF");
  // Only an extended file has other chunks than its picture.
  return chunks && isPicture && (chunks.length === 1 || chunks[0].type === "VP8X") ? chunks : null;
}

/**
 * @param {SlidingWindow} file
 * @param {number} at
 * @param {number} end
 * @returns {Promise<Chunk[] | null>}
 */
async function readInside(file, at, end) {
  /** @type {Chunk[]} */
  const chunks = [];
  while (at < end) {
    const header = await file.read(at, HEADER_BYTES);
    if (header.length < HEADER_BYTES || chunks.length >= PARTS_MAX) return null;
    const length = new DataView(header.buffer, header.byteOffset).getUint32(4, true);
    const until = at + HEADER_BYTES + length + (length & 1);
    if (until > end) return null;
    chunks.push({ type: latin(header.subarray(0, 4)), from: at, until, length });
    at = until;
  }
  return chunks;
}

/**
 * Whether the frames of an animation hold pictures alone.
 *
 * @param {SlidingWindow} file
 * @param {Chunk[]} chunks
 */
async function areFramesPlain(file, chunks) {
  for (const { type, from, length } of chunks) {
    if (type !== "ANMF") continue;
    const at = from + HEADER_BYTES;
    const inside = await readInside(file, at + FRAME_HEAD_BYTES, at + length);
    if (!inside?.every((chunk) => IN_FRAME.has(chunk.type))) return false;
  }
  return true;
}

/**
 * @param {SlidingWindow} file
 * @param {Chunk[]} chunks
 * @param {string} type
 */
async function read(file, chunks, type) {
  const found = chunks.find((chunk) => chunk.type === type);
  if (!found || found.length > SMALL_BYTES_MAX) return null;
  return (await file.read(found.from + HEADER_BYTES, found.length)).slice();
}

/**
 * The chunk that says what else there is.
 *
 * @param {SlidingWindow} file
 * @param {{ from: number, until: number }} range
 * @param {boolean} hasProfile
 * @param {boolean} hasExif
 */
async function extended(file, { from, until }, hasProfile, hasExif) {
  const bytes = new Uint8Array(await file.read(from, until - from));
  bytes[FLAGS_AT] &= ~(HAS_PROFILE | HAS_EXIF | HAS_XMP);
  bytes[FLAGS_AT] |= (hasProfile ? HAS_PROFILE : 0) | (hasExif ? HAS_EXIF : 0);
  return bytes;
}

/** @param {string} type @param {Uint8Array} content */
function chunk(type, content) {
  const bytes = new Uint8Array(HEADER_BYTES + content.length + (content.length & 1));
  bytes.set(ascii(type));
  new DataView(bytes.buffer).setUint32(4, content.length, true);
  bytes.set(content, HEADER_BYTES);
  return bytes;
}

/** @param {SlidingWindow} file @param {Chunk} first */
async function sizeOf(file, { type, from }) {
  const bytes = await file.read(from + HEADER_BYTES, 10);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 10) return { width: 0, height: 0 };
  if (type === "VP8 ") return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
  const bits = view.getUint32(1, true);
  if (type === "VP8L") return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  const width = (view.getUint32(4, true) & 0xffffff) + 1;
  return { width, height: (view.getUint32(6, true) >>> 8) + 1 };
}

/** @param {string} text */
function ascii(text) {
  return [...text].map((character) => character.charCodeAt(0));
}
