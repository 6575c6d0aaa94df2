// SPDX-License-Identifier: AGPL-3.0-or-later
// A mailbox at a portal that lies, and with members who have left: what the reader takes, misses and raises.
// docs/protocol.md §8.3.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { messageId } from "../../../static/src/formats/message.js";
import { addSent, deleteReplies } from "../../../static/src/formats/state.js";
import { SENT, Thread, VISITED, WRITTEN, memberOf, verifierOf, seedOf } from "../thread.mjs";

const OTHER = "0d".repeat(32);
const LATER = "2034-01-01";
const started = await Thread.start();
const withoutChiara = await Thread.start({ exclude: ["chiara"] });
const begin = () => started.copy();

const numbers = ({ messages }) => messages.map(({ number, problem }) => [number, problem]);
const kinds = ({ alarms }) => alarms.map(({ kind }) => kind);

/** A state in which something of the thread is otherwise. */
const stateWith = (thread, changes) => ({ ...thread.state, thread: { ...thread.state.thread, ...changes } });

describe("an honest portal", () => {
  test("nothing is shown before the commission speaks", async () => {
    const thread = begin();
    const found = await thread.read(thread.answer(), { newest: thread.newestNote() });
    const { next, ...verdict } = found;
    assert.deepEqual(verdict, {
      shown: false,
      collection: null,
      confirmed: null,
      sent: [],
      messages: [],
      missing: [],
      alarms: [],
      charter: { number: 1, replaced: false },
      newestDay: VISITED,
      keysRenewed: false,
    });
    assert.deepEqual(next, thread.state);
  });

  test("a collection note says when the report was fetched", async () => {
    const thread = begin();
    const found = await thread.read(thread.answer([], { collection: thread.collection() }));
    assert.deepEqual([found.shown, found.collection], [true, SENT]);
  });

  test("a reply is shown with its author and its number", async () => {
    const thread = begin();
    const reply = await thread.reply();
    const note = await thread.note(1, { replies: [reply] });
    const found = await thread.read(thread.answer([reply], { thread: note }), { newest: thread.newestNote() });
    const id = messageId(reply.sealed);
    const from = { label: "chiara", name: "chiara of Acme" };
    const message = { id, number: 1, day: WRITTEN, language: "en", body: "We have read your report.", from, problem: null };
    assert.deepEqual(found.messages, [message]);
    assert.deepEqual([found.missing, found.alarms, found.confirmed], [[], [], { day: "2026-05-02", older: false }]);
    assert.deepEqual([found.next.thread.reply, found.next.thread.note], [1, 1]);
  });

  test("what was sent is fetched when the office says so", async () => {
    const thread = begin();
    const state = addSent(addSent(thread.state, "aa".repeat(16), SENT), "bb".repeat(16), WRITTEN);
    const note = await thread.note(1, { held: ["aa".repeat(16)] });
    const { sent } = await thread.read(thread.answer([], { thread: note }), { state });
    assert.deepEqual(sent, [
      { number: 1, day: SENT, fetched: true },
      { number: 2, day: WRITTEN, fetched: false },
    ]);
  });

  test("of many messages the newest are listed by their numbers", async () => {
    const thread = begin();
    let { state } = thread;
    for (let number = 1; number <= 103; number++) state = addSent(state, number.toString(16).padStart(32, "0"), SENT);
    const { sent } = await thread.read(thread.answer(), { state });
    assert.deepEqual([sent.length, sent[0].number, sent[99].number], [100, 4, 103]);
  });

  test("an excluded member's silence changes nothing for the others", async () => {
    const reply = await withoutChiara.reply(1, { author: "bruno" });
    const note = await withoutChiara.note(1, { replies: [reply] });
    assert.deepEqual(numbers(await withoutChiara.read(withoutChiara.answer([reply], { thread: note }))), [[1, null]]);
  });

  test("replies that the reporter deleted are neither shown nor missing", async () => {
    const thread = begin();
    const replies = await Promise.all([1, 2, 3].map((number) => thread.reply(number)));
    const state = deleteReplies(thread.state, 2);
    const answer = thread.answer(replies, { thread: await thread.note(1, { replies }) });
    const found = await thread.read(answer, { state });
    assert.deepEqual([numbers(found), found.missing], [[[3, null]], []]);
    const emptied = await thread.read({ ...answer, messages: replies.slice(2) }, { state });
    assert.deepEqual(emptied.missing, []);
  });
});

