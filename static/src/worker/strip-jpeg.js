// SPDX-License-Identifier: AGPL-3.0-or-later
// JPEG (ITU-T T.81): keep tables, frames and scans, JFIF, colour profile and Adobe's transform; of Exif, the orientation.

/** @typedef {{ from: number, until: number } | Uint8Array<ArrayBuffer>} Piece a range of the original, or new bytes */

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const APP15 = 0xef;
const COM = 0xfe;
const SCAN_STEP_BYTES = 64 * 1024;
const START_BYTES = 16;
const ORIENTATION_TAG = 0x0112;

/**
 * @param {import("./sliding-window.js").SlidingWindow} file
 * @returns {Promise<Piece[] | null>} null if this is not a JPEG, or a truncated one
 */
export async function stripJpeg(file) {
  const [first, second] = await file.read(0, 2);
  if (first !== 0xff || second !== SOI) return null;
  /** @type {Piece[]} */
  const pieces = [{ from: 0, until: 2 }];
  let orientation = null;
  for (let at = 2; ; ) {
    const marker = await readMarker(file, at);
    if (marker === null) return null;
    if (marker.code === EOI) return [...withOrientation(pieces, orientation), { from: marker.at, until: marker.until }];
    const segment = await readSegment(file, marker.until);
    if (segment === null) return null;
    if (marker.code === APP1) orientation ??= readOrientation(segment.start, await file.read(segment.from, 65_535));
    if (isKept(marker.code, segment.start)) pieces.push(keepSegment(marker, segment));
    at = segment.until;
    if (marker.code !== SOS) continue;
    const end = await findScanEnd(file, at);
    if (end === null) return null;
    pieces.push({ from: at, until: end });
    at = end;
  }
}

/**
 * @param {import("./sliding-window.js").SlidingWindow} file
 * @param {number} at
 */
async function readMarker(file, at) {
  // Any number of fill bytes 0xff may precede a marker.
  let [byte, code] = await file.read(at, 2);
  while (byte === 0xff && code === 0xff) [byte, code] = await file.read(++at, 2);
  return byte === 0xff && code >= 0xc0 && code !== SOI ? { code, at, until: at + 2 } : null;
}

/**
 * @param {import("./sliding-window.js").SlidingWindow} file
 * @param {number} at of the length
 */
async function readSegment(file, at) {
  const [high, low] = await file.read(at, 2);
  const until = at + ((high << 8) | low);
  if (!(until >= at + 2) || (await file.read(until - 1, 1)).length === 0) return null;
  return { from: at + 2, until, start: latin(await file.read(at + 2, Math.min(START_BYTES, until - at - 2))) };
}

/**
 * @param {number} code
 * @param {string} start of the segment
 */
function isKept(code, start) {
  if (code === APP0) return start.startsWith("JFIF\0") && start.length >= 14;
  if (code === APP2) return start.startsWith("ICC_PROFILE\0");
  if (code === APP14) return start.startsWith("Adobe");
  return !(code >= APP0 && code <= APP15) && code !== COM;
}

/**
 * @param {{ code: number, at: number }} marker
 * @param {{ until: number, start: string }} segment
 * @returns {Piece}
 */
function keepSegment({ code, at }, { until, start }) {
  if (code !== APP0) return { from: at, until };
  // JFIF may hold a thumbnail, made before the picture was cropped: without it, the segment has 16 bytes.
  const header = Uint8Array.from(start.slice(0, 12), (character) => character.charCodeAt(0));
  return new Uint8Array([0xff, APP0, 0, 16, ...header, 0, 0]);
}

/**
 * Return the end of the compressed data: the next marker that is neither a stuffed byte, a restart nor a fill byte.
 *
 * @param {import("./sliding-window.js").SlidingWindow} file
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

/**
 * @param {string} start
 * @param {Uint8Array} segment which may continue after its end
 * @returns {number | null} 2 to 8, when a picture is stored rotated or mirrored
 */
function readOrientation(start, segment) {
  if (!start.startsWith("Exif\0\0")) return null;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, Math.max(0, segment.length - 6));
  try {
    const little = tiff.getUint16(0) === 0x4949;
    const directory = tiff.getUint32(4, little);
    const count = tiff.getUint16(directory, little);
    for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
      if (tiff.getUint16(entry, little) !== ORIENTATION_TAG) continue;
      const orientation = tiff.getUint16(entry + 8, little);
      return orientation >= 2 && orientation <= 8 ? orientation : null;
    }
  } catch {
    // A broken Exif segment has no orientation.
  }
  return null;
}

/**
 * A minimal Exif segment after JFIF, or at the beginning: without it a photo would lie on its side.
 *
 * @param {Piece[]} pieces
 * @param {number | null} orientation
 */
function withOrientation(pieces, orientation) {
  if (orientation === null) return pieces;
  // prettier-ignore
  const exif = new Uint8Array([
    0xff, APP1, 0, 34, ...[..."Exif\0\0MM"].map((character) => character.charCodeAt(0)), 0, 42, 0, 0, 0, 8,
    0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
  ]);
  const after = pieces[1] instanceof Uint8Array ? 2 : 1;
  return [...pieces.slice(0, after), exif, ...pieces.slice(after)];
}

/** @param {Uint8Array} bytes */
function latin(bytes) {
  return String.fromCharCode(...bytes);
}
