// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { MEDIA_TYPE } from "../../../static/src/formats/bundle.js";
import { connect } from "../portal.mjs";
import { joinParts, loadVectors } from "../vectors.mjs";

const SUBMISSION = "00112233445566778899aabbccddeeff";
const FILE = "attachment-1.age";

test("waiting doubles up to 30 seconds", async () => {
  const faults = (method, path, count) => (method === "PUT" && count < 8 ? 503 : undefined);
  const { log, portal } = await connect(faults);
  await portal.putPart(SUBMISSION, FILE, 0, new Uint8Array(10));
  assert.deepEqual(log.delays, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(log.told, [...Array(5).fill("busy"), ...Array(3).fill("long"), "calm"]);
});

test("who is told when to come back comes no sooner, and not all at once", async () => {
  const faults = (method, path, count) => (method === "PUT" && count < 2 ? { status: 503, code: "busy", after: 5 } : undefined);
  for (const [chance, delays] of [
    [0, [5000, 5000]],
    [1, [7500, 7500]],
  ]) {
    const { log, portal } = await connect(faults, chance);
    await portal.putPart(SUBMISSION, FILE, 0, new Uint8Array(10));
    assert.deepEqual(log.delays, delays);
  }
});

for (const status of [500, 502, 503, 504]) {
  test(`an answer ${status} is a trouble that passes`, async () => {
    const { server, log, portal } = await connect((method, path, count) => (count === 0 ? status : undefined));
    await portal.putPart(SUBMISSION, FILE, 0, new Uint8Array(10));
    assert.equal(server.parts.size, 1);
    assert.deepEqual(log.told, ["busy", "busy", "calm"]);
  });
}

test("trouble is told in every call that meets it: the page has hidden what an earlier one said", async () => {
  const { server, log, portal } = await connect((method, path, count) => {
    if (path === "mailbox") return count === 0 ? 503 : { status: 400, code: "malformed-request", after: 0 };
    return count < 2 ? 503 : undefined;
  });
  server.charters.set("ab", "text\n\n— name AAAAAAA=\n");
  await assert.rejects(portal.postMailbox({}), { code: "unexpected-answer" });
  assert.deepEqual(log.told.splice(0), ["busy"]);
  await portal.getChain("ab");
  assert.deepEqual(log.told, ["busy", "busy", "calm"]);
});

test("a portal without room is told as such, and asked again", async () => {
  const full = { status: 507, code: "storage-full", after: 1 };
  const { server, log, portal } = await connect((method, path, count) => (count === 0 ? full : undefined));
  await portal.putPart(SUBMISSION, FILE, 0, new Uint8Array(10));
  assert.equal(server.parts.size, 1);
  assert.deepEqual(log.told, ["full", "full", "calm"]);
});

test("somebody else's page instead of the portal's answer is a trouble that passes", async () => {
  const faults = (method, path, count) => ["page", "foreign-404", "moved", undefined][count];
  const { server, log, portal } = await connect(faults);
  const note = "text\n\n— name AAAAAAA=\n";
  server.charters.set("ab", note);
  assert.deepEqual((await portal.getChain("ab")).charters, [note]);
  assert.equal(server.requests.length, 4);
  assert.deepEqual(log.told, ["foreign", "foreign", "foreign", "calm"]);
});

test("somebody else's page is not taken for a part that is stored", async () => {
  const { server, log, portal } = await connect((method, path, count) => (method === "PUT" && count === 0 ? "page" : undefined));
  await portal.putPart(SUBMISSION, FILE, 0, new Uint8Array(10));
  assert.equal(server.parts.size, 1);
  assert.equal(log.told[0], "foreign");
});

/** What comes of a call when the portal refuses it with this code. */
async function refused(code, call) {
  const { portal } = await connect(() => ({ status: 409, code, after: 0 }));
  return call(portal).then(
    () => null,
    (error) => error.code,
  );
}

const CALLS = {
  putPart: (portal) => portal.putPart(SUBMISSION, FILE, 0, new Uint8Array(10)),
  postBundle: (portal) => portal.postBundle(new Uint8Array(10), MEDIA_TYPE),
  postMailbox: (portal) => portal.postMailbox({}),
  postChange: (portal) => portal.postChange({}, true),
  getChain: (portal) => portal.getChain("ab"),
  getSuccessors: (portal) => portal.getSuccessors("ab"),
};

test("a refusal by which a device does something else ends the call with its code", async () => {
  for (const code of ["charter-unknown", "not-found"]) assert.equal(await refused(code, CALLS.getChain), code);
  for (const code of ["damaged", "mailbox-full", "state-conflict"]) assert.equal(await refused(code, CALLS.postChange), code);
  // Of what was sent nobody says that the charter is not in force, so that nothing was.
  assert.equal(await refused("charter-unknown", CALLS.postChange), "unexpected-answer");
});

test("no portal makes a device say what only the device can know", async () => {
  const own = (
    "cancelled charter-invalid charter-expired charter-replaced clock-differs mailbox-changed mailbox-untrue no-recipient answers-invalid " +
    "too-large file-unreadable acknowledgement-invalid unexpected-answer failed"
  ).split(" ");
  for (const code of [...own, "part-conflict", "signature-invalid", "toString", "a word of nobody"]) {
    for (const [name, call] of Object.entries(CALLS)) assert.equal(await refused(code, call), "unexpected-answer", name);
  }
});

test("a bundle is posted until it is acknowledged, and stored once", async () => {
  const faults = (method, path, count) => ["cut", 503, "page", "lose", 502][count];
  const { server, log, portal } = await connect(faults);
  const bundle = joinParts(loadVectors("bundle", "write")[0].value);
  const acknowledgement = await portal.postBundle(bundle, MEDIA_TYPE);
  assert.match(acknowledgement, /^amparo acknowledgement v1\n/);
  assert.equal(server.requests.length, 6);
  assert.equal(server.bundles.size, 1);
  assert.deepEqual(log.told, ["offline", "calm", "busy", "foreign", "offline", "calm", "busy", "calm"]);
});
