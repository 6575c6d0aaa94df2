// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { PART_BYTES, PartSender } from "../../../static/src/worker/part-sender.js";
import { BLOCK_BYTES, Portal } from "../../../static/src/worker/portal.js";
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

test("a file arrives in parts that grow, each beginning where another ends", async () => {
  const { server, log, portal } = await connect();
  const bytes = content(2 * PART_BYTES + 5);
  const sent = await sendAll(portal, bytes);
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(bytes));
  const parts = [...server.parts.values()].sort((one, other) => one.index - other.index);
  let end = 0;
  for (const { index, data } of parts) {
    assert.equal(index * BLOCK_BYTES, end);
    end += data.length;
  }
  assert.equal(parts[0].data.length, BLOCK_BYTES);
  assert.ok(Math.max(...parts.map(({ data }) => data.length)) >= 1024 * 1024);
  assert.equal(sent.at(-1), bytes.length);
  assert.deepEqual(sent, [...sent].sort((one, other) => one - other));
  assert.deepEqual(log.told, []);
});

test("a file that ends with a whole part has no empty part after it", async () => {
  const { server, portal } = await connect();
  await sendAll(portal, content(2 * PART_BYTES));
  assert.ok([...server.parts.values()].every(({ data }) => data.length > 0));
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(content(2 * PART_BYTES)));
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
  assert.deepEqual([stored > 5, most], [true, 2]);
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
    assert.deepEqual(told, ["busy", "foreign", null]);
  }
});

test("a refused part ends the sending of its file", async () => {
  const { server, portal } = await connect();
  server.parts.set(`${SUBMISSION}/${FILE}/1`, { submission: SUBMISSION, file: FILE, index: 1, data: Buffer.from("x") });
  await assert.rejects(sendAll(portal, content(4 * PART_BYTES)), { code: "unexpected-answer" });
});

test("on a slow line parts stay short, and on a fast one they grow to 4 MiB", async () => {
  for (const [bytesPerMs, due] of [[4, BLOCK_BYTES], [10_000, PART_BYTES]]) {
    let now = 0;
    const sizes = [];
    const putPart = async (submission, file, block, { length }) => {
      sizes.push(length);
      await setImmediate();
      now += length / bytesPerMs;
    };
    const sender = new PartSender({ putPart, isPressed: false }, SUBMISSION, () => {}, () => now);
    await sender.send(FILE, streamOf(content(6 * PART_BYTES)), () => {});
    await sender.finish();
    assert.equal(Math.max(...sizes), due);
  }
});

test("what a line did not carry to its end goes in halves, so that cuts cost ever less", async () => {
  const carried = 128 * 1024;
  const faults = (method, path) => (method === "PUT" && sizes.get(path) > carried ? "cut" : undefined);
  const sizes = new Map();
  const { server, portal } = await connect(faults);
  const put = portal.putPart.bind(portal);
  portal.putPart = (submission, file, block, bytes) => {
    sizes.set(`uploads/${submission}/${file}/${block}`, bytes.length);
    return put(submission, file, block, bytes);
  };
  await portal.putPart(SUBMISSION, FILE, 0, content(1024 * 1024 + 5));
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(content(1024 * 1024 + 5)));
});

test("a proxy's refusal of a large body is no refusal of the portal: it goes in smaller parts", async () => {
  const { server, log, portal } = await connect((method, path, count) => (method === "PUT" && count === 0 && path.endsWith("/0") ? "foreign-404" : undefined));
  await portal.putPart(SUBMISSION, FILE, 0, content(300_000));
  assert.deepEqual(server.file(SUBMISSION, FILE), Buffer.from(content(300_000)));
  assert.equal(log.told[0], "foreign");
});
