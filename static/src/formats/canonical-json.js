// SPDX-License-Identifier: AGPL-3.0-or-later
// Canonical JSON (RFC 8785) without fractions. docs/protocol.md §1.

import { decodeUtf8, encodeUtf8, sameBytes } from "./encoding.js";
import { LimitError, MalformedError } from "./errors.js";

const DEPTH_MAX = 32;
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/**
 * @param {unknown} value objects, arrays, strings, booleans, null, integers from −(2⁵³ − 1) to 2⁵³ − 1
 * @returns {import("./encoding.js").Bytes}
 */
export function encodeJson(value) {
  return encodeUtf8(write(value, 0));
}

/**
 * Read canonical JSON: bytes that differ from the encoding of their value are malformed.
 *
 * @param {Uint8Array} bytes
 * @param {number} sizeMax bytes
 * @returns {unknown}
 */
export function decodeJson(bytes, sizeMax) {
  if (bytes.length > sizeMax) throw new LimitError(`JSON of ${bytes.length} bytes, the limit is ${sizeMax}`);
  let value;
  try {
    value = JSON.parse(decodeUtf8(bytes));
  } catch {
    throw new MalformedError("not JSON");
  }
  if (!sameBytes(encodeJson(value), bytes)) throw new MalformedError("JSON is not canonical");
  return value;
}

/**
 * @param {unknown} value
 * @param {number} depth
 * @returns {string}
 */
function write(value, depth) {
  if (depth > DEPTH_MAX) throw new MalformedError("JSON is nested too deeply");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return writeText(value);
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
  if (typeof value !== "object") throw new MalformedError("value has no canonical JSON");
  const members = Object.entries(/** @type {object} */ (value));
  // Names are sorted by their UTF-16 code units, as JavaScript compares strings (RFC 8785 §3.2.3).
  members.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, item]) => `${writeText(name)}:${write(item, depth + 1)}`).join(",")}}`;
}

/** @param {string} text */
function writeText(text) {
  if (LONE_SURROGATE.test(text)) throw new MalformedError("text is not Unicode");
  // RFC 8785 §3.2.2.2 uses the escapes of JSON.stringify.
  return JSON.stringify(text);
}
