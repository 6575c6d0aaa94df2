// SPDX-License-Identifier: AGPL-3.0-or-later
// A portal that answers without an end: what a device takes of it, and what it works for it. docs/protocol.md §7, §8.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MEDIA_TYPE } from "../../../static/src/formats/bundle.js";
import { fetchMailbox } from "../../../static/src/worker/mailbox-access.js";
import { MailboxPortal as Portal } from "../../../static/src/worker/mailbox-portal.js";
import { Thread } from "../thread.mjs";

const MIB = 1024 * 1024;

/** A portal whose answers come from `answer`, without a network; what it sent and told is written down. */
function begin(answer) {
  const log = { sent: 0, cancelled: 0, told: [] };
  /** Spaces without an end, with this status. */
  const endless = (status) => {
    const source = {
      pull: (controller) => {
        log.sent += MIB;
        controller.enqueue(new Uint8Array(MIB).fill(0x20));
      },
      cancel: () => void log.cancelled++,
    };
    return new Response(new ReadableStream(source, { highWaterMark: 0 }), { status });
  };
  const sleep = async () => {
    if (log.told.length > 20) throw new Error("goes on for ever");
  };
  const fetch = async (url, init) => answer(endless, init, url);
  const portal = new Portal("", { fetch, sleep, random: () => 0 }, (kind) => log.told.push(kind));
  return { portal, log };
}

const CALLS = {
  putPart: [1, (portal) => portal.putPart("00".repeat(16), "attachment-1.age", 0, new Uint8Array(1))],
  postBundle: [1, (portal) => portal.postBundle(new Uint8Array(1), MEDIA_TYPE)],
  postMailbox: [5, (portal) => portal.postMailbox({})],
  postChange: [1, (portal) => portal.postChange({}, false)],
  getChain: [11, (portal) => portal.getChain("ab")],
  getSuccessors: [11, (portal) => portal.getSuccessors("ab")],
};

describe("an answer without an end", () => {
  for (const [name, [mebibytes, call]] of Object.entries(CALLS)) {
    test(`${name}: it is broken off, and is none of the portal's`, async () => {
      const { portal, log } = begin((endless) => endless(200));
      await assert.rejects(call(portal), { code: "unexpected-answer" });
      assert.deepEqual([log.sent, log.cancelled], [mebibytes * MIB, 1]);
    });
  }

  test("a refusal is broken off, and goes by its status", async () => {
    const answers = [503, 507, 404, 200];
    const { portal, log } = begin((endless) => {
      const status = answers.shift();
      return status === 200 ? Response.json({ charters: [], newest: null }) : endless(status);
    });
    await portal.getChain("ab");
    assert.deepEqual(log.told, ["busy", "full", "foreign", null]);
    assert.deepEqual([log.sent, log.cancelled], [3 * MIB, 3]);
  });
});

test("no chain has more charters than its readers take", async () => {
  const chainOf = (count) => begin(() => Response.json({ charters: Array(count).fill("x"), newest: null })).portal.getChain("ab");
  assert.equal((await chainOf(1000)).charters.length, 1000);
  await assert.rejects(chainOf(1001), { code: "unexpected-answer" });
});

test("of a mailbox without an end a device asks for no more than 16 MiB", async () => {
  const thread = await Thread.start();
  const { sealed } = await thread.reply();
  const state = await thread.sealedState();
  let asked = 0;
  const portal = {
    postMailbox: async () => {
      asked++;
      return padded({
        acknowledgement: null,
        collection: null,
        messages: [{ posting: thread.posting(asked, "0a".repeat(16), { day: "2026-04-01" }), sealed: base64(sealed) }],
        more: true,
        state: base64(state),
        thread: null,
        version: "amparo/v1/mailbox",
      });
    },
  };
  const { answer } = await fetchMailbox(thread.secrets, portal);
  // Pages of the smallest size there is, with one reply each.
  assert.deepEqual([asked, answer.messages.length], [128, 128]);
});

const base64 = (data) => Buffer.from(data).toString("base64");

function padded(content) {
  const json = Buffer.from(JSON.stringify(content));
  const answer = new Uint8Array(131_072);
  new DataView(answer.buffer).setUint32(0, json.length);
  answer.set(json, 4);
  return answer;
}

test("for the note of a visit nobody waits longer than half a minute in which nothing moves", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let aborted = false;
  const { portal } = begin((endless, { signal }) => new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => {
      aborted = true;
      reject(new Error("aborted"));
    });
  }));
  const change = portal.postChange({}, false);
  mock.timers.tick(29_999);
  assert.equal(aborted, false);
  mock.timers.tick(100);
  await assert.rejects(change, { kind: "still" });
  assert.equal(aborted, true);
});
