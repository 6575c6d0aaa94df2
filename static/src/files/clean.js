// SPDX-License-Identifier: AGPL-3.0-or-later
// Removes place, time, device and comments from pictures without changing a pixel, and reads the result again: only a
// file in which nothing else is found counts as cleaned.

import { cleanJpeg, isCleanJpeg } from "./jpeg.js";
import { kindOf } from "./kinds.js";
import { join } from "./pieces.js";
import { cleanPng, isCleanPng } from "./png.js";
import { SlidingWindow } from "./sliding-window.js";
import { cleanWebp, isCleanWebp } from "./webp.js";

/** @typedef {import("../formats/worker-calls.js").CleanedFile} CleanedFile */

/** @type {Record<string, [typeof cleanJpeg, typeof isCleanJpeg]>} */
const PICTURES = { jpeg: [cleanJpeg, isCleanJpeg], png: [cleanPng, isCleanPng], webp: [cleanWebp, isCleanWebp] };

/**
 * A copy of a picture without hidden details, or why there is none. Of a PDF only its kind is told: see pdf.js. Raises
 * what reading raises.
 *
 * @param {Blob} blob
 * @returns {Promise<CleanedFile>}
 */
export async function clean(blob) {
  const file = new SlidingWindow(blob);
  const { kind, type } = await kindOf(file, blob.type);
  const refused = { kind, type, blob: null, size: { width: 0, height: 0 } };
  if (!(kind in PICTURES)) return { ...refused, problem: kind === "heic" ? "heic" : "other" };
  const [strip, isClean] = PICTURES[kind];
  const picture = await strip(file);
  if (picture === null) return { ...refused, problem: "damaged" };
  const cleaned = join(blob, picture.pieces, type);
  if (!(await isClean(new SlidingWindow(cleaned)))) return { ...refused, problem: "damaged" };
  return { kind, type, blob: cleaned, problem: null, size: picture.size };
}
