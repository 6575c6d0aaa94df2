// SPDX-License-Identifier: AGPL-3.0-or-later
// The questions of a charter. The page shows them as the portal rendered them: here they are only held to their form, so
// that no charter is taken which others refuse. docs/protocol.md §4.3.

import { Fields } from "./document.js";
import { MalformedError } from "./errors.js";

const NUMBER_MAX = 1_000_000;
const PANELS_MAX = 64;
const QUESTIONS_MAX = 64;
const OPTIONS_MAX = 256;
const LABEL_CHARS_MAX = 500;
const HINT_CHARS_MAX = 4000;
const ID = /^[a-z][a-z0-9-]{0,30}$/;
const CODE = /^[A-Z][A-Z0-9-]{0,39}$/;
const KIND = /^(choice|checkboxes|text|line|date|country|files|members)$/;
const KIND_WITH_OPTIONS = /^ch/;

/**
 * @param {Fields} fields
 * @param {string[]} languages
 */
export function readQuestionnaire(fields, languages) {
  const questionnaire = { id: fields.text("id", ID), number: fields.integer("number", 1, NUMBER_MAX) };
  const panels = fields.items("panels", PANELS_MAX, (item) => readPanel(new Fields(item), languages));
  fields.end();
  refuseRepeats(panels.map(({ id }) => id));
  refuseRepeats(panels.flatMap(({ questions }) => questions));
  return questionnaire;
}

/**
 * @param {Fields} fields
 * @param {string[]} languages
 */
function readPanel(fields, languages) {
  const id = fields.text("id", ID);
  fields.translations("title", languages, LABEL_CHARS_MAX);
  if (fields.has("intro")) fields.translations("intro", languages, HINT_CHARS_MAX);
  const read = (/** @type {unknown} */ item) => readQuestion(new Fields(item), languages);
  const questions = fields.items("questions", QUESTIONS_MAX, read);
  fields.end();
  return { id, questions };
}

/**
 * @param {Fields} fields
 * @param {string[]} languages
 * @returns its id
 */
function readQuestion(fields, languages) {
  if (KIND_WITH_OPTIONS.test(fields.text("kind", KIND))) {
    const codes = fields.items("options", OPTIONS_MAX, (item) => readOption(new Fields(item), languages));
    refuse(codes.length === 0);
    refuseRepeats(codes);
  }
  const id = fields.text("id", ID);
  fields.translations("label", languages, LABEL_CHARS_MAX);
  if (fields.has("hint")) fields.translations("hint", languages, HINT_CHARS_MAX);
  fields.boolean("required");
  fields.end();
  return id;
}

/**
 * @param {Fields} fields
 * @param {string[]} languages
 */
function readOption(fields, languages) {
  const code = fields.text("code", CODE);
  fields.translations("label", languages, LABEL_CHARS_MAX);
  fields.end();
  return code;
}

/** @param {string[]} values */
export function refuseRepeats(values) {
  refuse(new Set(values).size !== values.length);
}

/** @param {boolean} broken */
export function refuse(broken) {
  if (broken) throw new MalformedError("the charter breaks a rule");
}
