// SPDX-License-Identifier: AGPL-3.0-or-later
// What a device does when the portal asks it for work (docs/protocol.md §7.4).
import assert from "node:assert/strict";
import { test } from "node:test";
import { MEDIA_TYPE } from "../../../static/src/formats/bundle.js";
import { connect } from "../portal.mjs";
import { joinParts, loadVectors } from "../vectors.mjs";

const SUBMISSION = "00112233445566778899aabbccddeeff";
const FILE = "attachment-1.age";
const PART = `PUT uploads/${SUBMISSION}/${FILE}`;
const ASKED = { challenge: "a5".repeat(16), bits: 3 };
const BUNDLE = joinParts(loadVectors("bundle", "write")[0].value);
const BUSY = { status: 503, code: "busy", after: 1 };

async function pressed(faults) {
  const connected = await connect(faults);
  connected.server.work = ASKED;
  return { ...connected, put: (index) => connected.portal.putPart(SUBMISSION, FILE, index, new Uint8Array(10 + index)) };
}

test("below the threshold nobody asks for it", async () => {
  const { server, portal } = await connect();
  await portal.postBundle(BUNDLE, MEDIA_TYPE);
  assert.deepEqual(server.requests, ["POST submissions"]);
});

test("under pressure a report is sent with work that was done for it", async () => {
  const { server, log, portal } = await pressed();
  await portal.postBundle(BUNDLE, MEDIA_TYPE);
  assert.deepEqual(server.requests, ["POST submissions", "POST submissions"]);
  assert.equal(server.bundles.size, 1);
  assert.deepEqual([log.told[0], log.told.at(-1), ...new Set(log.told)], ["work", "calm", "work", "calm"]);
});

test("once it was asked, the device asks before it sends a large part in vain", async () => {
  const { server, put } = await pressed();
  await put(0);
  server.requests.length = 0;
  await put(1);
  assert.deepEqual(server.requests, ["GET work", `${PART}/1`]);
  assert.equal(new Set(server.works).size, 2);
});

test("when the pressure is over it is sent without work, and not asked again", async () => {
  const { server, put } = await pressed();
  await put(0);
  server.work = null;
  server.requests.length = 0;
  await put(1);
  await put(2);
  assert.deepEqual(server.requests, ["GET work", `${PART}/1`, `${PART}/2`]);
  assert.equal(server.works.length, 1);
});

test("a portal that is only busy has not used the work up", async () => {
  const faults = (method, path, count) => (path === "submissions" && count === 1 ? BUSY : undefined);
  const { server, portal } = await pressed(faults);
  await portal.postBundle(BUNDLE, MEDIA_TYPE);
  assert.deepEqual(server.requests, ["POST submissions", "POST submissions", "POST submissions"]);
  assert.equal(new Set(server.works).size, 1);
});

for (const fault of ["cut", "lose", "page"]) {
  test(`after a line that broke (${fault}) other work is done, and it arrives once`, async () => {
    const faults = (method, path, count) => (path === "submissions" && count === 1 ? fault : undefined);
    const { server, portal } = await pressed(faults);
    await portal.postBundle(BUNDLE, MEDIA_TYPE);
    // What cut the line may have let it through: a page in between is not seen as an answer of the portal.
    assert.deepEqual(server.requests.slice(0, 2), ["POST submissions", "POST submissions"]);
    assert.equal(server.bundles.size, 1);
    assert.equal(new Set(server.works).size, server.works.length);
  });
}

test("a challenge that has passed meanwhile is asked for anew", async () => {
  const other = { ...ASKED, challenge: "5a".repeat(16) };
  const { server, portal } = await pressed((method, path, count) => {
    if (path !== "submissions" || count !== 1) return undefined;
    server.work = other;
    return BUSY;
  });
  await portal.postBundle(BUNDLE, MEDIA_TYPE);
  assert.equal(server.bundles.size, 1);
  assert.equal(Buffer.from(server.works[0], "base64").subarray(0, 16).toString("hex"), other.challenge);
});

test("a portal that asks for hours of work gets none, and is asked again like a busy one", async () => {
  const { server, log, portal } = await pressed((method, path, count) => {
    if (path === "submissions" && count === 3) server.work = ASKED;
  });
  server.work = { ...ASKED, bits: 18 };
  await portal.postBundle(BUNDLE, MEDIA_TYPE);
  assert.equal(server.works.length, 1);
  assert.equal(log.told[0], "busy");
});

test("whoever is told by a calm process of nothing, and by a pressed one of work, gets in", async () => {
  const steps = [ASKED, null, { ...ASKED, bits: 5 }];
  // By turns: a process at the first step, one that asks for nothing, one at a higher step.
  const { server, portal, put } = await pressed(() => {
    server.work = steps[server.requests.length % 3];
  });
  await portal.postBundle(BUNDLE, MEDIA_TYPE);
  for (let index = 0; index < 6; index++) await put(index);
  assert.equal(server.bundles.size, 1);
  assert.ok(server.requests.length < 30, server.requests.join(", "));
});

test("a portal that always wants more work is told as one that takes long, and gets it with longer and longer pauses", async () => {
  const { server, log, portal } = await pressed((method, path, count) => {
    server.work = { challenge: count.toString(16).padStart(32, "0"), bits: 1 };
    if (path === "submissions" && count === 12) server.work = null;
  });
  await portal.postBundle(BUNDLE, MEDIA_TYPE);
  assert.equal(server.works.length, 0);
  assert.equal(server.requests.length, 13);
  assert.deepEqual(log.delays, [1000, 2000, 4000, 8000, 16_000, ...Array(7).fill(30_000)]);
  assert.deepEqual([...new Set(log.told.slice(log.told.indexOf("long")))], ["long", "calm"]);
});

test("a visit that only reads does no work; its state stays unwritten", async () => {
  const { server, portal } = await pressed();
  await assert.rejects(portal.postChange({}, false), { name: "Error", kind: "work" });
  assert.deepEqual(server.requests, ["POST mailbox/changes"]);
});
