// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { PART_BYTES, PartSender } from "../../../static/src/worker/part-sender.js";
import { Portal } from "../../../static/src/worker/portal.js";
import { connect } from "../portal.mjs";

const SUBMISSION = "00112233445566778899aabbccddeeff";
const FILE = "attachment-1.age";
// As long as no part or chunk is a multiple of, so that none is like another.
const PATTERN = Buffer.from(Array.from({ length: 4099 }, (_, index) => (index * 31 + (index >> 8)) & 0xff));

/** Bytes of which no two parts are the same. */
function content(size) {
  return new Uint8Array(Buffer.alloc(size, PATTERN));
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
  const { server, log, portal } = await connect();
  const bytes = content(2 * PART_BYTES + 5);
  const sent = await sendAll(portal, bytes);
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(bytes));
  assert.deepEqual([...server.parts.values()].map(({ data }) => data.length).sort(), [PART_BYTES, PART_BYTES, 5].sort());
  assert.equal(sent.at(-1), bytes.length);
  assert.deepEqual(sent, [...sent].sort((one, other) => one - other));
  assert.deepEqual(log.told, []);
});

test("a file that ends with a whole part has no empty part after it", async () => {
  const { server, portal } = await connect();
  await sendAll(portal, content(2 * PART_BYTES));
  assert.equal(server.parts.size, 2);
});

test("no more than two parts are under way at once", async () => {
  let under = 0;
  let most = 0;
  let stored = 0;
  const portal = {
    putPart: async () => {
      most = Math.max(most, ++under);
      await setImmediate();
      under--;
      stored++;
    },
  };
  await sendAll(portal, content(5 * PART_BYTES));
  assert.deepEqual([stored, most], [5, 2]);
});

test("when a connection drops only the part under way is sent again, and trouble and calm are told once", async () => {
  const faults = (method, path, count) => (method === "PUT" && path.endsWith("/1") && count < 3 ? "cut" : undefined);
  const { server, log, portal } = await connect(faults);
  const bytes = content(4 * PART_BYTES);
  await sendAll(portal, bytes);
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(bytes));
  assert.equal(server.received, bytes.length);
  assert.equal(log.told[0], "offline");
  assert.equal(log.told.at(-1), "calm");
});

test("a part whose answer was lost is not sent again", async () => {
  const faults = (method, path, count) => (method === "PUT" && count === 0 ? "lose" : undefined);
  const { server, portal } = await connect(faults);
  const bytes = content(3 * PART_BYTES);
  await sendAll(portal, bytes);
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(bytes));
  assert.equal(server.received, bytes.length, "every byte went once");
});

test("a list of parts that is none is somebody else's answer, and says nothing of the file", async () => {
  for (const parts of [[null], { length: 1 }, undefined, "x"]) {
    const answers = [new Response("", { status: 503 }), Response.json({ parts }), Response.json({ parts: [] })];
    const fetch = async () => answers.shift() ?? Response.json({}, { status: 201 });
    const told = [];
    const portal = new Portal("", { fetch, sleep: async () => {}, random: () => 0 }, (kind) => told.push(kind));
    assert.deepEqual(await sendAll(portal, content(5)), [5]);
    assert.deepEqual(told, ["busy", "busy", null]);
  }
});

test("a refused part ends the sending of its file", async () => {
  const { server, portal } = await connect();
  server.parts.set(`${SUBMISSION}/${FILE}/1`, { submission: SUBMISSION, file: FILE, index: 1, data: Buffer.from("x") });
  await assert.rejects(sendAll(portal, content(4 * PART_BYTES)), { code: "unexpected-answer" });
});
