// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { CharterNote } from "../../../static/src/page/charter-note.js";

const NOTE = "text\n\n— name AAAAAAA=\n";

/**
 * A charter whose requests get these answers in turn, and a log of its trouble. Pauses take no time; of the time limits
 * those pass that `isOver` says.
 */
function begin({ mock }, answers, isOver = () => false) {
  const log = { told: [], limits: [], asked: 0 };
  mock.method(globalThis, "fetch", async (url, { signal }) => {
    log.asked++;
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    if (answer) return answer;
    // The line stalls.
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  mock.method(globalThis, "setTimeout", (run, delay) => {
    if (delay >= 30_000) log.limits.push(delay);
    if (delay < 30_000 || isOver(log.asked)) queueMicrotask(() => queueMicrotask(run));
  });
  return { charter: new CharterNote("/charters/acme"), onTrouble: (kind) => log.told.push(kind ?? "calm"), log };
}

test("a charter is fetched once, however often it is needed", async (context) => {
  const { charter, onTrouble, log } = begin(context, [new Response(NOTE)]);
  assert.equal(await charter.fetchPatiently(onTrouble), NOTE);
  assert.equal(await charter.fetchPatiently(onTrouble), NOTE);
  assert.deepEqual([log.asked, log.told], [1, ["calm", "calm"]]);
});

test("while the network is away, or the site gives no charter, it is asked for again, and said which", async (context) => {
  const answers = [new TypeError("no network"), new Response("busy", { status: 503 }), new Response("", { status: 404 })];
  const { charter, onTrouble, log } = begin(context, [...answers, new Response(NOTE)]);
  assert.equal(await charter.fetchPatiently(onTrouble), NOTE);
  assert.deepEqual([log.asked, log.told], [4, ["offline", "busy", "busy", "calm"]]);
});

test("a line that stalls is said, and given up for another one, later each time", async (context) => {
  const { charter, onTrouble, log } = begin(context, [null, null, null, null, null, new Response(NOTE)], (asked) => asked < 6);
  assert.equal(await charter.fetchPatiently(onTrouble), NOTE);
  assert.deepEqual(log.told, [...Array(5).fill("offline"), "calm"]);
  assert.deepEqual(log.limits, [30_000, 60_000, 120_000, 240_000, 240_000, 240_000]);
});

test("what is longer than any charter is broken off", async (context) => {
  let sent = 0;
  const pull = (controller) => {
    sent += 65_536;
    controller.enqueue(new Uint8Array(65_536));
  };
  const endless = new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
  const { charter, onTrouble, log } = begin(context, [endless, new Response(NOTE)]);
  assert.equal(await charter.fetchPatiently(onTrouble), NOTE);
  assert.deepEqual([sent, log.told], [17 * 65_536, ["busy", "calm"]]);
});
