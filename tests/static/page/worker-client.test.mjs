// SPDX-License-Identifier: AGPL-3.0-or-later
// The page's side of a worker whose script does not come, comes late, or fails.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SealClient } from "../../../static/src/page/seal-client.js";

const ORIGIN = "https://portal.example";
const FRESH = { day: null, old: true };
/** The workers that were started. */
const workers = [];

globalThis.location = /** @type {any} */ ({ href: `${ORIGIN}/en/acme/report`, origin: ORIGIN });
globalThis.Worker = /** @type {any} */ (
  class {
    calls = [];
    ended = false;

    constructor(url) {
      this.url = url;
      workers.push(this);
    }

    postMessage(call) {
      this.calls.push(call);
    }

    terminate() {
      this.ended = true;
    }
  }
);

/** A call that has begun, what it told, and the clock. */
async function begin({ mock }) {
  workers.length = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  const client = new SealClient("/assets/seal-worker.js");
  const told = [];
  const ask = () => client.checkCharter({ charter: "x", realm: "y" }, { onTrouble: (kind) => told.push(kind ?? "calm") });
  const call = ask();
  await turn();
  const say = (number, ...events) => events.forEach((data) => workers[number].onmessage({ data }));
  return { client, told, ask, call, say, pass: (seconds) => mock.timers.tick(1000 * seconds) };
}

/** Calls begin one after the other, each in a turn of its own. */
const turn = () => new Promise((resume) => setImmediate(resume));

test("a worker whose script stalls is said, and started again, later each time", async (context) => {
  const { told, call, say, pass } = await begin(context);
  pass(29);
  assert.deepEqual([workers.length, told], [1, []]);
  pass(1);
  assert.deepEqual([workers.map(({ ended }) => ended), told], [[true, false], ["offline"]]);
  for (const [seconds, started] of [[59, 2], [1, 3], [120, 4], [239, 4], [1, 5], [240, 6]]) {
    pass(seconds);
    assert.equal(workers.length, started);
  }
  const [first] = workers;
  assert.deepEqual([workers[5].url, workers[5].calls], [first.url, first.calls]);
  say(5, { event: "ready" }, { event: "result", value: FRESH });
  assert.equal(await call, FRESH);
  assert.equal(told.at(-1), "calm");
  pass(1000);
  assert.equal(workers.length, 6);
});

test("a worker that runs has the time that it takes, at the second call too", async (context) => {
  const { told, ask, call, say, pass } = await begin(context);
  say(0, { event: "ready" });
  pass(1000);
  say(0, { event: "result", value: FRESH });
  assert.equal(await call, FRESH);
  const second = ask();
  await turn();
  pass(1000);
  say(0, { event: "trouble", kind: "busy" }, { event: "result", value: FRESH });
  assert.equal(await second, FRESH);
  assert.deepEqual([workers.length, told], [1, ["calm", "busy"]]);
});

test("a call that is cancelled while its worker does not come starts none", async (context) => {
  const { client, call, pass } = await begin(context);
  client.terminate();
  await assert.rejects(call, { name: "PortalError", code: "cancelled" });
  pass(1000);
  assert.deepEqual(workers.map(({ ended }) => ended), [true]);
});

test("a script that does not come is asked for again, with a word at once; one that never runs ends its call", async (context) => {
  const { told, call, say, pass } = await begin(context);
  workers[0].onerror({ preventDefault() {} });
  assert.deepEqual([workers.length, told], [1, ["busy"]]);
  for (const seconds of [30, 60, 120]) {
    pass(seconds);
    assert.equal(told.at(-1), "busy");
    workers.at(-1).onerror({ preventDefault() {} });
  }
  assert.equal(workers.length, 4);
  await assert.rejects(call, { code: "failed" });
});

test("a script that comes after it was refused does what was asked", async (context) => {
  const { told, call, say, pass } = await begin(context);
  workers[0].onerror({ preventDefault() {} });
  pass(30);
  say(1, { event: "ready" }, { event: "result", value: FRESH });
  assert.equal(await call, FRESH);
  assert.equal(told.at(-1), "calm");
});

test("a worker that fails ends its call, and the next call has another one", async (context) => {
  const { ask, call, say, pass } = await begin(context);
  say(0, { event: "ready" });
  workers[0].onerror({ preventDefault() {} });
  await assert.rejects(call, { code: "failed" });
  const second = ask();
  await turn();
  pass(1000);
  say(workers.length - 1, { event: "ready" }, { event: "result", value: FRESH });
  assert.equal(await second, FRESH);
});

test("a script that comes and can't begin says that the browser lacks something, at once", async (context) => {
  const { call } = await begin(context);
  workers[0].onerror({ preventDefault() {}, message: "BigInt is not defined" });
  await assert.rejects(call, { code: "unsupported" });
});

test("a call that waits for another one is cancelled with it", async (context) => {
  const { client, ask, call } = await begin(context);
  const second = ask();
  client.terminate();
  await assert.rejects(call, { code: "cancelled" });
  await assert.rejects(second, { code: "cancelled" });
  assert.equal(workers.length, 1);
});
