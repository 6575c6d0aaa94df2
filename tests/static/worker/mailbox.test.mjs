// SPDX-License-Identifier: AGPL-3.0-or-later
// Visits to a mailbox, and what changes it: docs/protocol.md §8, §9.3, §9.4.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBase64 } from "../../../static/src/formats/encoding.js";
import { systemRandom } from "../../../static/src/formats/random.js";
import { openState } from "../../../static/src/formats/state.js";
import { closeMailbox, deleteMessages, openMailbox, sendFollowUp } from "../../../static/src/worker/mailbox.js";
import { testByChance } from "../chance.mjs";
import { askOffice } from "../office.mjs";
import { connect } from "../portal.mjs";
import { DIGITS, REALM, Thread, UNKNOWN_DIGITS, VISITED, verifierOf } from "../thread.mjs";

const thread = await Thread.start();
const { secrets } = thread;
const ID = secrets.mailbox;
const hex = (data) => Buffer.from(data).toString("hex");

/** A portal that holds the mailbox of the thread, with these replies. */
async function begin(replies = [], { faults, ...content } = {}) {
  const { server, portal, log } = await connect(faults);
  server.mailboxes.set(ID, {
    token: hex(secrets.token),
    verifier: verifierOf(ID, secrets.controlSeed),
    state: Buffer.from(await thread.sealedState()),
    acknowledgement: thread.acknowledgement(),
    messages: replies.map((reply, index) => ({ number: index + 1, ...reply })),
    followUps: [],
    ...content,
  });
  server.charters.set(thread.newest.hash, thread.newest.signed);
  server.newest = thread.newestNote();
  const context = { portal, now: () => new Date(`${VISITED}T12:00:00Z`), fill: systemRandom };
  const request = { realm: REALM, digits: DIGITS, charters: [thread.newest.hash] };
  return { server, log, context, request, mailbox: server.mailboxes.get(ID) };
}

const message = { kind: "message", body: "Are you there?" };
const stateOf = ({ state }) => openState(new Uint8Array(state), secrets);

test("a visit shows what the office signed, and notes it in the state", async () => {
  const reply = await thread.reply();
  const note = await thread.note(1, { replies: [reply] });
  const { mailbox, context, request } = await begin([reply], { collection: thread.collection(), thread: note });
  const shown = await openMailbox(request, context);
  assert.deepEqual(shown.messages.map(({ number, body, from }) => [number, body, from.label]), [
    [1, "We have read your report.", "chiara"],
  ]);
  assert.deepEqual([shown.shown, shown.collection, shown.confirmed], [true, "2026-03-02", { day: "2026-05-02", older: false }]);
  assert.deepEqual([shown.newest, shown.charter], [{ day: VISITED, old: false }, { number: 1, replaced: false }]);
  assert.deepEqual([shown.missing, shown.alarms, shown.sent, shown.written], [[], [], [], true]);
  assert.equal("next" in shown, false);
  const { thread: seen } = await stateOf(mailbox);
  assert.deepEqual([seen.note, seen.reply], [1, 1]);
});

