// SPDX-License-Identifier: AGPL-3.0-or-later
// The receipt code as a picture: its groups one below the other, and a QR code that holds the 35 digits and nothing else.
// Loaded only when the person asks for a picture.
//
// The bytes are made here and not by a canvas: browsers that resist fingerprinting give out noise for a canvas.

import { encodeQR } from "qr";
import { groups } from "../../formats/receipt-code.js";
import { drawNumber } from "./digits.js";
import { Bitmap } from "./bitmap.js";
import { encodePng } from "./png.js";

const MODULE = 10;
// The quiet zone of ISO/IEC 18004, in modules.
const QUIET = 4;
const LINE_HEIGHT = 64;
const TOP = 40;
const NUMBER_LEFT = 40;
const GROUP_LEFT = 90;
const DIGIT_SCALE = 6;
const NUMBER_SCALE = 3;

/**
 * @param {string} code 35 digits
 * @returns {Uint8Array} a PNG, black on white
 */
export function drawCode(code) {
  const modules = encodeQR(code, "raw", { ecc: "quartile", encoding: "numeric", border: QUIET });
  const lines = groups(code);
  const qrTop = TOP + lines.length * LINE_HEIGHT;
  const bitmap = new Bitmap(modules.length * MODULE, qrTop + modules.length * MODULE);
  lines.forEach((group, index) => {
    const top = TOP + index * LINE_HEIGHT;
    drawNumber(bitmap, String(index + 1), NUMBER_LEFT, top, NUMBER_SCALE);
    drawNumber(bitmap, group, GROUP_LEFT, top, DIGIT_SCALE);
  });
  modules.forEach((row, y) =>
    row.forEach((dark, x) => {
      if (dark) bitmap.fill(x * MODULE, qrTop + y * MODULE, MODULE, MODULE);
    }),
  );
  return encodePng(bitmap);
}
