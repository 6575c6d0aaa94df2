// SPDX-License-Identifier: AGPL-3.0-or-later
// The two groups typed back: one clear message at a time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addChecks, groups } from "../../../static/src/formats/receipt-code.js";
import { TypeBack } from "../../../static/src/page/components/receipt.js";
import { element } from "./elements.mjs";

const CODE = addChecks("31415926535897932384626433");

function begin() {
  const fields = ["one", "two"].map((id) => element({ id }));
  const labels = [element({}), element({})];
  const without = element({});
  const panel = element({}, { "[data-back-field]": fields, "[data-back-label]": labels, "[data-without-code]": [without], "[data-type-back]": [element({})] });
  const typeBack = new TypeBack(panel, CODE);
  const numbers = labels.map(({ textContent }) => Number(textContent.split(" ")[1]));
  return { typeBack, fields, without, right: numbers.map((number) => groups(CODE)[number - 1]), numbers };
}

const said = ({ problems }) => problems.map(({ message, field }) => [message.replace(/\d( and \d)?/, "#"), field]);

test("right groups are taken, in the digits of any script", () => {
  const { typeBack, fields, right } = begin();
  fields[0].value = ` ${right[0]} `;
  fields[1].value = right[1].replace(/\d/g, (digit) => "०१२३४५६७८९"[digit]);
  assert.deepEqual(typeBack.problems, []);
});

test("one that is wrong, or missing, is named at its field", () => {
  const { typeBack, fields, right } = begin();
  fields[0].value = right[0];
  assert.deepEqual(said(typeBack), [["Type group # of your code", "two"]]);
  fields[1].value = "12345";
  assert.deepEqual(said(typeBack), [["Group # is not the same. Look again at what you wrote down", "two"]]);
});

test("two of a kind are named in one sentence, and what is wrong before what is missing", () => {
  const { typeBack, fields, numbers } = begin();
  assert.deepEqual(typeBack.problems, [{ message: `Type groups ${numbers.join(" and ")} of your code`, field: "one" }]);
  fields[1].value = "12345";
  assert.deepEqual(said(typeBack), [["Group # is not the same. Look again at what you wrote down", "two"]]);
  fields[0].value = "x";
  assert.deepEqual(said(typeBack), [["Groups # are not the same. Look again at what you wrote down", "one"]]);
});

test("nothing is asked of who goes on without the code", () => {
  const { typeBack, without } = begin();
  without.checked = true;
  assert.deepEqual(typeBack.problems, []);
});
