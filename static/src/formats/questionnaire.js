// SPDX-License-Identifier: AGPL-3.0-or-later
// The questions of a charter. The page shows them as the portal rendered them: here they are only held to their form, so
// that no charter is taken which others refuse. docs/protocol.md §4.3.

import { Fields } from "./document.js";
import { LimitError, MalformedError } from "./errors.js";

const NUMBER_MAX = 1_000_000;
const PANELS_MAX = 64;
const QUESTIONS_MAX = 64;
const OPTIONS_MAX = 256;
const URGENT_MAX = 8;
const URGENT_REQUIRED_MAX = 3;
const LABEL_CHARS_MAX = 500;
const HINT_CHARS_MAX = 4000;
const ID = /^[a-z][a-z0-9-]{0,30}$/;
const CODE = /^[A-Z][A-Z0-9-]{0,39}$/;
const KIND = /^(choice|checkboxes|text|line|date|moment|country|files|members)$/;
const KIND_WITHOUT_ANSWER = /^(files|members)$/;
const KIND_WITH_OPTIONS = /^ch/;

/**
 * @param {Fields} fields
 * @param {string[]} languages
 */
export function readQuestionnaire(fields, languages) {
  const questionnaire = { id: fields.text("id", ID), number: fields.integer("number", 1, NUMBER_MAX) };
  const panels = fields.items("panels", PANELS_MAX, (item) => readPanel(new Fields(item), languages));
  const urgent = fields.has("urgent") ? fields.items("urgent", URGENT_MAX, (item) => readUrgent(new Fields(item))) : [];
  fields.end();
  refuseRepeats(panels.map(({ id }) => id));
  const questions = panels.flatMap(({ questions }) => questions);
  refuseRepeats(questions.map(({ id }) => id));
  checkUrgent(urgent, questions);
  return questionnaire;
}

/** @param {Fields} fields */
function readUrgent(fields) {
  const urgent = { id: fields.text("question", ID), required: fields.boolean("required") };
  fields.end();
  return urgent;
}

/**
 * @param {{ id: string, required: boolean }[]} urgent
 * @param {{ id: string, required: boolean, answered: boolean }[]} questions
 */
function checkUrgent(urgent, questions) {
  const required = urgent.filter((item) => item.required).map(({ id }) => id);
  refuseRepeats(urgent.map(({ id }) => id));
  if (required.length > URGENT_REQUIRED_MAX) throw new LimitError("too many urgent questions have to be answered");
  const answered = questions.filter((question) => question.answered);
  refuse(!urgent.every(({ id }) => answered.some((question) => question.id === id)));
  refuse(urgent.length > 0 && !answered.every(({ id, required: must }) => !must || required.includes(id)));
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
 */
function readQuestion(fields, languages) {
  const kind = fields.text("kind", KIND);
  if (KIND_WITH_OPTIONS.test(kind)) {
    const codes = fields.items("options", OPTIONS_MAX, (item) => readOption(new Fields(item), languages));
    refuse(codes.length === 0);
    refuseRepeats(codes);
  }
  const id = fields.text("id", ID);
  fields.translations("label", languages, LABEL_CHARS_MAX);
  if (fields.has("hint")) fields.translations("hint", languages, HINT_CHARS_MAX);
  const required = fields.boolean("required");
  fields.end();
  return { id, required, answered: !KIND_WITHOUT_ANSWER.test(kind) };
}

/**
 * @param {Fields} fields
 * @param {string[]} languages
 */
function readOption(fields, languages) {
  const code = fields.text("code", CODE);
  fields.translations("label", languages, LABEL_CHARS_MAX);
  if (fields.has("group")) fields.translations("group", languages, LABEL_CHARS_MAX);
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
