// SPDX-License-Identifier: AGPL-3.0-or-later
// PNG (W3C PNG, third edition): keep the chunks that make the picture.

const SIGNATURE = "89504e470d0a1a0a";
const HEADER_BYTES = 8;
const CRC_BYTES = 4;
const KEPT = new Set(
  "IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs acTL fcTL fdAT".split(" "),
);

/**
 * @param {import("./sliding-window.js").SlidingWindow} file
 * @returns {Promise<import("./strip-jpeg.js").Piece[] | null>} null if this is not a PNG, or a truncated one
 */
export async function stripPng(file) {
  if (toHex(await file.read(0, 8)) !== SIGNATURE) return null;
  const pieces = [{ from: 0, until: 8 }];
  for (let at = 8; ; ) {
    const header = await file.read(at, HEADER_BYTES);
    if (header.length < HEADER_BYTES) return null;
    const until = at + HEADER_BYTES + new DataView(header.buffer, header.byteOffset).getUint32(0) + CRC_BYTES;
    const type = String.fromCharCode(...header.subarray(4));
    if ((await file.read(until - 1, 1)).length === 0) return null;
    // A critical chunk that we do not know could hold anything.
    if (!KEPT.has(type) && /^[A-Z]/.test(type)) return null;
    if (KEPT.has(type)) keep(pieces, at, until);
    if (type === "IEND") return pieces;
    at = until;
  }
}

/**
 * @param {{ from: number, until: number }[]} pieces
 * @param {number} from
 * @param {number} until
 */
function keep(pieces, from, until) {
  const last = pieces[pieces.length - 1];
  if (last.until === from) last.until = until;
  else pieces.push({ from, until });
}

/** @param {Uint8Array} bytes */
function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
