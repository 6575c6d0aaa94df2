// SPDX-License-Identifier: AGPL-3.0-or-later
// What a mailbox is made of: statements, thread notes, renewals, states, changes. docs/protocol.md §3, §5.4, §8, §9.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { identityFromSeed, open, recipientKey, sealedSize } from "../../../static/src/formats/age.js";
import { decodeJson, encodeJson } from "../../../static/src/formats/canonical-json.js";
import { encodeControl, signControl } from "../../../static/src/formats/control.js";
import { deriveSecrets, wipeSecrets } from "../../../static/src/formats/derive.js";
import { daysBetween } from "../../../static/src/formats/encoding.js";
import { readMailboxAnswer } from "../../../static/src/formats/mailbox-answer.js";
import { encodeFollowUp, sealFollowUp } from "../../../static/src/formats/message.js";
import { readNewestCharterText } from "../../../static/src/formats/newest-charter.js";
import { parseNote, parseVerifier, verifyNote } from "../../../static/src/formats/note.js";
import { padDocument, unpadDocument } from "../../../static/src/formats/padding.js";
import { readPostingText } from "../../../static/src/formats/posting.js";
import { addSent, encodeState, openState, readState, sealState } from "../../../static/src/formats/state.js";
import { openThreadNote, readThreadNoteText } from "../../../static/src/formats/thread-note.js";
import { DIGITS, REALM, SENT, Thread, base64, verifierOf } from "../thread.mjs";

const thread = await Thread.start();
const { secrets, state } = thread;
const IDENTITY = identityFromSeed(secrets.mailboxSeed);
const [HASH, ID] = ["ab".repeat(32), "cd".repeat(16)];
const text = (...lines) => `${lines.join("\n")}\n`;
const bytes = (value) => new Uint8Array(Buffer.from(value));
const refuses = (run, name, what) => assert.throws(run, { name }, String(what));

test("the mailbox id commits to who reads, who commands and who may ask", () => {
  const hash = createHash("sha256").update("amparo/v1/mailbox\n").update(recipientKey(secrets.recipient));
  hash.update(Buffer.from(secrets.control, "hex")).update(createHash("sha256").update(secrets.token).digest());
  assert.equal(secrets.mailbox, hash.digest("hex").slice(0, 32));
  assert.equal(recipientKey(secrets.recipient).length, 1216);
});

test("another realm is another mailbox, and no other spelling of it is taken", async () => {
  const other = await deriveSecrets(DIGITS, "5f".repeat(16));
  for (const name of ["mailbox", "recipient", "control"]) assert.notEqual(other[name], secrets[name]);
  for (const realm of ["", "https://portal.example", REALM.toUpperCase(), REALM.slice(2), `${REALM}00`]) {
    await assert.rejects(deriveSecrets(DIGITS, realm), { name: "MalformedError" }, realm);
  }
  wipeSecrets(other);
  assert.ok(other.controlSeed.every((byte) => byte === 0));
});

test("a posting has one spelling", () => {
  const lines = ["amparo reply v1", REALM, HASH, `7 ${ID}`, `2 ${HASH}`, "posted 2026-05-03"];
  const newest = { number: 2, charter: HASH };
  const due = { realm: REALM, manifest: HASH, number: 7, message: ID, newest, posted: "2026-05-03" };
  assert.deepEqual(readPostingText(text(...lines)), due);
  const others = [
    [1, "x"],
    [1, REALM.toUpperCase()],
    [2, ID],
    [3, `07 ${ID}`],
    [3, `0 ${ID}`],
    [3, `1000001 ${ID}`],
    [3, `7  ${ID}`],
    [3, `7 ${ID} `],
    [3, `+7 ${ID}`],
    [3, ID],
    [3, ` ${ID}`],
    [4, `2 ${ID}`],
    [5, "posted 2026-02-30"],
    [5, "collected 2026-05-03"],
    [5, "posted  2026-05-03"],
    [0, "amparo collection v1"],
  ];
  for (const [at, line] of others) refuses(() => readPostingText(text(...lines.with(at, line))), "MalformedError", line);
  refuses(() => readPostingText(text(...lines, "")), "MalformedError");
  refuses(() => readPostingText(text(...lines).slice(0, -1)), "MalformedError");
  refuses(() => readPostingText(text(...lines.with(0, "amparo reply v2"))), "UnsupportedVersionError");
});

test("a newest-charter note has one spelling", () => {
  const lines = ["amparo newest charter v1", REALM, "acme", `3 ${HASH}`, "on 2026-05-03"];
  const due = { realm: REALM, slug: "acme", number: 3, charter: HASH, day: "2026-05-03" };
  assert.deepEqual(readNewestCharterText(text(...lines)), due);
  for (const [at, line] of [[2, ""], [3, `03 ${HASH}`], [3, HASH], [4, "2026-05-03"], [4, "on 2026-5-3"]]) {
    refuses(() => readNewestCharterText(text(...lines.with(at, line))), "MalformedError", line);
  }
});

