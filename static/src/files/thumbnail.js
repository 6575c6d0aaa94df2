// SPDX-License-Identifier: AGPL-3.0-or-later
// A small picture of a cleaned one, for its row in the list. A browser that can't make one shows none.

const HEIGHT = 96;
// A larger picture would take the memory of a small phone while it is unpacked, and one of a strip the list's.
const PIXELS_MAX = 40_000_000;
const SHAPE_MAX = 3;

/**
 * @param {import("../formats/worker-calls.js").CleanedFile} picture
 * @returns {Promise<ImageBitmap | undefined>}
 */
export async function thumbnailOf({ blob, size: { width, height } }) {
  if (!blob || width === 0 || width * height > PIXELS_MAX || Math.max(width / height, height / width) > SHAPE_MAX) return undefined;
  try {
    return await createImageBitmap(blob, { resizeHeight: HEIGHT, resizeQuality: "medium" });
  } catch {
    // Nothing is lost without it.
    return undefined;
  }
}