describe("a swapped report", () => {
  test("a collection note for another manifest is an alarm with both signatures", async () => {
    const thread = begin();
    const acknowledgement = thread.acknowledgement();
    const collection = thread.collection({ manifest: OTHER });
    const found = await thread.read(thread.answer([], { acknowledgement, collection }));
    assert.deepEqual(found.alarms, [{ kind: "collection", evidence: [acknowledgement, collection] }]);
    assert.deepEqual([found.shown, found.collection], [true, null]);
  });

  test("an acknowledgement for another manifest is an alarm", async () => {
    const thread = begin();
    const acknowledgement = thread.acknowledgement({ manifest: OTHER });
    const found = await thread.read(thread.answer([], { acknowledgement }));
    assert.deepEqual(found.alarms, [{ kind: "acknowledgement", evidence: [acknowledgement] }]);
  });

  test("a thread note for another manifest is an alarm and counts for nothing", async () => {
    const thread = begin();
    for (const lie of [{ manifest: OTHER }, { submission: "0b".repeat(16) }, { realm: "00".repeat(16) }]) {
      const found = await thread.read(thread.answer([], { thread: await thread.note(1, lie) }));
      assert.deepEqual([kinds(found), found.confirmed], [["thread"], null]);
      assert.match(found.alarms[0].evidence[0], /^\{.*\}\n\n— acme\/office .*\n$/);
    }
  });

  test("a reply to another manifest or submission is not ours", async () => {
    const thread = begin();
    const [one, other] = [await thread.reply(1, { manifest: OTHER }), await thread.reply(2, { submission: "0b".repeat(16) })];
    const found = await thread.read(thread.answer([one, other]));
    assert.deepEqual(numbers(found), [[2, "unsigned"], [null, "unsigned"]]);
  });

  test("a statement that nobody signed raises no alarm", async () => {
    const thread = begin();
    const lies = [
      { acknowledgement: thread.acknowledgement({ manifest: OTHER, key: "portal.example=stranger" }) },
      { collection: thread.collection({ manifest: OTHER, key: "acme/office=stranger" }) },
      { collection: thread.collection({ manifest: OTHER, key: "portal.example" }) },
    ];
    for (const lie of lies) {
      const found = await thread.read(thread.answer([], lie));
      assert.deepEqual([found.alarms, found.shown], [[], false]);
    }
  });

  test("a statement about another submission proves nothing", async () => {
    const thread = begin();
    const found = await thread.read(thread.answer([], { collection: thread.collection({ submission: "0b".repeat(16) }) }));
    assert.deepEqual([found.alarms, found.collection], [[], null]);
  });
});

