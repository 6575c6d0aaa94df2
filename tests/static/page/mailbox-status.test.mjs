// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareNote, evidenceOf } from "../../../static/src/page/components/mailbox-status.js";
import { ageInDays, dayWithAge } from "../../../static/src/page/strings.js";

const MANIFEST = "5f".repeat(32);
const note = (manifest) => `amparo acknowledgement v1\nrealm\nsubmission\n${manifest}\ncommitment\n`;

test("a saved proof agrees only by the line that names the manifest", () => {
  assert.equal(compareNote(note(MANIFEST), MANIFEST), "same");
  assert.equal(compareNote(note(MANIFEST).replaceAll("\n", "\r\n"), MANIFEST), "same");
  assert.equal(compareNote(note("0".repeat(64)) + MANIFEST, MANIFEST), "other");
  assert.equal(compareNote(note(MANIFEST).replace("acknowledgement", "collection"), MANIFEST), "no-note");
  assert.equal(compareNote("", MANIFEST), "no-note");
});

test("nothing agrees with a code that opens nothing", () => {
  assert.equal(compareNote(note("null"), null), "other");
  assert.equal(compareNote("amparo acknowledgement v1", null), "other");
});

test("evidence holds every note once, in its order", () => {
  const alarms = [
    { kind: "collection", evidence: ["a\n", "b\n"] },
    { kind: "thread", evidence: ["b\n", "c\n"] },
  ];
  const text = evidenceOf(alarms);
  assert.deepEqual(text.match(/^[abc]$/gm), ["a", "b", "c"]);
});

test("a day has its age by the device's clock, and none when it is to come", ({ mock }) => {
  mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-05-06T00:30:00Z") });
  assert.equal(ageInDays("2026-05-06"), 0);
  assert.equal(ageInDays("2026-04-22"), 14);
  assert.equal(dayWithAge("2026-05-03"), "3 May 2026 (3 days ago)");
  assert.equal(dayWithAge("2026-05-07"), "7 May 2026");
  assert.equal(dayWithAge("no day"), "no day");
});
