// SPDX-License-Identifier: AGPL-3.0-or-later
// A reporter's answers: values by question id. docs/protocol.md §4.3.

import { encodeJson } from "./canonical-json.js";
import { LABEL } from "./charter.js";
import { Fields } from "./document.js";
import { LimitError, MalformedError } from "./errors.js";

const ANSWERS_MAX = 512;
// A report has at most 1 MiB; the rest is left for its attachments and keys.
const ANSWERS_BYTES_MAX = 960 * 1024;
const CODES_MAX = 256;
const CODE_CHARACTERS_MAX = 64;
const PARTS = { year: [1, 9999], month: [1, 12], day: [1, 31], hour: [0, 23] };

/**
 * Check the shape of all answers before they are sealed: the office would notice too late.
 *
 * @param {Record<string, unknown>} answers
 * @throws {MalformedError | LimitError}
 */
export function checkAnswers(answers) {
  const entries = Object.entries(answers);
  if (entries.length > ANSWERS_MAX) throw new LimitError("too many answers");
  for (const [name, answer] of entries) {
    if (!LABEL.test(name)) throw new MalformedError("the id of an answered question is malformed");
    if (Array.isArray(answer)) checkCodes(answer);
    else if (typeof answer !== "string") checkDate(new Fields(answer));
  }
  if (encodeJson(answers).length > ANSWERS_BYTES_MAX) throw new LimitError("answers are too long");
}

/** @param {unknown[]} codes */
function checkCodes(codes) {
  const isCode = (/** @type {unknown} */ code) => typeof code === "string" && code.length <= CODE_CHARACTERS_MAX;
  if (codes.length > CODES_MAX || new Set(codes).size !== codes.length || !codes.every(isCode)) {
    throw new MalformedError("an answer holds a value that is not a code");
  }
}

/** @param {Fields} fields */
function checkDate(fields) {
  for (const [name, [low, high]] of Object.entries(PARTS)) {
    // Only a moment has an hour.
    if (name === "hour" && !fields.has(name)) continue;
    const value = fields.take(name);
    if (value !== null) new Fields({ value }).integer("value", low, high);
  }
  fields.boolean("about");
  fields.end();
}
