// SPDX-License-Identifier: AGPL-3.0-or-later

/** A white sheet of pixels of one bit, as PNG has them: rows of whole bytes, the leftmost pixel highest, 1 for white. */
export class Bitmap {
  /**
   * @param {number} width pixels
   * @param {number} height pixels
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.rowBytes = Math.ceil(width / 8);
    this.bytes = new Uint8Array(this.rowBytes * height).fill(0xff);
  }

  /**
   * Blacken a rectangle, which lies within the sheet.
   *
   * @param {number} left
   * @param {number} top
   * @param {number} width
   * @param {number} height
   */
  fill(left, top, width, height) {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) {
        this.bytes[y * this.rowBytes + (x >> 3)] &= ~(0x80 >> (x & 7));
      }
    }
  }
}
