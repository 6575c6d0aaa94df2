// SPDX-License-Identifier: AGPL-3.0-or-later
// A line that stands still is said within ten seconds; one whose bytes move is never broken off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Portal } from "../../../static/src/worker/portal.js";

const turn = () => new Promise((resume) => setImmediate(resume));

/** A portal that does not answer; `move` is called as bytes of the request go. */
async function begin({ mock }, call) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const line = { told: [], aborted: 0, asked: 0 };
  const fetch = (url, { signal }, onMove) =>
    new Promise((resolve, reject) => {
      Object.assign(line, { move: onMove, answer: (value) => resolve(Response.json(value)) });
      line.asked++;
      signal.addEventListener("abort", () => {
        line.aborted++;
        reject(signal.reason);
      });
    });
  const portal = new Portal("", { fetch, sleep: async () => {}, random: () => 0 }, (kind) => line.told.push(kind));
  line.call = call(portal);
  await turn();
  line.pass = (seconds) => mock.timers.tick(1000 * seconds);
  return line;
}

const post = (portal) => portal.postBundle(new Uint8Array(1_000_000), "x/y");

test("a request whose bytes move is not broken off in an hour, and nothing is said of it", async (context) => {
  const line = await begin(context, post);
  for (let seconds = 0; seconds < 3600; seconds += 9) {
    line.pass(9);
    line.move();
  }
  assert.deepEqual([line.aborted, line.told], [0, []]);
  line.answer({ acknowledgement: "x" });
  assert.equal(await line.call, "x");
});

test("one that stands still is said after ten seconds, and no more once it moves", async (context) => {
  const line = await begin(context, post);
  line.pass(10);
  assert.deepEqual(line.told, ["still"]);
  line.move();
  assert.deepEqual(line.told, ["still", null]);
  line.answer({ acknowledgement: "x" });
  assert.equal(await line.call, "x");
});

test("one of which nothing has moved for long is given up and asked anew, later each time", async (context) => {
  const line = await begin(context, post);
  for (const seconds of [90, 180, 360, 360]) {
    const { asked } = line;
    line.pass(seconds - 1);
    assert.equal(line.asked, asked);
    line.pass(1);
    await turn();
    assert.equal(line.asked, asked + 1);
  }
  assert.equal(line.told.includes("offline"), false);
  line.answer({ acknowledgement: "x" });
  assert.equal(await line.call, "x");
});

test("after a cut one part goes alone until it has arrived, so that a line that breaks often carries one", async () => {
  const asked = [];
  const fetch = (url, { method }) => {
    if (method === "GET") return Promise.resolve(Response.json({ parts: [] }));
    return new Promise((resolve, reject) => asked.push({ arrive: () => resolve(Response.json({ status: "stored" })), cut: () => reject(new TypeError()) }));
  };
  const portal = new Portal("", { fetch, sleep: async () => {}, random: () => 0 });
  const put = (block) => portal.putPart("ab", "attachment-1.age", block, new Uint8Array(10));
  /** As many requests, and no more. */
  const underWay = async (count) => {
    while (asked.length < count) await turn();
    for (let turns = 0; turns < 20; turns++) await turn();
    assert.equal(asked.length, count);
    return asked.splice(0);
  };
  const two = Promise.all([put(0), put(1)]);
  for (const part of await underWay(2)) part.cut();
  const [alone] = await underWay(1);
  alone.cut();
  const [other] = await underWay(1);
  other.arrive();
  const third = put(2);
  for (const part of await underWay(2)) part.arrive();
  await Promise.all([two, third]);
});
