// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { MEDIA_TYPE } from "../../static/src/formats/bundle.js";
import { PortalError } from "../../static/src/formats/portal-error.js";
import { PART_BYTES, PartSender } from "../../static/src/worker/part-sender.js";
import { Portal } from "../../static/src/worker/portal.js";
import { TestPortal } from "./portal.mjs";
import { joinParts, loadVectors } from "./vectors.mjs";

const SUBMISSION = "00112233445566778899aabbccddeeff";
const FILE = "attachment-1.age";
const started = [];
after(() => Promise.all(started.map((portal) => portal.stop())));

async function begin(faults) {
  const server = await new TestPortal(faults).start();
  started.push(server);
  const log = { delays: [], told: [] };
  const surroundings = {
    fetch: globalThis.fetch,
    sleep: async (delay) => {
      log.delays.push(delay);
      if (log.delays.length > 100) throw new Error("goes on for ever");
    },
    random: () => 1,
  };
  const report = { onTrouble: (kind) => log.told.push(kind), onCalm: () => log.told.push("calm") };
  return { server, log, portal: new Portal(server.origin, surroundings, report) };
}

function content(size) {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 12)) & 0xff);
}

function streamOf(bytes, step = 65_552) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + step));
      at += step;
    },
  });
}

async function sendAll(portal, bytes) {
  const sent = [];
  const sender = new PartSender(portal, SUBMISSION, (done) => sent.push(done));
  await sender.send(FILE, streamOf(bytes), () => {});
  await sender.finish();
  return sent;
}

test("a file arrives in parts of 4 MiB, the last one shorter", async () => {
  const { server, log, portal } = await begin();
  const bytes = content(2 * PART_BYTES + 5);
  const sent = await sendAll(portal, bytes);
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(bytes));
  assert.deepEqual([...server.parts.values()].map(({ data }) => data.length).sort(), [PART_BYTES, PART_BYTES, 5].sort());
  assert.equal(sent.at(-1), bytes.length);
  assert.deepEqual(sent, [...sent].sort((one, other) => one - other));
  assert.deepEqual(log.told, []);
});

test("a file that ends with a whole part has no empty part after it", async () => {
  const { server, portal } = await begin();
  await sendAll(portal, content(2 * PART_BYTES));
  assert.equal(server.parts.size, 2);
});

test("no more than two parts are under way at once", async () => {
  const { server, portal } = await begin();
  let under = 0;
  let most = 0;
  const { putPart } = portal;
  portal.putPart = async (...call) => {
    most = Math.max(most, ++under);
    await putPart.apply(portal, call);
    under--;
  };
  await sendAll(portal, content(5 * PART_BYTES));
  assert.equal(server.parts.size, 5);
  assert.equal(most, 2);
});

test("when a connection drops only the part under way is sent again, and trouble and calm are told once", async () => {
  const faults = (method, path, count) => (method === "PUT" && path.endsWith("/1") && count < 3 ? "cut" : undefined);
  const { server, log, portal } = await begin(faults);
  const bytes = content(4 * PART_BYTES);
  await sendAll(portal, bytes);
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(bytes));
  assert.equal(server.received, bytes.length);
  assert.equal(log.told[0], "offline");
  assert.equal(log.told.at(-1), "calm");
});

test("a part whose answer was lost is not sent again", async () => {
  const faults = (method, path, count) => (method === "PUT" && count === 0 ? "lose" : undefined);
  const { server, portal } = await begin(faults);
  const bytes = content(3 * PART_BYTES);
  await sendAll(portal, bytes);
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(bytes));
  assert.equal(server.received, bytes.length, "every byte went once");
});

test("waiting doubles up to 30 seconds", async () => {
  const faults = (method, path, count) => (method === "PUT" && count < 8 ? 503 : undefined);
  const { log, portal } = await begin(faults);
  await portal.putPart(SUBMISSION, FILE, 0, content(10));
  assert.deepEqual(log.delays, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(log.told, ["busy", "calm"]);
});

for (const status of [500, 502, 503, 504, 507]) {
  test(`an answer ${status} is a trouble that passes`, async () => {
    const { server, log, portal } = await begin((method, path, count) => (count === 0 ? status : undefined));
    await portal.putPart(SUBMISSION, FILE, 0, content(10));
    assert.equal(server.parts.size, 1);
    assert.deepEqual(log.told, ["busy", "calm"]);
  });
}

test("somebody else's page instead of the portal's answer is a trouble that passes", async () => {
  const faults = (method, path, count) => ["page", "foreign-404", undefined][count];
  const { server, log, portal } = await begin(faults);
  const note = "text\n\n— name AAAAAAA=\n";
  server.charters.set("ab", note);
  assert.equal(Buffer.from(await portal.getCharter("ab")).toString(), note);
  assert.equal(server.requests.length, 3);
  assert.deepEqual(log.told, ["offline", "calm"]);
});

test("a refusal by the portal ends the call with its code and status", async () => {
  const { portal } = await begin();
  await portal.putPart(SUBMISSION, FILE, 0, content(10));
  await assert.rejects(portal.putPart(SUBMISSION, FILE, 0, content(11)), { code: "part-conflict", status: 409 });
});

test("a refused part ends the sending of its file", async () => {
  const { server, portal } = await begin();
  server.parts.set(`${SUBMISSION}/${FILE}/1`, { submission: SUBMISSION, file: FILE, index: 1, data: Buffer.from("x") });
  await assert.rejects(sendAll(portal, content(4 * PART_BYTES)), { code: "part-conflict" });
});

test("a bundle is posted until it is acknowledged, and stored once", async () => {
  const faults = (method, path, count) => ["cut", 503, "page", "lose", 502][count];
  const { server, log, portal } = await begin(faults);
  const bundle = joinParts(loadVectors("bundle", "write")[0].value);
  const acknowledgement = await portal.postBundle(bundle, MEDIA_TYPE);
  assert.match(acknowledgement, /^amparo acknowledgement v1\n/);
  assert.equal(server.requests.length, 6);
  assert.equal(server.bundles.size, 1);
  assert.deepEqual(log.told, ["offline", "busy", "offline", "busy", "calm"]);
});
