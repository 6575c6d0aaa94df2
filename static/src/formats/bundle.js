// SPDX-License-Identifier: AGPL-3.0-or-later
// A submission as one file: a stored ZIP archive with a single encoding. docs/protocol.md §6.1.
//
//     for each entry:   local header (30) ‖ name ‖ content
//     for each entry:   central header (46) ‖ name
//     end record (22)

import { concat, encodeUtf8 } from "./encoding.js";

export const MEDIA_TYPE = "application/vnd.amparo.bundle+zip";
const LOCAL_MARK = 0x04034b50;
const CENTRAL_MARK = 0x02014b50;
const END_MARK = 0x06054b50;
const VERSION = 20;
const DATE = 0x0021;

/** @typedef {{ name: string, content: Uint8Array }} Entry */

/**
 * @param {Uint8Array} manifest its bytes
 * @param {string} commitment hex
 * @param {Entry[]} files `state.age`, then those of the manifest in its order; attachments may be left out
 */
export function writeBundle(manifest, commitment, files) {
  const entries = [
    { name: "manifest.json", content: manifest },
    { name: "commitment", content: encodeUtf8(commitment) },
    ...files,
  ];
  /** @type {Uint8Array[]} */
  const archive = [];
  /** @type {Uint8Array[]} */
  const directory = [];
  let offset = 0;
  for (const { name, content } of entries) {
    const header = localHeader(name, content);
    directory.push(centralHeader(header, offset));
    archive.push(header, content);
    offset += header.length + content.length;
  }
  const central = concat(...directory);
  return concat(...archive, central, endRecord(entries.length, central.length, offset));
}

/**
 * @param {string} name
 * @param {Uint8Array} content
 */
function localHeader(name, content) {
  const header = new Uint8Array(30 + name.length);
  const view = new DataView(header.buffer);
  view.setUint32(0, LOCAL_MARK, true);
  view.setUint16(4, VERSION, true);
  // Flags, method and time are zero.
  view.setUint16(12, DATE, true);
  view.setUint32(14, crc32(content), true);
  view.setUint32(18, content.length, true);
  view.setUint32(22, content.length, true);
  view.setUint16(26, name.length, true);
  header.set(encodeUtf8(name), 30);
  return header;
}

/**
 * @param {Uint8Array} local the entry's local header, whose fields are repeated here
 * @param {number} offset
 */
function centralHeader(local, offset) {
  const header = new Uint8Array(local.length + 16);
  const view = new DataView(header.buffer);
  view.setUint32(0, CENTRAL_MARK, true);
  view.setUint16(4, VERSION, true);
  header.set(local.subarray(4, 30), 6);
  // Comment, disk and attributes are zero.
  view.setUint32(42, offset, true);
  header.set(local.subarray(30), 46);
  return header;
}

/**
 * @param {number} count
 * @param {number} size bytes of the central directory
 * @param {number} offset of the central directory
 */
function endRecord(count, size, offset) {
  const record = new Uint8Array(22);
  const view = new DataView(record.buffer);
  view.setUint32(0, END_MARK, true);
  view.setUint16(8, count, true);
  view.setUint16(10, count, true);
  view.setUint32(12, size, true);
  view.setUint32(16, offset, true);
  return record;
}

/** @param {Uint8Array} bytes */
export function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