describe("a thinned thread", () => {
  test("a dropped reply is missing by its number, the last one too", async () => {
    const thread = begin();
    const replies = await Promise.all([1, 2, 3].map((number) => thread.reply(number)));
    const note = await thread.note(1, { replies });
    const shown = (...kept) => thread.read(thread.answer(kept.map((at) => replies[at]), { thread: note }));
    assert.deepEqual((await shown(0, 2)).missing, [2]);
    assert.deepEqual((await shown(0)).missing, [2, 3]);
    assert.deepEqual((await shown()).missing, [1, 2, 3]);
  });

  test("expired replies are not missing", async () => {
    const thread = begin();
    const replies = await Promise.all([1, 2, 3].map((number) => thread.reply(number)));
    const note = await thread.note(1, { replies, oldest: 3 });
    assert.deepEqual((await thread.read(thread.answer([replies[2]], { thread: note }))).missing, []);
  });

  test("replies are shown in the office's order, whatever the portal's", async () => {
    const thread = begin();
    const replies = await Promise.all([1, 2, 3].map((number) => thread.reply(number, { body: String(number) })));
    const found = await thread.read(thread.answer([...replies].reverse()));
    assert.deepEqual(found.messages.map(({ body }) => body), ["1", "2", "3"]);
  });

  test("a reply that is shown twice is one", async () => {
    const thread = begin();
    const reply = await thread.reply();
    const found = await thread.read(thread.answer([reply, reply]));
    assert.deepEqual([numbers(found), found.alarms], [[[1, null]], []]);
  });

  test("a rewound thread note is shown as older, and the state keeps the higher number", async () => {
    const thread = begin();
    const state = stateWith(thread, { note: 7 });
    const found = await thread.read(thread.answer([], { thread: await thread.note(6) }), { state });
    assert.deepEqual([found.confirmed.older, found.next.thread.note], [true, 7]);
  });

  test("an older charter's office cannot speak after a newer one was seen", async () => {
    const thread = begin();
    const old = await thread.note();
    thread.changeCharter({});
    const state = (await thread.read(thread.answer())).next;
    assert.equal(state.newest.number, 2);
    const found = await thread.read(thread.answer([], { thread: old }), { state });
    assert.deepEqual([found.confirmed, found.shown], [null, false]);
  });

  test("two replies under one number are an alarm, and only the first counts", async () => {
    const thread = begin();
    const [one, other] = [await thread.reply(1, { body: "one" }), await thread.reply(1, { body: "other" })];
    const found = await thread.read(thread.answer([one, other]));
    assert.deepEqual(found.alarms, [{ kind: "reply-number", evidence: [one.posting, other.posting] }]);
    assert.deepEqual(numbers(found), [[1, null], [null, "unsigned"]]);
  });

  test("another last reply than the thread note names is an alarm", async () => {
    const thread = begin();
    const [one, other] = [await thread.reply(1, { body: "one" }), await thread.reply(1, { body: "other" })];
    const note = await thread.note(1, { replies: [other] });
    const found = await thread.read(thread.answer([one], { thread: note }));
    assert.deepEqual([kinds(found), found.alarms[0].evidence[0]], [["reply-number"], one.posting]);
  });

  test("a thread note for another mailbox, by a member, or of garbage counts for nothing", async () => {
    const thread = begin();
    const notes = [
      await thread.note(1, { mailbox: thread.keys.recipient }),
      await thread.note(1, { office: "acme/chiara" }),
      await thread.note(1, { office: "acme/office=stranger" }),
      new Uint8Array(17_000),
    ];
    for (const note of notes) assert.equal((await thread.read(thread.answer([], { thread: note }))).shown, false);
  });

  test("a broken reply does not hide the others", async () => {
    const thread = begin();
    const [good, broken] = [await thread.reply(1), await thread.reply(2)];
    const cut = { ...broken, sealed: broken.sealed.slice(0, -1) };
    const found = await thread.read(thread.answer([cut, good]));
    assert.deepEqual(numbers(found), [[1, null], [null, "unreadable"]]);
  });

  test("a garbage posting leaves the reply unsigned", async () => {
    const thread = begin();
    const reply = await thread.reply();
    for (const posting of ["", "no note", "amparo reply v1\n\n— x AAAAAAA=\n", reply.posting.replace("posted", "Posted")]) {
      assert.deepEqual(numbers(await thread.read(thread.answer([{ ...reply, posting }]))), [[null, "unsigned"]]);
    }
  });
});

