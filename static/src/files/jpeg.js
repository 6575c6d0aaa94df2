// SPDX-License-Identifier: AGPL-3.0-or-later
// JPEG (ITU-T T.81): keep tables, frames and scans, JFIF, the numbers of a colour profile, Adobe's transform; of Exif, the
// orientation. Everything else goes, known or not, and so does all that follows the picture.

import { plainProfile } from "./icc.js";
import { orientationTiff, readOrientation } from "./orientation.js";
import { PARTS_MAX, equal } from "./pieces.js";
import { latin } from "./sliding-window.js";

/**
 * @typedef {import("./pieces.js").Piece} Piece
 * @typedef {import("./sliding-window.js").SlidingWindow} SlidingWindow
 * @typedef {object} Part a marker with its segment, or the compressed data of a scan
 * @property {number} code of the marker; 0 for compressed data
 * @property {number} from
 * @property {number} until
 * @property {Uint8Array} content of an application segment; empty for all others
 */

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const APP15 = 0xef;
// Huffman and arithmetic tables, quantisation, number of lines, restart interval, start of scan.
const TABLES = [0xc4, 0xcc, 0xdb, 0xdc, 0xdd, SOS];
const SCAN_STEP_BYTES = 64 * 1024;
const JFIF = "JFIF\0";
const JFIF_BYTES = 14;
const EXIF = "Exif\0\0";
const ICC = "ICC_PROFILE\0";
const ICC_HEAD_BYTES = ICC.length + 2;
const ICC_PART_BYTES = 65_533 - ICC_HEAD_BYTES;
const PROFILE_BYTES_MAX = 4_000_000;
const ADOBE_BYTES = 12;

/**
 * @param {SlidingWindow} file
 * @param {boolean} [upright] leave the orientation out too
 * @returns {Promise<import("./pieces.js").Picture | null>} null if this is not a whole JPEG
 */
export async function cleanJpeg(file, upright = false) {
  const parts = await readParts(file);
  if (parts === null) return null;
  const exif = parts.find(({ code, content }) => code === APP1 && begins(content, EXIF));
  const orientation = exif && !upright ? readOrientation(exif.content.subarray(EXIF.length)) : null;
  const picture = parts.filter(({ code }) => isPicture(code));
  const head = [...jfif(parts), ...(orientation === null ? [] : [exifSegment(orientation)]), ...profile(parts), ...adobe(parts)];
  const frame = parts.find(({ code }) => isFrame(code));
  if (!frame || !parts.some(({ code }) => code === SOS)) return null;
  const [, , , , , top, low, left, right] = await file.read(frame.from, 9);
  const size = { width: (left << 8) | right, height: (top << 8) | low };
  return { pieces: [{ from: 0, until: 2 }, ...head, ...merge(picture.slice(1))], size };
}

/**
 * Read a cleaned JPEG again: whether there is nothing in it but what `cleanJpeg` leaves.
 *
 * @param {SlidingWindow} file
 */
export async function isCleanJpeg(file) {
  const parts = await readParts(file);
  if (parts === null || parts[parts.length - 1].until !== file.size) return false;
  const profiles = parts.filter(({ code }) => code === APP2);
  const plain = profile(profiles).map((segment) => segment.subarray(4));
  const arePlain = profiles.length === plain.length && profiles.every(({ content }, index) => equal(content, plain[index]));
  return arePlain && parts.every(isCleanPart);
}

/** @param {Part} part */
function isCleanPart({ code, content }) {
  if (code === APP0) return begins(content, JFIF) && content.length === JFIF_BYTES && content[12] + content[13] === 0;
  if (code === APP1) return equal(content, exifSegment(content[EXIF.length + 19]).subarray(4));
  return code === APP14 ? begins(content, "Adobe") && content.length === ADOBE_BYTES : code === APP2 || isPicture(code);
}

/**
 * @param {SlidingWindow} file
 * @returns {Promise<Part[] | null>} from the start of the picture to its end
 */
async function readParts(file) {
  const [first, second] = await file.read(0, 2);
  if (first !== 0xff || second !== SOI) return null;
  /** @type {Part[]} */
  const parts = [{ code: SOI, from: 0, until: 2, content: new Uint8Array() }];
  for (let at = 2; parts.length < PARTS_MAX; ) {
    const part = await readPart(file, at);
    if (part === null) return null;
    parts.push(part);
    at = part.until;
    if (part.code === EOI) return parts;
    if (part.code !== SOS) continue;
    const until = await findScanEnd(file, at);
    if (until === null) return null;
    parts.push({ code: 0, from: at, until, content: new Uint8Array() });
    at = until;
  }
  return null;
}

/**
 * @param {SlidingWindow} file
 * @param {number} at
 * @returns {Promise<Part | null>}
 */
