// SPDX-License-Identifier: AGPL-3.0-or-later
// A PNG of one bit a pixel, not compressed, with the three chunks that it must have and nothing that tells of a device
// or a time (W3C PNG, third edition; RFC 1950, RFC 1951).

/** @typedef {import("./bitmap.js").Bitmap} Bitmap */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
// Bit depth 1, greyscale, and the only compression, filter and no interlacing.
const KIND = [1, 0, 0, 0, 0];
// Of a window of 32 KiB, without a dictionary.
const ZLIB_HEAD = [0x78, 0x01];
const STORED_BYTES_MAX = 0xffff;
const ADLER_MODULUS = 65521;

/**
 * @param {Bitmap} bitmap
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodePng(bitmap) {
  const size = [...word(bitmap.width), ...word(bitmap.height)];
  return Uint8Array.from([
    ...SIGNATURE,
    ...chunk("IHDR", [...size, ...KIND]),
    ...chunk("IDAT", stored(filtered(bitmap))),
    ...chunk("IEND", []),
  ]);
}

/**
 * Every row after its filter's number: 0, none.
 *
 * @param {Bitmap} bitmap
 */
function filtered({ bytes, rowBytes, height }) {
  const rows = Array.from({ length: height }, (_, y) => [0, ...bytes.subarray(y * rowBytes, (y + 1) * rowBytes)]);
  return rows.flat();
}

/**
 * Bytes as a zlib stream of blocks that are stored as they are.
 *
 * @param {number[]} bytes
 */
function stored(bytes) {
  const blocks = [];
  for (let start = 0; start < bytes.length; start += STORED_BYTES_MAX) {
    const block = bytes.slice(start, start + STORED_BYTES_MAX);
    const isLast = start + STORED_BYTES_MAX >= bytes.length;
    const length = [block.length & 0xff, block.length >> 8];
    blocks.push([Number(isLast), ...length, ...length.map((byte) => byte ^ 0xff), ...block]);
  }
  return [...ZLIB_HEAD, ...blocks.flat(), ...word(adler32(bytes))];
}

/**
 * @param {string} type four ASCII letters
 * @param {number[]} data
 */
function chunk(type, data) {
  const named = [...[...type].map((letter) => letter.charCodeAt(0)), ...data];
  return [...word(data.length), ...named, ...word(crc32(named))];
}

/** Big-endian. @param {number} number of 32 bits */
function word(number) {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff);
}

/** @param {number[]} bytes */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc;
}

/** @param {number[]} bytes */
function adler32(bytes) {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % ADLER_MODULUS;
    high = (high + low) % ADLER_MODULUS;
  }
  return (high << 16) | low;
}
