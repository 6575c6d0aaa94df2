// SPDX-License-Identifier: AGPL-3.0-or-later
// Take place, time, device and comments out of JPEG and PNG files without touching a pixel.
//
// What is kept is named; everything else goes, known or not, and so does what stands after the end of the picture
// (previews, clips, trailers of makers). Pieces of the original are referred to, not copied: memory stays small.

import { SlidingWindow } from "./sliding-window.js";
import { stripJpeg } from "./strip-jpeg.js";
import { stripPng } from "./strip-png.js";

/**
 * A copy without metadata. What is not a whole JPEG or PNG is given back as it is, with `stripped` false.
 *
 * @param {Blob} blob
 * @param {string} type media type of the result
 * @returns {Promise<{ blob: Blob, stripped: boolean }>}
 */
export async function stripMetadata(blob, type) {
  const file = new SlidingWindow(blob);
  const pieces = (await stripJpeg(file)) ?? (await stripPng(file));
  if (!pieces) return { blob, stripped: false };
  const parts = pieces.map((piece) => (piece instanceof Uint8Array ? piece : blob.slice(piece.from, piece.until)));
  return { blob: new Blob(parts, { type }), stripped: true };
}