const CALLS = {
  openMailbox,
  followUp: (request, context) => sendFollowUp({ ...request, ...message }, context),
  deleteMessages: (request, context) => deleteMessages({ ...request, upTo: 1 }, context),
  closeMailbox,
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name}: known and unknown codes ask the same three requests, of the same sizes, and get the same answer`, async () => {
    const { server, context, request } = await begin([]);
    const known = await call(request, context);
    const forKnown = server.exchanges.splice(0);
    const unknown = await call({ ...request, digits: UNKNOWN_DIGITS }, context);
    assert.deepEqual(server.exchanges, forKnown);
    const hash = thread.newest.hash;
    assert.deepEqual(
      forKnown.map(([asked]) => asked),
      ["POST mailbox", `GET charters/${hash}/chain`, "POST mailbox/changes"],
    );
    assert.equal(forKnown[0][2], 131_072);
    // What is compared at the next call stays on the page's side, and is shown to nobody.
    assert.deepEqual({ ...unknown, seen: null }, { ...known, seen: null });
  });
}

test("a changed state of an unknown code reads back, and does not open", async () => {
  const { server, context, request } = await begin();
  const unknown = { ...request, digits: UNKNOWN_DIGITS };
  for (const call of [openMailbox, CALLS.followUp, openMailbox]) await call(unknown, context);
  assert.equal(server.requests.filter((asked) => asked === "POST mailbox/changes").length, 3);
});

test("replies and a thread note change no size but when they don't fit", async () => {
  const replies = await Promise.all([1, 2, 3].map((number) => thread.reply(number)));
  const note = await thread.note(1, { replies });
  const { server, context, request } = await begin(replies, { thread: note, collection: thread.collection() });
  await openMailbox(request, context);
  const full = server.exchanges.splice(0);
  await openMailbox({ ...request, digits: UNKNOWN_DIGITS }, context);
  assert.deepEqual(server.exchanges, full);
});

test("nothing of the state is shown before the commission has spoken", async () => {
  const { context, request } = await begin();
  await sendFollowUp({ ...request, ...message }, context);
  const shown = await openMailbox(request, context);
  assert.deepEqual([shown.shown, shown.sent], [false, []]);
});

test("what was sent is listed by number and day, and fetched when the office holds it", async () => {
  const { mailbox, context, request } = await begin([], { collection: thread.collection() });
  await sendFollowUp({ ...request, ...message }, context);
  const { sent } = await sendFollowUp({ ...request, ...message }, context);
  const days = { day: VISITED, fetched: false };
  assert.deepEqual(sent, [{ number: 1, ...days }, { number: 2, ...days }]);
  const { last } = (await stateOf(mailbox)).thread.sent;
  mailbox.thread = await thread.note(1, { held: [last[0].id] });
  const shown = await openMailbox(request, context);
  assert.deepEqual(shown.sent.map(({ fetched }) => fetched), [true, false]);
});

test("a follow-up is opened with the thread's identity in Python", async () => {
  const { mailbox, context, request } = await begin();
  await sendFollowUp({ ...request, kind: "retaliation", body: "لقد عادوا. \u{1f54a}" }, context);
  const sealed = encodeBase64(mailbox.followUps[0]);
  const opened = await askOffice("open-message", { thread: thread.identity, message_mac: hex(secrets.messageMac), sealed });
  const { submission, manifest } = thread;
  const body = "لقد عادوا. \u{1f54a}";
  assert.deepEqual(opened, { submission, manifest, number: 1, day: VISITED, kind: "retaliation", generation: 0, body });
});

test("a follow-up goes to the newest keys, though the renewal came after the last visit", async () => {
  const { mailbox, context, request } = await begin();
  await openMailbox(request, context);
  mailbox.thread = await thread.note(1, { renewal: await thread.renewal() });
  const { keysRenewed } = await sendFollowUp({ ...request, ...message }, context);
  assert.equal(keysRenewed, true);
  const { keys } = (await stateOf(mailbox)).thread;
  assert.deepEqual(keys, await thread.keysOf(1));
});

test("a follow-up whose answer was lost is sent again as the same file, and held once", async () => {
  const faults = (method, path, count) => (path === "mailbox/changes" && count === 0 ? "lose" : undefined);
  const { server, mailbox, context, request } = await begin([], { faults });
  await sendFollowUp({ ...request, ...message }, context);
  const [first, second] = server.bodies.filter((body) => body.includes("follow_up"));
  assert.ok(first.equals(second));
  assert.equal(mailbox.followUps.length, 1);
  assert.equal((await stateOf(mailbox)).thread.sent.count, 1);
});

test("a follow-up that is too long is refused before it is sent", async () => {
  const { server, mailbox, context, request } = await begin();
  const long = sendFollowUp({ ...request, kind: "message", body: "я".repeat(31_000) }, context);
  await assert.rejects(long, { code: "too-large" });
  assert.ok(!server.requests.includes("POST mailbox/changes"));
  assert.deepEqual(mailbox.followUps, []);
});

test("the state that another device wrote meanwhile is read, and the message chained to it", async () => {
  let other = null;
  const faults = (method, path, count) => {
    if (path === "mailbox/changes" && count === 0) other();
  };
  const { mailbox, context, request } = await begin([], { faults });
  const theirs = await thread.sealedState({ ...thread.state, thread: { ...thread.state.thread, sent: { count: 4, last: [] } } });
  other = () => (mailbox.state = Buffer.from(theirs));
  await sendFollowUp({ ...request, ...message }, context);
  assert.equal((await stateOf(mailbox)).thread.sent.count, 5);
  assert.equal(mailbox.followUps.length, 1);
});

test("a portal that calls every state another one is not asked for ever; what a visit read is shown", async () => {
  const { server, context, request, mailbox } = await begin([await thread.reply()]);
  const states = await Promise.all(Array.from({ length: 14 }, () => thread.sealedState()));
  server.faults = (method, path) => {
    if (path === "mailbox/changes") mailbox.state = Buffer.from(states.pop());
  };
  await assert.rejects(sendFollowUp({ ...request, ...message }, context), { code: "state-conflict" });
  assert.equal(server.requests.filter((asked) => asked === "POST mailbox/changes").length, 5);
  const shown = await openMailbox(request, context);
  assert.deepEqual([shown.messages.length, shown.written], [1, false]);
  assert.equal(server.requests.filter((asked) => asked === "POST mailbox/changes").length, 5 + 2, "nobody waits long for a note");
});

for (const fault of ["cut", "lose", 503, "page"]) {
  test(`a visit that cannot be noted is shown: ${fault}`, async () => {
    const faults = (method, path) => (path === "mailbox/changes" ? fault : undefined);
    const { server, log, context, request } = await begin([await thread.reply()], { faults });
    const shown = await openMailbox(request, context);
    assert.deepEqual([shown.messages.length, shown.written, log.delays], [1, false, []]);
    const again = await openMailbox({ ...request, seen: shown.seen }, context);
    assert.equal(again.messages.length, 1);
    assert.equal(server.requests.length, 6);
  });
}

test("a portal that shows the true mailbox, and then a decoy, is told", async () => {
  const { server, mailbox, context, request } = await begin();
  const { seen } = await openMailbox(request, context);
  server.mailboxes.delete(ID);
  const late = { ...request, seen };
  await assert.rejects(sendFollowUp({ ...late, ...message }, context), { name: "PortalError", code: "mailbox-changed" });
  await assert.rejects(openMailbox(late, context), { code: "mailbox-changed" });
  assert.deepEqual(mailbox.followUps, []);
});

test("a mailbox that contradicts itself since it was read gets no word more", async () => {
  const { mailbox, context, request } = await begin();
  const { seen } = await openMailbox(request, context);
  mailbox.collection = thread.collection({ manifest: "0d".repeat(32) });
  const late = { ...request, seen };
  for (const call of Object.values(CALLS).filter((each) => each !== openMailbox)) {
    await assert.rejects(call(late, context), { code: "mailbox-untrue" });
  }
  assert.deepEqual(mailbox.followUps, []);
  assert.deepEqual((await openMailbox(late, context)).alarms.map(({ kind }) => kind), ["collection"]);
});

test("a portal that shows a decoy, and then the true mailbox, is told", async () => {
  const { server, mailbox, context, request } = await begin();
  server.mailboxes.delete(ID);
  const { seen } = await openMailbox(request, context);
  server.mailboxes.set(ID, mailbox);
  await assert.rejects(sendFollowUp({ ...request, ...message, seen }, context), { code: "mailbox-changed" });
});

test("a portal that changes to a decoy between two tries is told", async () => {
  const { server, mailbox, context, request } = await begin();
  const theirs = await thread.sealedState();
  server.faults = (method, path) => {
    if (path !== "mailbox/changes") return;
    mailbox.state = Buffer.from(theirs);
    setImmediate(() => server.mailboxes.delete(ID));
  };
  await assert.rejects(sendFollowUp({ ...request, ...message }, context), { code: "mailbox-changed" });
});

test("a portal that shows the mailbox of yesterday is told; another device that went on is not taken for one", async () => {
  const { mailbox, context, request } = await begin();
  const yesterday = mailbox.state;
  const { seen } = await openMailbox(request, context);
  const later = (await sendFollowUp({ ...request, ...message }, context)).seen;
  await sendFollowUp({ ...request, ...message, seen }, context);
  mailbox.state = yesterday;
  await assert.rejects(sendFollowUp({ ...request, ...message, seen: later }, context), { code: "mailbox-changed" });
});

test("a control note that V did not sign changes nothing, and is answered as if it did", async () => {
  const { mailbox, context, request } = await begin();
  mailbox.verifier = verifierOf(ID);
  const before = mailbox.state;
  await sendFollowUp({ ...request, ...message }, context);
  assert.ok(mailbox.state.equals(before));
  assert.deepEqual(mailbox.followUps, []);
});

test("deleted replies are gone, here and there, and are not missing", async () => {
  const replies = await Promise.all([1, 2, 3].map((number) => thread.reply(number)));
  const { mailbox, context, request } = await begin(replies, { thread: await thread.note(1, { replies }) });
  const after = await deleteMessages({ ...request, upTo: 2 }, context);
  assert.deepEqual(after.messages.map(({ number }) => number), [3]);
  assert.deepEqual(mailbox.messages.map(({ number }) => number), [3]);
  assert.equal((await stateOf(mailbox)).thread.deleted, 2);
  const shown = await openMailbox({ ...request, seen: after.seen }, context);
  assert.deepEqual([shown.messages.map(({ number }) => number), shown.missing], [[3], []]);
});

for (const fault of [undefined, "lose"]) {
  test(`a closed mailbox answers like an unknown one, whether the first answer ${fault ? "is lost" : "arrives"}`, async () => {
    const { server, context, request } = await begin([await thread.reply()]);
    const { seen } = await openMailbox(request, context);
    let left = [fault];
    server.faults = (method, path) => (path === "mailbox/changes" ? left.pop() : undefined);
    assert.equal(await closeMailbox({ ...request, seen }, context), undefined);
    assert.equal(server.mailboxes.has(ID), false);
    const { shown, messages } = await openMailbox(request, context);
    assert.deepEqual([shown, messages], [false, []]);
  });
}

test("a portal that refuses to close a mailbox, and then shows the one of yesterday, has not closed it", async () => {
  const { server, mailbox, context, request } = await begin([await thread.reply()]);
  const yesterday = mailbox.state;
  const { seen } = await openMailbox(request, context);
  server.faults = (method, path) => {
    if (path !== "mailbox/changes") return undefined;
    mailbox.state = yesterday;
    return { status: 409, code: "state-conflict", after: 0 };
  };
  await assert.rejects(closeMailbox({ ...request, seen }, context), { name: "PortalError", code: "mailbox-changed" });
});

test("many replies come in pages, each once", async () => {
  const replies = await Promise.all([1, 2, 3, 4, 5].map((number) => thread.reply(number, { body: `reply ${number}` })));
  const { server, context, request } = await begin(replies);
  server.mailboxes.pageSize = 2;
  const { messages } = await openMailbox(request, context);
  assert.deepEqual(messages.map(({ body }) => body), [1, 2, 3, 4, 5].map((number) => `reply ${number}`));
  assert.equal(server.requests.filter((asked) => asked === "POST mailbox").length, 3);
});

test("a portal that says that there is more, and shows nothing more, is not asked for ever", async () => {
  const { server, context, request } = await begin([await thread.reply()]);
  const read = server.mailboxes.read.bind(server.mailboxes);
  server.mailboxes.read = (asked) => sayMore(read({ ...asked, after: 0 }));
  assert.equal((await openMailbox(request, context)).messages.length, 1);
  assert.equal(server.requests.filter((asked) => asked === "POST mailbox").length, 2);
});

/** The same answer, which says that there is more. */
function sayMore(answer) {
  const length = answer.readUInt32BE(0);
  const json = Buffer.from(answer.subarray(4, 4 + length).toString().replace('"more":false', '"more":true'));
  const changed = Buffer.alloc(answer.length);
  changed.writeUInt32BE(json.length);
  json.copy(changed, 4);
  return changed;
}

test("a portal that keeps its charters to itself still shows its mailbox, in which nothing is signed", async () => {
  const { server, context, request } = await begin([await thread.reply()]);
  server.charters.clear();
  const shown = await openMailbox(request, context);
  assert.deepEqual(shown.messages.map(({ problem }) => problem), ["unsigned"]);
  assert.equal(server.requests.length, 3);
});

test("a state that another made for the mailbox counts for nothing", async () => {
  const { mailbox, context, request } = await begin([await thread.reply()]);
  const altered = Buffer.from(mailbox.state);
  altered[altered.length - 1] ^= 1;
  mailbox.state = altered;
  assert.equal((await openMailbox(request, context)).shown, false);
});

test("a code that opens nothing asks for the same one of the page's charters each time", async () => {
  const { server, context, request } = await begin();
  const charters = ["0a", "0b", "0c", "0d", "0e"].map((byte) => byte.repeat(32));
  for (let visit = 0; visit < 3; visit++) await openMailbox({ ...request, digits: UNKNOWN_DIGITS, charters }, context);
  const asked = server.requests.filter((line) => line.startsWith("GET charters"));
  assert.deepEqual([asked.length, new Set(asked).size], [3, 1]);
  assert.ok(charters.includes(asked[0].split("/")[1]));
});

test("how old the office's word about the charter is, is told by the device's clock", async () => {
  const { server, context, request } = await begin();
  const tell = async (day) => {
    server.newest = day && thread.newestNote({ day });
    return (await openMailbox(request, context)).newest;
  };
  assert.deepEqual(await tell("2026-04-26"), { day: "2026-04-26", old: false });
  assert.deepEqual(await tell("2026-04-25"), { day: "2026-04-25", old: true });
  assert.deepEqual(await tell(null), { day: null, old: true });
});

test("nothing of the code but its derived look-up key and token is in any request", async () => {
  const { server, context, request } = await begin([await thread.reply()]);
  await openMailbox(request, context);
  await sendFollowUp({ ...request, kind: "message", body: "canary-words" }, context);
  const sent = Buffer.concat([...server.bodies, Buffer.from(server.requests.join())]).toString("latin1");
  const keys = [secrets.mailboxSeed, secrets.controlSeed, secrets.messageMac, secrets.stateMac];
  const words = [DIGITS, DIGITS.slice(0, 10), "canary-words", encodeBase64(Buffer.from("canary-words")), ...keys.map(hex)];
  for (const secret of words) assert.ok(!sent.includes(secret), secret);
});

testByChance("two devices and a line that fails lose no message, and give no number twice", async (fill) => {
  const chance = (below) => fill([0])[0] % below;
  const faults = (method, path) => (path === "mailbox/changes" ? ["lose", "cut", 503][chance(9)] : undefined);
  const { mailbox, context, request } = await begin([], { faults, collection: thread.collection() });
  const days = ["2026-05-03", "2026-05-04"];
  for (let round = 0; round < 5; round++) {
    const send = (device) =>
      sendFollowUp({ ...request, kind: "message", body: `${device} in ${round}` }, { ...context, now: () => new Date(days[device]) });
    await Promise.all([send(0), chance(3) === 0 ? openMailbox(request, context) : null, send(1)]);
  }
  const { sent } = (await stateOf(mailbox)).thread;
  assert.deepEqual([sent.count, sent.last.length, mailbox.followUps.length], [10, 10, 10]);
  const opened = await Promise.all(
    mailbox.followUps.map((sealed) =>
      askOffice("open-message", {
        thread: thread.identity,
        message_mac: hex(secrets.messageMac),
        sealed: encodeBase64(sealed),
      }),
    ),
  );
  assert.deepEqual(opened.map(({ number }) => number), sent.last.map((_, index) => index + 1));
  assert.equal(new Set(opened.map(({ body }) => body)).size, 10);
});
