// SPDX-License-Identifier: AGPL-3.0-or-later
// The streams of a PDF: JPEG files and colour profiles in it are cleaned as those outside are; in what its pages say, no
// picture with hidden details may be left.

import { PDFArray, PDFName, decodePDFRawStream } from "@cantoo/pdf-lib";
import { plainProfile } from "./icc.js";
import { cleanJpeg, isCleanJpeg } from "./jpeg.js";
import { equal, join } from "./pieces.js";
import { SlidingWindow } from "./sliding-window.js";

/** @typedef {import("@cantoo/pdf-lib").PDFRawStream} PDFRawStream */

const DECODED_BYTES_MAX = 100_000_000;
const MARKS = ["Exif\0\0", "http://ns.adobe.com/xap/", "<x:xmpmeta", "<?xpacket", "Photoshop 3.0\0"];
// Far fewer than a call may have arguments.
const STEP_BYTES = 64 * 1024;
const OVERLAP_BYTES = 32;

/**
 * Clean a stream that is a picture or a colour profile. Raises an error when that can't be done.
 *
 * @param {PDFRawStream} stream
 * @param {boolean} isProfile
 */
export async function cleanStream(stream, isProfile) {
  const filters = filtersOf(stream);
  if (filters.includes("DCTDecode") || filters.includes("DCT")) {
    if (filters.length > 1) throw new Error("a JPEG in other packing");
    const file = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (stream.contents)]);
    const picture = await cleanJpeg(new SlidingWindow(file), true);
    if (picture === null) throw new Error("a JPEG that is not whole");
    stream.updateContents(new Uint8Array(await join(file, picture.pieces, "").arrayBuffer()));
  } else if (isProfile) {
    const plain = plainProfile(decode(stream));
    if (plain === null) throw new Error("a colour profile that can't be read");
    stream.dict.delete(PDFName.of("Filter"));
    stream.dict.delete(PDFName.of("DecodeParms"));
    stream.updateContents(plain);
  }
}

/**
 * @param {PDFRawStream} stream
 * @param {boolean} isProfile
 */
export async function isStreamClean(stream, isProfile) {
  const filters = filtersOf(stream);
  const contents = /** @type {Uint8Array<ArrayBuffer>} */ (stream.contents);
  if (filters.includes("DCTDecode")) return isCleanJpeg(new SlidingWindow(new Blob([contents])));
  if (isProfile) return equal(contents, plainProfile(contents) ?? new Uint8Array());
  // What such a picture holds is its dots; these packings hold nothing else.
  if (stream.dict.get(PDFName.of("Subtype")) === PDFName.of("Image")) return true;
  return !holdsMark(decode(stream));
}

/** @param {PDFRawStream} stream @returns {string[]} */
function filtersOf(stream) {
  const filter = stream.dict.lookup(PDFName.of("Filter"));
  if (filter instanceof PDFName) return [filter.decodeText()];
  return filter instanceof PDFArray ? filter.asArray().map((name) => String(name).slice(1)) : [];
}

/** @param {PDFRawStream} stream @returns {Uint8Array} */
function decode(stream) {
  const bytes = decodePDFRawStream(stream).getBytes(DECODED_BYTES_MAX);
  if (bytes.length >= DECODED_BYTES_MAX) throw new Error("a stream that is too large");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @param {Uint8Array} bytes */
function holdsMark(bytes) {
  for (let at = 0; at < bytes.length; at += STEP_BYTES) {
    const text = String.fromCharCode(...bytes.subarray(at, at + STEP_BYTES + OVERLAP_BYTES));
    if (MARKS.some((mark) => text.includes(mark))) return true;
  }
  return false;
}