test("a control note is signed by V under the name of the mailbox", () => {
  const control = { realm: REALM, replaces: HASH, state: "ef".repeat(32), followUp: null, delete: 0, close: false };
  const plain = encodeControl(control, secrets.mailbox);
  const states = `state ${HASH} ${"ef".repeat(32)}`;
  const [realm, none] = [REALM, `follow-up ${"0".repeat(32)}`];
  assert.equal(plain, text("amparo control v1", realm, secrets.mailbox, states, none, "delete 0", "open"));
  const note = parseNote(bytes(signControl({ ...control, followUp: ID, delete: 12, close: true }, secrets)));
  assert.equal(note.text, text("amparo control v1", realm, secrets.mailbox, states, `follow-up ${ID}`, "delete 12", "close"));
  const verifier = parseVerifier(verifierOf(secrets.mailbox, secrets.controlSeed));
  assert.deepEqual(verifyNote(note, [verifier]), [verifier]);
  assert.equal(Buffer.from(verifier.publicKey).toString("hex"), secrets.control);
});

test("a state is read back, and has one size however much is in it", async () => {
  let full = { ...state, thread: { ...state.thread, excluded: Array.from({ length: 63 }, (_, n) => `m${n + 10}`) } };
  for (let count = 1; count <= 105; count++) full = addSent(full, count.toString(16).padStart(32, "0"), SENT);
  for (const each of [state, full]) {
    const sealed = await sealState(each, secrets);
    assert.equal(sealed.length, sealedSize(16_384));
    assert.deepEqual(await openState(sealed, secrets), each);
  }
  assert.deepEqual([full.thread.sent.count, full.thread.sent.last.length], [105, 100]);
  assert.equal(full.thread.sent.last[99].id, (105).toString(16).padStart(32, "0"));
});

test("a state that the code did not make, or in another form, is refused", () => {
  const mac = secrets.stateMac;
  const read = (changes) => {
    const value = { version: "amparo/v1/state", realm: REALM, threads: [state.thread], newest: state.newest, ...changes };
    const { mac: _, ...rest } = value;
    const made = decodeJson(encodeState({ realm: rest.realm, thread: state.thread, newest: state.newest }, mac), 20_000).mac;
    return readState(encodeJson({ mac: made, ...value }), mac);
  };
  assert.deepEqual(read({}), state);
  const withThread = (changes) => ({ threads: [{ ...state.thread, ...changes }] });
  const sent = (count, last) => withThread({ sent: { count, last } });
  refuses(() => read({ mac: "00".repeat(32) }), "AuthenticationError");
  refuses(() => read(withThread({ note: 1 })), "AuthenticationError");
  refuses(() => read({ threads: [state.thread, state.thread] }), "UnsupportedVersionError");
  refuses(() => read({ threads: [] }), "MalformedError");
  refuses(() => read({ threads: Array(9).fill(state.thread) }), "LimitError");
  refuses(() => read({ version: "amparo/v2/state" }), "UnsupportedVersionError");
  refuses(() => read({ extra: 1 }), "MalformedError");
  refuses(() => read(withThread({ extra: 1 })), "MalformedError");
  refuses(() => read(withThread({ excluded: ["b", "a"] })), "MalformedError");
  refuses(() => read(withThread({ excluded: ["a", "a"] })), "MalformedError");
  refuses(() => read(withThread({ reply: -1 })), "LimitError");
  refuses(() => read(withThread({ keys: { ...state.thread.keys, recipient: "age1x" } })), "MalformedError");
  refuses(() => read(withThread({ keys: { ...state.thread.keys, generation: 1001 } })), "LimitError");
  refuses(() => read(sent(0, [{ id: ID, day: SENT }])), "MalformedError");
  refuses(() => read(sent(101, Array(101).fill({ id: ID, day: SENT }))), "LimitError");
});

test("a thread note is read back, and has one size however much is in it", async () => {
  const held = Array.from({ length: 256 }, (_, number) => number.toString(16).padStart(32, "0"));
  const renewal = await thread.renewal();
  const full = await thread.note(3, { held, renewal, office: "acme/office" });
  assert.equal(full.length, sealedSize(16_384));
  assert.equal((await thread.note()).length, full.length);
  const { thread: read, signed, note } = await openThreadNote(full, IDENTITY);
  assert.deepEqual([read.number, read.held, base64(read.renewal)], [3, { count: 256, messages: held }, renewal]);
  assert.ok(signed.startsWith(`${note.text}\n— acme/office `));
  await assert.rejects(openThreadNote(full, thread.identity), { name: "NotARecipientError" });
});

