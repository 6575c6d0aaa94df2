// SPDX-License-Identifier: AGPL-3.0-or-later
// Digits of five by seven dots. No two of them are alike, also where the picture is small or blurred.

/** @typedef {import("./bitmap.js").Bitmap} Bitmap */

const WIDTH = 5;
// One dot of room between two digits.
const ADVANCE = WIDTH + 1;

/** Seven rows from the top, the highest of five bits on the left. */
const ROWS = [
  [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
  [0b00100, 0b01100, 0b10100, 0b00100, 0b00100, 0b00100, 0b11111],
  [0b01110, 0b10001, 0b00001, 0b00010, 0b00100, 0b01000, 0b11111],
  [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
  [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
  [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
  [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
  [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
  [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
  [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
];

/**
 * @param {Bitmap} bitmap
 * @param {string} digits ASCII digits
 * @param {number} left
 * @param {number} top
 * @param {number} scale pixels of a dot
 */
export function drawNumber(bitmap, digits, left, top, scale) {
  [...digits].forEach((digit, place) =>
    ROWS[Number(digit)].forEach((row, y) => {
      for (let x = 0; x < WIDTH; x++) {
        const isDark = (row >> (WIDTH - 1 - x)) & 1;
        if (isDark) bitmap.fill(left + (place * ADVANCE + x) * scale, top + y * scale, scale, scale);
      }
    }),
  );
}