describe("a former member", () => {
  test("a member who left cannot write under the old charter", async () => {
    const thread = begin();
    const charter = thread.newest;
    thread.without("chiara");
    const reply = await thread.reply(1, { charter, day: SENT, posted: WRITTEN });
    assert.deepEqual(numbers(await thread.read(thread.answer([reply]))), [[1, "unsigned"]]);
  });

  test("nor post it themselves", async () => {
    const thread = begin();
    const charter = thread.newest;
    thread.without("chiara");
    const reply = await thread.reply(1, { charter, postingCharter: charter, office: "acme/chiara" });
    assert.deepEqual(numbers(await thread.read(thread.answer([reply]))), [[null, "unsigned"]]);
  });

  test("a member after their last day, or before their first, cannot write", async () => {
    for (const dates of [{ until: "2026-04-01" }, { from: "2026-04-08" }]) {
      const thread = begin();
      thread.changeCharter({ members: [await memberOf("chiara", dates), await memberOf("bruno")] });
      const reply = await thread.reply();
      assert.deepEqual(numbers(await thread.read(thread.answer([reply]))), [[1, "unsigned"]]);
    }
  });

  test("a member who left between writing and posting is refused by the day of the posting", async () => {
    const thread = begin();
    thread.changeCharter({ members: [await memberOf("chiara", { until: "2026-04-10" }), await memberOf("bruno")] });
    const reply = await thread.reply(1, { posted: "2026-04-11" });
    assert.deepEqual(numbers(await thread.read(thread.answer([reply]))), [[1, "unsigned"]]);
    const inTime = await thread.reply(1, { posted: "2026-04-10" });
    assert.deepEqual(numbers(await thread.read(thread.answer([inTime]))), [[1, null]]);
  });

  test("an old office key posts nothing new after a newer charter was seen", async () => {
    const thread = begin();
    const charter = thread.newest;
    thread.changeCharter({ office: [verifierOf("acme/office", seedOf("new office"))] });
    const state = (await thread.read(thread.answer())).next;
    const reply = await thread.reply(1, { charter, postingCharter: charter });
    assert.deepEqual(numbers(await thread.read(thread.answer([reply]), { state })), [[null, "unsigned"]]);
  });

  test("what was seen before the newer charter stays genuine", async () => {
    const thread = begin();
    const reply = await thread.reply();
    const first = await thread.read(thread.answer([reply]));
    thread.without("chiara");
    const second = await thread.read(thread.answer([reply]), { state: first.next });
    const third = await thread.read(thread.answer([reply]), { state: second.next });
    assert.equal(second.next.newest.number, 2);
    assert.deepEqual([numbers(second), numbers(third)], [[[1, null]], [[1, null]]]);
  });

  test("a posting for another message, thread or realm leaves the reply unsigned", async () => {
    const thread = begin();
    const [one, other] = [await thread.reply(1), await thread.reply(2)];
    const swapped = [{ ...one, posting: other.posting }, { ...other, posting: one.posting }];
    assert.deepEqual(numbers(await thread.read(thread.answer(swapped))), [[null, "unsigned"], [null, "unsigned"]]);
  });

  test("an administrator cannot write", async () => {
    const thread = begin();
    assert.deepEqual(numbers(await thread.read(thread.answer([await thread.reply(1, { author: "adam" })]))), [[1, "unsigned"]]);
  });

  test("a member who lost the role cannot write", async () => {
    const thread = begin();
    const charter = thread.newest;
    thread.changeCharter({ members: [await memberOf("chiara", { roles: ["legal"] }), await memberOf("bruno")] });
    assert.deepEqual(numbers(await thread.read(thread.answer([await thread.reply(1, { charter })]))), [[1, "unsigned"]]);
  });

  test("an excluded member cannot write", async () => {
    const reply = await withoutChiara.reply();
    assert.deepEqual(numbers(await withoutChiara.read(withoutChiara.answer([reply]))), [[1, "unsigned"]]);
  });

  test("nor under another label of a later charter", async () => {
    const thread = withoutChiara.copy();
    const key = verifierOf("acme/clara", seedOf("acme/chiara"));
    const clara = await memberOf("chiara", { label: "clara", verifier: key });
    thread.changeCharter({ members: [clara, await memberOf("bruno")] });
    const reply = await thread.reply(1, { key: "acme/clara=acme/chiara" });
    assert.deepEqual(numbers(await thread.read(thread.answer([reply]))), [[1, "unsigned"]]);
    const plain = started.copy();
    plain.charters = thread.charters;
    assert.deepEqual(numbers(await plain.read(plain.answer([reply]))), [[1, null]]);
  });

  test("a reply dated after its posting, or after every signed day, is unsigned", async () => {
    const thread = begin();
    const newest = thread.newestNote();
    const early = await thread.reply(1, { day: LATER, posted: WRITTEN });
    const late = await thread.reply(1, { day: LATER, posted: LATER });
    assert.deepEqual(numbers(await thread.read(thread.answer([early]))), [[1, "unsigned"]]);
    assert.deepEqual(numbers(await thread.read(thread.answer([late]), { newest })), [[1, "unsigned"]]);
    const note = await thread.note();
    assert.deepEqual(numbers(await thread.read(thread.answer([late], { thread: note }))), [[1, "unsigned"]]);
    const future = thread.newestNote({ day: LATER });
    assert.deepEqual(numbers(await thread.read(thread.answer([late], { thread: note }), { newest: future })), [[1, null]]);
  });

  test("a reply under a charter that is in no chain is unsigned", async () => {
    const thread = begin();
    const fork = thread.copy();
    fork.changeCharter({ retention: { grace_days: 1, reply_days: 30 } });
    const reply = await fork.reply();
    assert.deepEqual(numbers(await thread.read(thread.answer([reply]))), [[null, "unsigned"]]);
  });

  test("a reply that nobody signed, or a stranger, is unsigned", async () => {
    const thread = begin();
    const reply = await thread.reply(1, { key: "acme/chiara=stranger" });
    assert.deepEqual(numbers(await thread.read(thread.answer([reply]))), [[1, "unsigned"]]);
  });

  test("unsigned replies have neither text nor author nor keys", async () => {
    const thread = begin();
    const reply = await thread.reply(1, { author: "adam", keys: await thread.keysOf(9) });
    const { messages, next, keysRenewed } = await thread.read(thread.answer([reply]));
    const [{ body, from, language }] = messages;
    assert.deepEqual([body, from, language, next.thread.keys.generation, keysRenewed], ["", null, "", 0, false]);
  });
});

