// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { levelOf } from "../../../static/src/page/urgency.js";

const NOW = Date.UTC(2026, 2, 3, 20);
const TAXONOMY = readFileSync(new URL("../../../crypto/taxonomy.py", import.meta.url), "utf8");

/** A list of the taxonomy that is spelled out in one line. */
function listOf(name) {
  const [, items] = TAXONOMY.match(new RegExp(`^${name} = \\(([^)*]*)\\)$`, "m"));
  return items.match(/[A-Z0-9-]+/g);
}

test("the codes of each level are those of the taxonomy", () => {
  const [now, soon, noted] = ["URGENCY_NOW", "URGENCY_SOON", "URGENCY_NOTED"].map(listOf);
  assert.ok(now.length > 3 && soon.length > 3 && noted.length > 3);
  const levels = (codes) => [...new Set(codes.map((code) => levelOf([code], NOW)))];
  assert.deepEqual([levels(now), levels(soon), levels(noted)], [["now"], ["soon"], ["none"]]);
  const source = readFileSync(new URL("../../../static/src/page/urgency.js", import.meta.url), "utf8");
  assert.deepEqual(source.match(/"UR-[A-Z0-9-]+"/g), [...now, ...soon].map((code) => `"${code}"`));
});

test("the most urgent code decides, whatever else was answered", () => {
  assert.equal(levelOf([["UR-MED", "EXT-COUNSEL", "UR-LIFE"], "HELD", { year: 2026 }], NOW), "now");
  assert.equal(levelOf([["UR-WITNESS", "UR-MED"]], NOW), "soon");
  assert.equal(levelOf([["UR-UNHEARD-OF"], "in words: UR-LIFE", undefined], NOW), "none");
  assert.equal(levelOf([], NOW), "none");
});

test("a surrender within three days is a matter of hours, and any other one of days", () => {
  const surrender = (day, month = 3) => [{ year: 2026, month, day, about: true, hour: null }];
  for (const day of [1, 3, 4, 5, 6]) assert.equal(levelOf(surrender(day), NOW), "now", day);
  for (const day of [8, 30]) assert.equal(levelOf(surrender(day), NOW), "soon", day);
  assert.equal(levelOf(surrender(null, null), NOW), "soon");
  assert.equal(levelOf(surrender(null), NOW), "soon");
  assert.equal(levelOf([["UR-LIFE"], ...surrender(30)], NOW), "now");
});
