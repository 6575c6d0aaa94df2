// SPDX-License-Identifier: AGPL-3.0-or-later
// Removes place, time, device and comments from JPEG and PNG files without changing a pixel.
//
// Only listed segments are kept; everything else is dropped, known or not, and so is anything after the end of the
// picture (previews, clips, makers' trailers). Pieces of the original are referenced, not copied: memory stays small.

import { SlidingWindow } from "./sliding-window.js";
import { stripJpeg } from "./strip-jpeg.js";
import { stripPng } from "./strip-png.js";

/**
 * Return a copy without metadata. Other files than complete JPEGs and PNGs are returned as they are, `stripped` false.
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