describe("keys that move on", () => {
  const read = async (thread, renewal, changes = {}) =>
    thread.read(thread.answer([], { thread: await thread.note(changes.number ?? 1, { renewal }) }), changes);

  test("a renewal in a thread note brings the new keys", async () => {
    const thread = begin();
    const found = await read(thread, await thread.renewal());
    assert.deepEqual([found.next.thread.keys, found.keysRenewed], [await thread.keysOf(1), true]);
    assert.equal((await read(thread, await thread.renewal(), { state: found.next })).keysRenewed, false);
  });

  test("a reply brings them too", async () => {
    const thread = begin();
    const keys = await thread.keysOf(1);
    const found = await thread.read(thread.answer([await thread.reply(1, { keys })]));
    assert.deepEqual(found.next.thread.keys, keys);
  });

  test("older keys never come back, and equal generations stay as they are", async () => {
    const thread = begin();
    const state = (await read(thread, await thread.renewal(2))).next;
    const other = { ...(await thread.keysOf(1)), generation: 2 };
    const answer = thread.answer([await thread.reply(), await thread.reply(2, { keys: other })], {
      thread: await thread.note(2, { renewal: await thread.renewal(1) }),
    });
    assert.deepEqual((await thread.read(answer, { state })).next.thread.keys, await thread.keysOf(2));
  });

  test("a renewal by an excluded member, or by one without content, is refused", async () => {
    const excluded = withoutChiara.copy();
    assert.equal((await read(excluded, await excluded.renewal())).next.thread.keys.generation, 0);
    const thread = begin();
    assert.equal((await read(thread, await thread.renewal(1, { author: "adam" }))).next.thread.keys.generation, 0);
  });

  test("a renewal by the old holder who left is refused", async () => {
    const thread = begin();
    const charter = thread.newest;
    thread.without("irene");
    const found = await read(thread, await thread.renewal(1, { author: "irene", charter }));
    assert.deepEqual([found.next.thread.keys.generation, found.confirmed.older], [0, false]);
  });

  test("a renewal that does not belong here, or cannot be read, does not hide the note", async () => {
    const thread = begin();
    const lies = [
      await thread.renewal(1, { manifest: OTHER }),
      await thread.renewal(1, { day: LATER }),
      await thread.renewal(1, { mailbox: thread.keys.recipient }),
      Buffer.from("garbage").toString("base64"),
    ];
    for (const lie of lies) {
      const found = await read(thread, lie);
      assert.deepEqual([found.next.thread.keys.generation, found.confirmed.day], [0, "2026-05-02"]);
    }
  });
});

