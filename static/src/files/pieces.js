// SPDX-License-Identifier: AGPL-3.0-or-later
// A cleaned picture as pieces: ranges of the original, which are referenced and not copied, and a few new bytes.

/**
 * @typedef {{ from: number, until: number } | Uint8Array<ArrayBuffer>} Piece a range of the original, or new bytes
 * @typedef {{ width: number, height: number }} Size in pixels
 * @typedef {{ pieces: Piece[], size: Size }} Picture
 */

// A file of very many tiny parts would fill the memory with their list.
export const PARTS_MAX = 20_000;

/**
 * The file that the pieces make; memory stays small.
 *
 * @param {Blob} blob the original
 * @param {Piece[]} pieces
 * @param {string} type
 */
export function join(blob, pieces, type) {
  const parts = pieces.map((piece) => (piece instanceof Uint8Array ? piece : blob.slice(piece.from, piece.until)));
  return new Blob(parts, { type });
}

/** @param {Uint8Array} a @param {Uint8Array} b */
export function equal(a, b) {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
