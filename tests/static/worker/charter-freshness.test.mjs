// SPDX-License-Identifier: AGPL-3.0-or-later
// A charter that a page gives, and what the portal shows beside it: docs/protocol.md §4.2.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFreshness } from "../../../static/src/worker/charter-freshness.js";
import { Thread, VISITED } from "../thread.mjs";

const started = await Thread.start();
const OTHER = "0d".repeat(32);
const REPLACED = { name: "PortalError", code: "charter-replaced" };

/** A commission with a second charter, which is in force from a day. */
function begin(from = "2026-01-01") {
  const thread = started.copy();
  const [first] = thread.charters;
  return { thread, first, second: thread.changeCharter({ valid: { from, until: "2027-12-31" } }) };
}

const check = (charter, charters, newest) =>
  checkFreshness(charter, { charters: charters.map(({ signed }) => signed), newest }, VISITED);

test("a note that confirms the charter says on which day, and is old after a week", () => {
  const { newest: first } = started;
  const day = (of) => check(first, [], started.newestNote({ day: of }));
  assert.deepEqual(day("2026-04-26"), { day: "2026-04-26", old: false });
  assert.deepEqual(day("2026-04-25"), { day: "2026-04-25", old: true });
  assert.deepEqual(day("2026-05-04"), { day: "2026-05-04", old: false });
  assert.deepEqual(check(first, [], null), { day: null, old: true });
});

test("a genuine successor replaces the charter, though no note says so", () => {
  const { thread, first, second } = begin();
  assert.throws(() => check(first, [second], null), REPLACED);
  assert.throws(() => check(first, [first, second], thread.newestNote({ charter: first })), REPLACED);
  assert.deepEqual(check(second, [], thread.newestNote()).day, VISITED);
});

test("a genuine note of a higher number replaces it, though the portal hides the successor", () => {
  const { thread, first } = begin();
  assert.throws(() => check(first, [], thread.newestNote()), REPLACED);
});

test("a note of another charter under its number is not taken for a confirmation", () => {
  assert.throws(() => check(started.newest, [], started.newestNote({ hash: OTHER })), REPLACED);
});

test("a successor that is not in force yet replaces nothing, with or without a note", () => {
  const { thread, first, second } = begin("2026-05-04");
  assert.deepEqual(check(first, [second], null), { day: null, old: true });
  assert.deepEqual(check(first, [second], thread.newestNote()), { day: VISITED, old: false });
  // Hidden, nobody can say from when it is in force.
  assert.throws(() => check(first, [], thread.newestNote()), REPLACED);
});

test("a clock that is behind the office's word makes no successor one to come", () => {
  const { thread, first, second } = begin("2026-05-01");
  const shown = { charters: [second.signed], newest: thread.newestNote({ day: "2026-05-02" }) };
  assert.throws(() => checkFreshness(first, shown, "2015-01-01"), REPLACED);
});

test("a note of an earlier charter confirms nothing", () => {
  const { thread, first, second } = begin();
  assert.deepEqual(check(second, [], thread.newestNote({ charter: first })), { day: null, old: true });
});

test("what is not genuine neither replaces nor confirms", () => {
  const { first, second, thread } = begin();
  const notes = [
    thread.newestNote({ key: "acme/chiara" }),
    thread.newestNote({ key: "acme/office=stranger" }),
    thread.newestNote({ realm: "00".repeat(16) }),
    thread.newestNote({ slug: "another" }),
    "no note",
  ];
  for (const newest of notes) assert.deepEqual(check(first, [], newest), { day: null, old: true });
  const unsigned = { signed: second.signed.replace('"reply_days":365', '"reply_days":366') };
  assert.deepEqual(check(first, [unsigned, { signed: "no note" }], null), { day: null, old: true });
});
