// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBase64 } from "../../../static/src/formats/encoding.js";
import { messageId } from "../../../static/src/formats/message.js";
import { systemRandom } from "../../../static/src/formats/random.js";
import { openMailbox, sendFollowUp } from "../../../static/src/worker/mailbox.js";
import { addChecks } from "../../../static/src/formats/receipt-code.js";
import { ORIGIN, charterOf, commission } from "../commission.mjs";
import { askOffice } from "../office.mjs";
import { connect } from "../portal.mjs";

// A well-formed code of nobody.
const UNKNOWN = addChecks("01".repeat(13));

/** A portal that holds the mailbox of the vectors' receipt code, with these replies made in Python. */
async function begin(replies = [], changes = {}) {
  const made = await askOffice("make-mailbox", { replies });
  const { server, portal } = await connect(changes.faults);
  const messages = made.replies.map((sealed) => {
    return { id: messageId(Buffer.from(sealed, "base64")), day: "2026-05-03", sealed };
  });
  const content = { state: made.state, collection: changes.collection ? made.collection : null, messages };
  server.mailboxes.set(made.mailbox, { token: made.token, content, pageSize: changes.pageSize });
  for (const name of ["first", "second"]) server.charters.set(charterOf(name).hash, commission.charters[name]);
  const context = { portal, now: () => new Date("2026-05-04T12:00:00Z"), fill: systemRandom };
  return { server, made, content, context, request: { origin: ORIGIN, digits: made.digits } };
}

const bodies = ({ messages }) => messages.map(({ body, problem }) => body || problem);

test("replies sealed in Python are opened and name who signed, oldest first", async () => {
  const { context, request } = await begin([
    { body: "وصلنا بلاغك.", signer: "acme/chair" },
    { body: "We have a question.", signer: "acme/registrar", charter: "second", day: "2026-09-01" },
  ]);
  const { messages, collection } = await openMailbox(request, context);
  assert.deepEqual(
    messages.map(({ day, body, language, from, problem }) => [day, body, language, from.label, problem]),
    [
      ["2026-05-03", "وصلنا بلاغك.", "en", "chair", null],
      ["2026-09-01", "We have a question.", "en", "registrar", null],
    ],
  );
  assert.equal(messages[0].from.name, "رئيسة اللجنة");
  assert.equal(collection, null);
});

test("a collection note signed by the office tells its day", async () => {
  const { context, request } = await begin([], { collection: true });
  assert.deepEqual(await openMailbox(request, context), { messages: [], collection: { day: "2026-05-02" } });
});

test("a collection note that was altered, or is about another submission, tells nothing", async () => {
  const { content, context, request, made } = await begin([], { collection: true });
  const other = await askOffice("make-mailbox", { replies: [], number: 2 });
  for (const note of [made.collection.replace("05-02", "05-01"), other.collection, "no note"]) {
    content.collection = note;
    assert.equal((await openMailbox(request, context)).collection, null);
  }
});

test("one broken message never hides the others", async () => {
  const { content, context, request } = await begin([
    { body: "first" },
    { body: "by nobody", signer: "acme/stranger" },
    { body: "by a member who had left", signer: "acme/former", day: "2026-07-01" },
    { body: "about another submission", submission: "00".repeat(16) },
    { body: "damaged" },
    { body: "last" },
  ]);
  const damaged = Buffer.from(content.messages[4].sealed, "base64");
  damaged[damaged.length - 1] ^= 1;
  content.messages[4] = { ...content.messages[4], id: messageId(damaged), sealed: damaged.toString("base64") };
  content.messages.push({ id: "ab".repeat(16), day: "2026-05-03", sealed: "not base64" });
  content.messages.push({ id: "cd".repeat(16), day: "2026-05-03", sealed: content.messages[0].sealed });
  const opened = await openMailbox(request, context);
  assert.deepEqual(bodies(opened), [
    "first",
    "unsigned",
    "unsigned",
    "unsigned",
    "unreadable",
    "last",
    "unreadable",
    "unreadable",
  ]);
  assert.ok(opened.messages.every(({ body, from, problem }) => (problem === null) === (from !== null && body !== "")));
});

