// SPDX-License-Identifier: AGPL-3.0-or-later
// A strict reader of JSON objects, field by field: unspecified members are refused. docs/protocol.md §1.

import { decodeJson } from "./canonical-json.js";
import { decodeHex, parseDay } from "./encoding.js";
import { LimitError, MalformedError, UnsupportedVersionError } from "./errors.js";

const TEXT_MAX = 65_536;

/** The members of one JSON object, each read once; `end` refuses members that were not read. */
export class Fields {
  #members;

  /** @param {unknown} value */
  constructor(value) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new MalformedError("not an object");
    this.#members = new Map(Object.entries(value));
  }

  /**
   * @param {string} name
   * @returns {unknown}
   */
  take(name) {
    if (!this.#members.has(name)) throw new MalformedError(`${name} is missing`);
    const value = this.#members.get(name);
    this.#members.delete(name);
    return value;
  }

  /** @param {string} name */
  has(name) {
    return this.#members.has(name);
  }

  /**
   * @param {string} name
   * @param {RegExp} [pattern] that must match the whole text
   * @param {number} [charactersMax]
   */
  text(name, pattern, charactersMax = TEXT_MAX) {
    const value = this.take(name);
    if (typeof value !== "string" || (pattern && !pattern.test(value))) throw wrong(name);
    // Code points are counted only when the cheap count exceeds the limit.
    if (value.length > charactersMax && [...value].length > charactersMax) throw above(name);
    return value;
  }

  /**
   * @param {string} name
   * @param {number} size bytes
   */
  hex(name, size) {
    const text = this.text(name);
    decodeHex(text, size);
    return text;
  }

  /**
   * @param {string} name
   * @param {number} low
   * @param {number} high
   */
  integer(name, low, high) {
    const value = /** @type {number} */ (this.take(name));
    if (!Number.isInteger(value)) throw wrong(name);
    if (value < low || value > high) throw above(name);
    return value;
  }

  /** @param {string} name */
  boolean(name) {
    const value = this.take(name);
    if (typeof value !== "boolean") throw wrong(name);
    return value;
  }

  /** @param {string} name */
  day(name) {
    return parseDay(this.text(name));
  }

  /**
   * `null`, or what `read` takes.
   *
   * @template T
   * @param {string} name
   * @param {(fields: Fields) => T} read
   * @returns {T | null}
   */
  optional(name, read) {
    if (this.#members.get(name) !== null) return read(this);
    this.take(name);
    return null;
  }

  /** @param {string} name */
  child(name) {
    return new Fields(this.take(name));
  }

  /**
   * @template T
   * @param {string} name
   * @param {number} countMax
   * @param {(item: unknown) => T} read
   * @returns {T[]}
   */
  items(name, countMax, read) {
    const value = this.take(name);
    if (!Array.isArray(value)) throw wrong(name);
    if (value.length > countMax) throw above(name);
    return value.map((item) => read(item));
  }

  /**
   * @param {string} name
   * @param {number} countMax
   */
  texts(name, countMax) {
    return this.items(name, countMax, (item) => new Fields({ item }).text("item", undefined, 4096));
  }

  /**
   * A text for each of these languages, and no other.
   *
   * @param {string} name
   * @param {string[]} languages
   * @param {number} [charactersMax]
   */
  translations(name, languages, charactersMax) {
    const texts = this.child(name);
    for (const language of languages) texts.text(language, undefined, charactersMax);
    texts.end();
  }

  /** Refuse members that were not read. */
  end() {
    if (this.#members.size > 0) throw new MalformedError("there are members that are not specified");
  }
}

/** @param {string} name */
function wrong(name) {
  return new MalformedError(`${name} is not in the expected form`);
}

/** @param {string} name */
function above(name) {
  return new LimitError(`${name} is outside its limits`);
}

/**
 * The fields of canonical JSON of version `amparo/v1/<name>`.
 *
 * @param {Uint8Array} bytes
 * @param {string} name
 * @param {number} sizeMax bytes
 */
export function readDocument(bytes, name, sizeMax) {
  const fields = new Fields(decodeJson(bytes, sizeMax));
  const version = fields.text("version", undefined, 64);
  if (version !== `amparo/v1/${name}`) {
    if (version.startsWith("amparo/")) throw new UnsupportedVersionError(`the ${name} has another version`);
    throw new MalformedError(`the ${name} has no known version`);
  }
  return fields;
}