describe("old charters", () => {
  test("a note that names a charter which the portal hides says so", async () => {
    const thread = begin();
    const charters = [...thread.charters];
    thread.changeCharter({});
    const found = await thread.read(thread.answer(), { newest: thread.newestNote(), charters });
    assert.deepEqual([found.charter, found.newestDay], [{ number: 1, replaced: true }, VISITED]);
  });

  test("a note of an earlier charter in the chain does not", async () => {
    const thread = begin();
    const newest = thread.newestNote();
    thread.changeCharter({});
    const found = await thread.read(thread.answer(), { newest });
    assert.deepEqual(found.charter, { number: 2, replaced: false });
  });

  test("a charter that was seen before and is hidden now says so", async () => {
    const thread = begin();
    const charters = [...thread.charters];
    thread.changeCharter({});
    const state = (await thread.read(thread.answer())).next;
    const found = await thread.read(thread.answer(), { state, charters });
    assert.deepEqual([found.charter, found.next.newest], [{ number: 2, replaced: true }, state.newest]);
  });

  test("two charters under one number are an alarm", async () => {
    const thread = begin();
    const fork = thread.copy();
    thread.changeCharter({});
    fork.changeCharter({ retention: { grace_days: 1, reply_days: 30 } });
    const state = (await thread.read(thread.answer())).next;
    const found = await thread.read(thread.answer(), { state, charters: fork.charters });
    assert.deepEqual(found.alarms, [{ kind: "charter", evidence: [fork.newest.signed] }]);
  });

  test("a newest-charter note or a thread note for another charter of that number is an alarm", async () => {
    const thread = begin();
    const newest = thread.newestNote({ hash: OTHER });
    const found = await thread.read(thread.answer(), { newest });
    assert.deepEqual(found.alarms, [{ kind: "charter", evidence: [newest, thread.newest.signed] }]);
    assert.equal(found.newestDay, null);
    const note = await thread.note(1, { newest: { number: 1, charter: OTHER } });
    const other = await thread.read(thread.answer([], { thread: note }));
    assert.deepEqual([kinds(other), other.confirmed], [["charter"], null]);
  });

  test("a note of another commission or realm, by nobody, or of garbage counts for nothing", async () => {
    const thread = begin();
    const notes = [
      thread.newestNote({ slug: "another" }),
      thread.newestNote({ realm: "00".repeat(16) }),
      thread.newestNote({ key: "acme/chiara" }),
      thread.newestNote({ key: "acme/office=stranger", hash: OTHER }),
      "",
      "x\n\ny",
    ];
    for (const newest of notes) {
      const found = await thread.read(thread.answer(), { newest });
      assert.deepEqual([found.newestDay, found.alarms], [null, []]);
    }
  });

  test("a chain that does not begin with the state's charter proves nothing", async () => {
    const thread = begin();
    const state = stateWith(thread, { charter: OTHER });
    const answer = thread.answer([await thread.reply()], { collection: thread.collection() });
    const found = await thread.read(answer, { state, newest: thread.newestNote() });
    assert.deepEqual([found.collection, numbers(found), found.newestDay], [null, [[null, "unsigned"]], null]);
  });

  test("a thread that moved to another origin is the same thread", async () => {
    const thread = begin();
    const portal = verifierOf("another.example", seedOf("portal.example"));
    thread.changeCharter({ origin: "https://another.example", portal });
    const reply = await thread.reply();
    const answer = thread.answer([reply], { thread: await thread.note(1, { replies: [reply] }), collection: thread.collection() });
    const found = await thread.read(answer);
    assert.deepEqual([numbers(found), found.collection, found.alarms], [[[1, null]], SENT, []]);
  });

  test("a realm does not change", async () => {
    const thread = begin();
    thread.changeCharter({ realm: "00".repeat(16) });
    const reply = await thread.reply();
    assert.deepEqual(numbers(await thread.read(thread.answer([reply]))), [[null, "unsigned"]]);
  });
});
