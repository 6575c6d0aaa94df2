// SPDX-License-Identifier: AGPL-3.0-or-later
// Who gets a key when clocks are wrong, and when a portal lies about the day.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseReaders, daysDiffer } from "../../../static/src/worker/charter-day.js";

const member = (label, from, until = null, roles = ["triage"]) => ({ label, recipient: `age1pq-${label}`, from, until, roles });
const CHARTER = {
  valid: { from: "2026-01-01", until: "2026-12-31" },
  members: [
    member("always", "2026-01-01"),
    member("left", "2026-01-01", "2026-05-31"),
    member("joined", "2026-06-01"),
    member("auditor", "2026-01-01", null, ["auditor"]),
  ],
};

const choose = (device, portal = null, signed = null, exclude = [], charter = CHARTER) =>
  chooseReaders(charter, exclude, { device, portal, signed }).map((recipient) => recipient.slice(7));

test("readers are those of the device's day, where nothing speaks against it", () => {
  for (const portal of [null, "2026-05-30", "2026-05-31", "2026-06-01"]) assert.deepEqual(choose("2026-05-31", portal), ["always", "left"]);
  assert.deepEqual(choose("2026-06-01", "2026-05-31"), ["always", "joined"]);
});

test("where the portal's day is another only those are chosen who are readers on both", () => {
  assert.deepEqual(choose("2026-04-01", "2026-07-01"), ["always"]);
  assert.deepEqual(choose("2026-07-01", "2026-04-01"), ["always"]);
});

test("a lying portal brings in nobody who has left, whatever day it says", () => {
  for (const portal of ["0001-01-01", "1970-01-01", "2026-04-01", "2026-05-31", "2026-12-31", "9999-12-31", "+27576-09-1"]) {
    for (const signed of [null, "2026-06-20"]) assert.ok(!chosenOrNobody("2026-07-01", portal, signed).includes("left"), portal);
  }
});

test("a lying portal can't leave out members by a day before the one that the office signed", () => {
  assert.deepEqual(choose("2026-07-01", "2026-05-01", "2026-06-30"), ["always", "joined"]);
  // By one after it it can, and the person is told that the clocks differ.
  assert.deepEqual(choose("2026-05-01", "2026-07-01", "2026-04-30"), ["always"]);
});

test("a clock that is behind is set by what the office signed; one that is ahead is not believed to be right", () => {
  assert.deepEqual(choose("1970-01-01", "2026-07-01", "2026-06-30"), ["always", "joined"]);
  assert.deepEqual(choose("1970-01-01", null, "2026-06-30"), ["always", "joined"]);
  assert.throws(() => choose("2027-06-01", "2026-07-01", "2026-06-30"), { code: "clock-differs" });
  assert.throws(() => choose("1970-01-01", "2026-07-01"), { code: "clock-differs" });
  assert.throws(() => choose("2027-06-01", "2027-06-02"), { code: "charter-expired" });
  assert.throws(() => choose("2027-06-01"), { code: "charter-expired" });
});

test("an expired charter is not made good by the portal's day", () => {
  assert.throws(() => choose("2027-01-01", "2026-12-31"), { code: "charter-expired" });
  assert.throws(() => choose("2027-01-01", "2026-07-01"), { code: "clock-differs" });
});

test("that nobody is left is for the clocks only where they leave nobody", () => {
  assert.throws(() => choose("2026-07-01", null, null, ["always", "joined"]), { code: "no-recipient" });
  assert.throws(() => choose("2026-04-01", "2026-07-01", null, ["always"]), { code: "clock-differs" });
});

test("a day more or less is nobody's fault", () => {
  assert.equal(daysDiffer("2026-05-01", null), false);
  assert.equal(daysDiffer("2026-05-01", "2026-04-30"), false);
  assert.equal(daysDiffer("2026-05-01", "2026-04-29"), true);
  assert.equal(daysDiffer("2026-05-01", "no day"), false);
});

function chosenOrNobody(device, portal, signed) {
  try {
    return choose(device, portal, signed);
  } catch {
    return [];
  }
}
