// SPDX-License-Identifier: AGPL-3.0-or-later
// Questionnaires are held to the same form as by crypto/questionnaire.py: tests/crypto/test_questionnaire.py.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Fields } from "../../../static/src/formats/document.js";
import { readQuestionnaire } from "../../../static/src/formats/questionnaire.js";

const DEFAULT = JSON.parse(readFileSync(new URL("../../../oversight/questionnaires/default.json", import.meta.url), "utf8"));
const read = (changes) => readQuestionnaire(new Fields({ ...structuredClone(DEFAULT), ...changes }), ["en", "ar"]);
const urgent = (...questions) => questions.map(([question, required]) => ({ question, required }));

test("the questionnaire that an office begins with is read, and one without a short way too", () => {
  assert.deepEqual(read({}), { id: DEFAULT.id, number: DEFAULT.number });
  const { urgent: _, ...plain } = structuredClone(DEFAULT);
  assert.ok(readQuestionnaire(new Fields(plain), ["en", "ar"]));
});

const REFUSED = {
  "a question that there is not": [urgent(["nothing", false], ["story", true]), "MalformedError"],
  "files": [urgent(["files", false], ["story", true]), "MalformedError"],
  "a question twice": [urgent(["story", true], ["story", true]), "MalformedError"],
  "what must be answered, not required": [urgent(["story", false]), "MalformedError"],
  "not what must be answered": [urgent(["place", true]), "MalformedError"],
  "a member missing": [[{ question: "story" }], "MalformedError"],
  "four that are required": [urgent(["story", true], ["place", true], ["when", true], ["what", true]), "LimitError"],
  "nine": [urgent(...Array.from({ length: 9 }, (_, index) => [`q${index}`, false])), "LimitError"],
};
for (const [what, [questions, name]] of Object.entries(REFUSED)) {
  test(`of the urgent questions is refused: ${what}`, () => {
    assert.throws(() => read({ urgent: questions }), (error) => error.constructor.name === name);
  });
}