test("a thread note that contradicts itself is malformed", async () => {
  const { note } = await openThreadNote(await thread.note(), IDENTITY);
  const value = JSON.parse(note.text);
  const read = (changes) => readThreadNoteText(`${Buffer.from(encodeJson({ ...value, ...changes }))}\n`);
  assert.deepEqual(read({}).held, { count: 0, messages: [] });
  const held = (count, size) => ({ held: { count, messages: base64(Buffer.from(Array.from({ length: size }, (_, at) => at & 255))) } });
  assert.deepEqual(read(held(9, 16)).held, { count: 9, messages: ["000102030405060708090a0b0c0d0e0f"] });
  const replies = (oldest, last, message) => ({ replies: { oldest, last, message } });
  assert.deepEqual(read(replies(4, 3, ID)).replies, { oldest: 4, last: 3, message: ID });
  const broken = {
    MalformedError: [
      replies(1, 1, null),
      replies(1, 0, ID),
      replies(3, 1, ID),
      held(1, 15),
      held(0, 16),
      { held: { count: 2, messages: base64(Buffer.alloc(32)) } },
      { held: { count: 0, messages: "A" } },
      { renewal: "!" },
      { extra: 1 },
      { newest: { number: 1 } },
      { day: "2026-02-30" },
    ],
    LimitError: [held(300, 257 * 16), { number: 0 }, { renewal: "" }, { renewal: base64(Buffer.alloc(6145)) }, replies(0, 0, null)],
    UnsupportedVersionError: [{ version: "amparo/v2/thread" }],
  };
  for (const [name, cases] of Object.entries(broken)) for (const each of cases) refuses(() => read(each), name, JSON.stringify(each));
});

test("a padded document of another size than that of all states is refused", () => {
  const longer = padDocument(new Uint8Array(16_381), 16_384);
  refuses(() => unpadDocument(longer, 16_384, 16_380), "LimitError");
  refuses(() => unpadDocument(padDocument(new Uint8Array(10), 4096), 16_384, 16_380), "MalformedError");
});

test("a follow-up names its thread, its number and the generation of its key", async () => {
  const keys = await thread.keysOf(3);
  const followUp = { submission: ID, manifest: HASH, number: 4, day: SENT, kind: "message", body: "x" };
  const json = JSON.parse(Buffer.from(encodeFollowUp({ ...followUp, generation: 3 }, secrets.messageMac)));
  const { mac, version, ...rest } = json;
  assert.deepEqual([rest, version], [{ ...followUp, generation: 3 }, "amparo/v1/follow-up"]);
  assert.match(mac, /^[0-9a-f]{64}$/);
  const sealed = await sealFollowUp(followUp, keys);
  await assert.rejects(open(sealed, thread.identity), { name: "NotARecipientError" });
  assert.equal(sealed.length, sealedSize(4096));
});

test("a mailbox answer of another size, or with something unnamed, is refused", () => {
  const value = {
    version: "amparo/v1/mailbox",
    state: base64(Buffer.from("state")),
    acknowledgement: null,
    collection: "note",
    thread: base64(Buffer.from("thread")),
    messages: [{ posting: "posting", sealed: base64(Buffer.from("sealed")) }],
    more: false,
  };
  const make = (changes, size = 131_072) => {
    const json = encodeJson({ ...value, ...changes });
    const answer = new Uint8Array(size);
    new DataView(answer.buffer).setUint32(0, json.length);
    answer.set(json, 4);
    return answer;
  };
  const read = readMailboxAnswer(make({}));
  assert.deepEqual(read.messages, [{ posting: "posting", sealed: bytes("sealed") }]);
  assert.deepEqual([read.acknowledgement, read.collection, read.more], [null, "note", false]);
  assert.deepEqual([read.state, read.thread], [bytes("state"), bytes("thread")]);
  for (const size of [65_536, 262_144]) refuses(() => readMailboxAnswer(make({}, size)), "MalformedError", size);
  const broken = [{ extra: 1 }, { more: null }, { state: null }, { state: "?" }, { messages: [{ posting: "x" }] }, { messages: null }];
  for (const changes of broken) refuses(() => readMailboxAnswer(make(changes)), "MalformedError", JSON.stringify(changes));
  refuses(() => readMailboxAnswer(make({ collection: "x".repeat(16_385) })), "LimitError");
  refuses(() => readMailboxAnswer(make({ version: "amparo/v2/mailbox" })), "UnsupportedVersionError");
});

test("days are counted across months and leap years", () => {
  assert.deepEqual([daysBetween("2024-02-28", "2024-03-01"), daysBetween("2026-01-01", "2025-12-25")], [2, -7]);
});