async function readPart(file, at) {
  // Any number of fill bytes 0xff may precede a marker.
  let [byte, code] = await file.read(at, 2);
  while (byte === 0xff && code === 0xff) [byte, code] = await file.read(++at, 2);
  if (byte !== 0xff || !(code >= 0xc0) || code === SOI) return null;
  if (code === EOI) return { code, from: at, until: at + 2, content: new Uint8Array() };
  const [high, low] = await file.read(at + 2, 2);
  const until = at + 2 + ((high << 8) | low);
  if (!(until >= at + 4) || (await file.read(until - 1, 1)).length === 0) return null;
  const isApplication = code >= APP0 && code <= APP15;
  const content = isApplication ? (await file.read(at + 4, until - at - 4)).slice() : new Uint8Array();
  return { code, from: at, until, content };
}

/** @param {number} code */
function isFrame(code) {
  return code >= 0xc0 && code <= 0xcf && !TABLES.includes(code) && code !== 0xc8;
}

/** @param {number} code */
function isPicture(code) {
  return code === 0 || code === SOI || code === EOI || TABLES.includes(code) || isFrame(code);
}

/** JFIF may hold a thumbnail, made before the picture was cropped. @param {Part[]} parts */
function jfif(parts) {
  const found = parts.find(({ code, content }) => code === APP0 && begins(content, JFIF) && content.length >= JFIF_BYTES);
  return found ? [new Uint8Array([0xff, APP0, 0, JFIF_BYTES + 2, ...found.content.subarray(0, 12), 0, 0])] : [];
}

/** @param {Part[]} parts */
function adobe(parts) {
  const found = parts.find(({ code, content }) => code === APP14 && begins(content, "Adobe") && content.length >= ADOBE_BYTES);
  return found ? [new Uint8Array([0xff, APP14, 0, ADOBE_BYTES + 2, ...found.content.subarray(0, ADOBE_BYTES)])] : [];
}

/** @param {number} orientation */
function exifSegment(orientation) {
  return new Uint8Array([0xff, APP1, 0, 34, ...ascii(EXIF), ...orientationTiff(orientation)]);
}

/** The colour profile, which may be spread over several segments. @param {Part[]} parts */
function profile(parts) {
  const found = parts.filter(({ code, content }) => code === APP2 && begins(content, ICC));
  const total = found.reduce((sum, { content }) => sum + content.length - ICC_HEAD_BYTES, 0);
  if (found.length === 0 || !(total > 0 && total <= PROFILE_BYTES_MAX)) return [];
  found.sort((a, b) => a.content[ICC.length] - b.content[ICC.length]);
  const whole = new Uint8Array(total);
  let at = 0;
  for (const { content } of found) {
    whole.set(content.subarray(ICC_HEAD_BYTES), at);
    at += content.length - ICC_HEAD_BYTES;
  }
  return profileSegments(plainProfile(whole) ?? new Uint8Array());
}

/** @param {Uint8Array} plain */
function profileSegments(plain) {
  const count = Math.ceil(plain.length / ICC_PART_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const own = plain.subarray(index * ICC_PART_BYTES, (index + 1) * ICC_PART_BYTES);
    const length = own.length + ICC_HEAD_BYTES + 2;
    const segment = new Uint8Array(length + 2);
    segment.set([0xff, APP2, length >> 8, length & 0xff, ...ascii(ICC), index + 1, count]);
    segment.set(own, ICC_HEAD_BYTES + 4);
    return segment;
  });
}

/**
 * Return the end of the compressed data: the next marker that is neither a stuffed byte, a restart nor a fill byte.
 *
 * @param {SlidingWindow} file
 * @param {number} at
 */
async function findScanEnd(file, at) {
  for (;;) {
    const bytes = await file.read(at, SCAN_STEP_BYTES);
    if (bytes.length < 2) return null;
    let found = bytes.indexOf(0xff);
    for (; found >= 0 && found + 1 < bytes.length; found = bytes.indexOf(0xff, found + 1)) {
      const code = bytes[found + 1];
      if (code !== 0 && code !== 0xff && !(code >= 0xd0 && code <= 0xd7)) return at + found;
    }
    // A last byte 0xff is read again, together with the one after it.
    at += found >= 0 ? bytes.length - 1 : bytes.length;
  }
}

/** Ranges that touch become one. @param {{ from: number, until: number }[]} pieces */
function merge(pieces) {
  /** @type {{ from: number, until: number }[]} */
  const merged = [];
  for (const piece of pieces) {
    const last = merged[merged.length - 1];
    if (last?.until === piece.from) last.until = piece.until;
    else merged.push({ ...piece });
  }
  return merged;
}

/** @param {Uint8Array} content @param {string} start */
function begins(content, start) {
  return latin(content.subarray(0, start.length)) === start;
}

/** @param {string} text */
function ascii(text) {
  return [...text].map((character) => character.charCodeAt(0));
}
