// SPDX-License-Identifier: AGPL-3.0-or-later
// Strict encodings: one spelling per value, anything else is malformed. docs/protocol.md §1.

import { MalformedError } from "./errors.js";

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

export const ID_BYTES = 16;
export const HASH_BYTES = 32;

/**
 * @param {...Uint8Array} parts
 * @returns {Bytes}
 */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {string} text */
export function encodeUtf8(text) {
  return /** @type {Bytes} */ (new TextEncoder().encode(text));
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function decodeUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new MalformedError("not UTF-8");
  }
}

/** @param {Uint8Array} bytes */
export function encodeHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} text lower-case hexadecimal of exactly `size` bytes
 * @param {number} size
 * @returns {Bytes}
 */
export function decodeHex(text, size) {
  if (text.length !== 2 * size || !/^[0-9a-f]*$/.test(text)) {
    throw new MalformedError(`not ${2 * size} lower-case hexadecimal digits`);
  }
  return Uint8Array.from({ length: size }, (_, index) => parseInt(text.slice(2 * index, 2 * index + 2), 16));
}

/** @param {Uint8Array} bytes */
export function encodeBase64(bytes) {
  let binary = "";
  // In slices, because the number of arguments of a call is limited.
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

/**
 * @param {string} text canonical base64: padded, no line breaks, unused bits zero
 * @returns {Bytes}
 */
export function decodeBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new MalformedError("not base64");
  }
  if (btoa(binary) !== text) throw new MalformedError("base64 is not canonical");
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/**
 * The domain separator `amparo/v1/<name>` and a newline, in front of hashed bytes.
 *
 * @param {string} name
 */
export function label(name) {
  return encodeUtf8(`amparo/v1/${name}\n`);
}

/**
 * @param {string} text
 * @returns {string} the same `YYYY-MM-DD`, if there is such a day
 */
export function parseDay(text) {
  const time = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  if (Number.isNaN(time) || formatDay(new Date(time)) !== text || text < "0001") throw new MalformedError("no such day");
  return text;
}

/** @param {Date} time */
export function formatDay(time) {
  return time.toISOString().slice(0, 10);
}

/**
 * How many days `later` is after `earlier`.
 *
 * @param {string} earlier
 * @param {string} later
 */
export function daysBetween(earlier, later) {
  return (Date.parse(`${later}T00:00:00Z`) - Date.parse(`${earlier}T00:00:00Z`)) / 86_400_000;
}

/**
 * Compare in constant time for arrays of equal length.
 *
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
export function sameBytes(one, other) {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= one[at] ^ other[at];
  return difference === 0;
}
