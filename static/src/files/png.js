// SPDX-License-Identifier: AGPL-3.0-or-later
// PNG (W3C PNG, third edition): keep the chunks that make the picture. A colour profile, which names its device and is
// compressed, goes too; gamma and primaries stay.

import { PARTS_MAX } from "./pieces.js";
import { latin } from "./sliding-window.js";

const SIGNATURE = "\x89PNG\r\n\x1a\n";
const HEADER_BYTES = 8;
const CRC_BYTES = 4;
const STEP_BYTES = 128 * 1024;
const KEPT = new Set("IHDR PLTE IDAT IEND tRNS cHRM gAMA sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs acTL fcTL fdAT".split(" "));
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** @typedef {import("./sliding-window.js").SlidingWindow} SlidingWindow */

/**
 * @param {SlidingWindow} file
 * @returns {Promise<import("./pieces.js").Picture | null>} null if this is not a whole and sound PNG
 */
export async function cleanPng(file) {
  const chunks = await readChunks(file);
  // A critical chunk that we do not know could hold anything.
  if (chunks === null || chunks.some(({ type }) => !KEPT.has(type) && /^[A-Z]/.test(type))) return null;
  const pieces = [{ from: 0, until: 8 }];
  for (const { type, from, until } of chunks) {
    const last = pieces[pieces.length - 1];
    if (!KEPT.has(type)) continue;
    if (last.until === from) last.until = until;
    else pieces.push({ from, until });
  }
  const head = await file.read(16, 8);
  const view = new DataView(head.buffer, head.byteOffset);
  return { pieces, size: { width: view.getUint32(0), height: view.getUint32(4) } };
}

/**
 * Read a cleaned PNG again: whether there is nothing in it but what `cleanPng` leaves.
 *
 * @param {SlidingWindow} file
 */
export async function isCleanPng(file) {
  const chunks = await readChunks(file);
  return chunks !== null && chunks[chunks.length - 1].until === file.size && chunks.every(({ type }) => KEPT.has(type));
}

/** @param {SlidingWindow} file */
async function readChunks(file) {
  if (latin(await file.read(0, 8)) !== SIGNATURE) return null;
  const chunks = [];
  for (let at = 8; chunks.length < PARTS_MAX; ) {
    const header = await file.read(at, HEADER_BYTES);
    if (header.length < HEADER_BYTES) return null;
    const length = new DataView(header.buffer, header.byteOffset).getUint32(0);
    const type = latin(header.subarray(4));
    const until = at + HEADER_BYTES + length + CRC_BYTES;
    if (until > file.size || !(await isSound(file, at + 4, until))) return null;
    if ((type === "IHDR") !== (at === 8) || (type === "IEND" && length > 0)) return null;
    chunks.push({ type, from: at, until });
    if (type === "IEND") return chunks.some((chunk) => chunk.type === "IDAT") ? chunks : null;
    at = until;
  }
  return null;
}

/**
 * Whether a chunk's type and content have the sum that follows them.
 *
 * @param {SlidingWindow} file
 * @param {number} at
 * @param {number} until
 */
async function isSound(file, at, until) {
  const end = until - CRC_BYTES;
  let sum = 0xffffffff;
  while (at < end) {
    const bytes = await file.read(at, Math.min(STEP_BYTES, end - at));
    if (bytes.length === 0) return false;
    for (const byte of bytes) sum = CRC_TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
    at += bytes.length;
  }
  const due = await file.read(end, CRC_BYTES);
  return (sum ^ 0xffffffff) >>> 0 === new DataView(due.buffer, due.byteOffset).getUint32(0);
}