test("a charter that does not continue the one of the report signs nothing", async () => {
  const { server, context, request } = await begin([{ body: "x", charter: "second", signer: "acme/chair" }, { body: "y" }]);
  const [first, second] = ["first", "second"].map(charterOf);
  const signatures = commission.charters.second.split("\n").slice(2);
  // Signed by too few: both signatures are by the same governor.
  server.charters.set(second.hash, [second.note.text, ...signatures.slice(0, 1), ""].join("\n"));
  assert.deepEqual(bodies(await openMailbox(request, context)), ["unsigned", "y"]);
  server.charters.set(first.hash, commission.charters.second);
  assert.deepEqual(bodies(await openMailbox(request, context)), ["unsigned", "unsigned"]);
});

test("many messages come in pages, each once", async () => {
  const replies = Array.from({ length: 5 }, (_, index) => ({ body: `reply ${index}` }));
  const { server, context, request } = await begin(replies, { pageSize: 2 });
  assert.deepEqual(bodies(await openMailbox(request, context)), replies.map(({ body }) => body));
  assert.equal(server.requests.filter((entry) => entry === "POST mailbox").length, 4);
});

test("a code that opens nothing and an empty mailbox cost the same requests and give the same answer", async () => {
  const { server, context, request } = await begin([]);
  const empty = await openMailbox(request, context);
  const forEmpty = server.requests.splice(0);
  const unknown = await openMailbox({ ...request, digits: UNKNOWN }, context);
  assert.deepEqual(unknown, empty);
  assert.deepEqual(unknown, { messages: [], collection: null });
  assert.deepEqual(server.requests, forEmpty);
});

test("a state that another made for the mailbox counts for nothing", async () => {
  const { content, context, request } = await begin([{ body: "x" }]);
  const state = Buffer.from(content.state, "base64");
  state[state.length - 1] ^= 1;
  for (const broken of [state.toString("base64"), "AAAA", ""]) {
    content.state = broken;
    assert.deepEqual(await openMailbox(request, context), { messages: [], collection: null });
  }
});

test("a follow-up is opened with the thread's identity in Python", async () => {
  const { server, made, context, request } = await begin();
  await sendFollowUp({ ...request, kind: "retaliation", body: "لقد عادوا. \u{1f54a}" }, context);
  const opened = await askOffice("open-message", { thread: made.thread, sealed: server.followUps[0] });
  const { submission } = made;
  assert.deepEqual(opened, { submission, day: "2026-05-04", kind: "retaliation", body: "لقد عادوا. \u{1f54a}" });
});

test("a follow-up by a code that opens nothing is as long, asks as much, and is answered the same", async () => {
  const { server, context, request } = await begin();
  const message = { kind: "message", body: "Are you there?" };
  const first = await sendFollowUp({ ...request, ...message }, context);
  const [asked, sizes] = [server.requests.splice(0), server.bodies.splice(0).map((body) => body.length)];
  const second = await sendFollowUp({ ...request, ...message, digits: UNKNOWN }, context);
  assert.equal(first, second);
  assert.deepEqual(server.requests, asked);
  assert.deepEqual(
    server.bodies.map((body) => body.length),
    sizes,
  );
  assert.equal(server.followUps.length, 1);
});

test("a follow-up whose answer was lost is sent again as the same file", async () => {
  const faults = (method, path, count) => (path === "mailbox/follow-ups" && count === 0 ? "lose" : undefined);
  const { server, context, request } = await begin([], { faults });
  await sendFollowUp({ ...request, kind: "message", body: "once" }, context);
  assert.equal(server.followUps.length, 2);
  assert.equal(server.followUps[0], server.followUps[1]);
});

test("a follow-up that is too long is refused before it is sent", async () => {
  const { server, context, request } = await begin();
  const long = sendFollowUp({ ...request, kind: "message", body: "я".repeat(31_000) }, context);
  await assert.rejects(long, { code: "too-large" });
  assert.deepEqual(server.followUps, []);
});

test("nothing of the code but its derived look-up key and token is in any request", async () => {
  const { server, made, context, request } = await begin([{ body: "x" }]);
  await openMailbox(request, context);
  await sendFollowUp({ ...request, kind: "message", body: "canary-words" }, context);
  const sent = Buffer.concat([...server.bodies, Buffer.from(server.requests.join())]).toString("latin1");
  for (const secret of [made.digits, made.digits.slice(0, 10), "canary-words", encodeBase64(Buffer.from("canary-words"))]) {
    assert.ok(!sent.includes(secret), secret);
  }
});
