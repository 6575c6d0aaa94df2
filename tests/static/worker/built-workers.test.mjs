// SPDX-License-Identifier: AGPL-3.0-or-later
// The built workers, without the parts that the build leaves out, run as workers.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { bundle } from "../../../static/build.mjs";
import { REALM, charterOf, commission } from "../commission.mjs";
import { askOffice } from "../office.mjs";
import { TestPortal } from "../portal.mjs";

const built = await bundle();
const SEAL = built.get("seal-worker.js");
const MAILBOX = built.get("mailbox-worker.js");
const portal = await new TestPortal().start();
portal.charters.set(charterOf("first").hash, commission.charters.first);
const workers = [];
after(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

// What a browser's worker has and Node's has not; the portal's address stands for the page's own. It is the first of
// May 2026, when the commission of the vectors was at work.
const prelude = `
  const { parentPort } = require("node:worker_threads");
  const fetchAny = globalThis.fetch;
  globalThis.fetch = (path, init) => fetchAny(${JSON.stringify(portal.origin)} + path, init);
  globalThis.XMLHttpRequest = class {
    upload = {};
    #headers = {};
    open(method, url) { Object.assign(this, { method, responseURL: url }); }
    setRequestHeader(name, value) { this.#headers[name] = value; }
    getResponseHeader(name) { return this.answer.headers.get(name); }
    async send(body) {
      this.answer = await globalThis.fetch(this.responseURL, { method: this.method, headers: this.#headers, body });
      Object.assign(this, { status: this.answer.status, response: await this.answer.arrayBuffer() });
      this.onload();
    }
  };
  globalThis.postMessage = (message) => parentPort.postMessage(message);
  globalThis.addEventListener = (name, listen) => name === "message" && parentPort.on(name, (data) => listen({ data }));
  globalThis.removeEventListener = () => {};
  const SystemDate = Date;
  globalThis.Date = class extends SystemDate {
    constructor(...given) {
      super(...(given.length > 0 ? given : ["2026-05-01T00:00:00Z"]));
    }
  };
`;

// What one of the oldest browsers lacks, and the workers' scripts do without: docs/adr/0024.
const LACKING = {
  TransformStream: "delete globalThis.TransformStream; delete ReadableStream.prototype.pipeThrough;",
  "big integers in bytes": "delete DataView.prototype.setBigUint64; delete globalThis.BigUint64Array;",
  "streams of files": "delete Blob.prototype.stream; delete Blob.prototype.bytes; delete Blob.prototype.text;",
  replaceAll: "delete String.prototype.replaceAll;",
};
const LACKING_ALL = Object.values(LACKING).join("\n");

function ask(script, action, request, before = "") {
  const worker = new Worker(`${prelude}\n${before}\n${Buffer.from(script)}`, { eval: true });
  workers.push(worker);
  const events = [];
  return new Promise((resolve, reject) => {
    worker.on("error", reject).on("message", (message) => {
      events.push(message);
      if (message.event === "result") resolve({ value: message.value, events });
      if (message.event === "error") reject(Object.assign(new Error(message.code), message));
    });
    worker.postMessage({ action, request });
  });
}

const digits = commission.receipt_digits;

/** Seals a report with a file, which a member then opens. @param {string} before script that runs before the worker's */
async function report(before = "") {
  const files = [{ file: new Blob([Buffer.alloc(100_000, 7)]), name: "a.bin", stripped: false }];
  const request = { realm: REALM, charter: commission.charters.first, digits, language: "en", exclude: [], files };
  const whole = { ...request, answers: { story: "x" }, urgency: "soon", sealedBy: "browser" };
  const { value, events } = await ask(SEAL, "submit", whole, before);
  const attachments = { "attachment-1.age": portal.file(value.submission, "attachment-1.age").toString("base64") };
  const sealed = portal.bundles.get(value.submission).toString("base64");
  const opened = await askOffice("open-submission", { member: "chair", digits, bundle: sealed, attachments });
  assert.deepEqual(opened.answers, { story: "x" });
  assert.deepEqual(Buffer.from(opened.attachments[0], "base64"), Buffer.alloc(100_000, 7));
  return events;
}

test("the built worker seals a report with a file, and a member opens it", async () => {
  const events = await report();
  assert.deepEqual(new Set(events.map(({ event }) => event)), new Set(["ready", "seal", "send", "made", "result"]));
});

for (const [what, before] of [...Object.entries(LACKING), ["all of it", LACKING_ALL]]) {
  test(`a report is sealed by a browser without ${what}`, () => report(before));
}

/** Opens a mailbox and does all that can be done with it. @param {string} before script that runs before the worker's */
async function visit(before = "") {
  const request = { realm: REALM, digits, charters: [] };
  const { value } = await ask(MAILBOX, "openMailbox", request, before);
  assert.deepEqual([value.shown, value.messages, value.written], [false, [], true]);
  const { seen } = value;
  await ask(MAILBOX, "followUp", { ...request, seen, kind: "message", body: "x" }, before);
  await ask(MAILBOX, "deleteMessages", { ...request, seen, upTo: 0 }, before);
  await ask(MAILBOX, "closeMailbox", { ...request, seen }, before);
}

test("the built worker opens a mailbox, sends a follow-up, deletes and closes", () => visit());

test("a mailbox is opened by a browser without what the oldest ones lack", () => visit(LACKING_ALL));

test("an error leaves a built worker as a code alone", async () => {
  const request = { realm: REALM, charter: "no note", digits, exclude: [], files: [], answers: {} };
  await assert.rejects(ask(SEAL, "submit", request), { event: "error", code: "charter-invalid" });
  await assert.rejects(ask(MAILBOX, "openMailbox", { realm: REALM, digits: "canary" }), { event: "error", code: "failed" });
});

test("no built worker does what the other is for", async () => {
  await assert.rejects(ask(SEAL, "openMailbox", { realm: REALM, digits }), { code: "failed" });
  await assert.rejects(ask(MAILBOX, "submit", {}), { code: "failed" });
});

const MISSING = {
  "derivation of keys": ["Object.defineProperty(globalThis, 'crypto', { value: { getRandomValues: crypto.getRandomValues.bind(crypto) } });", "insecure"],
  "random bytes": ["Object.defineProperty(globalThis, 'crypto', { value: { subtle: crypto.subtle } });", "unsupported"],
  streams: ["delete globalThis.ReadableStream;", "unsupported"],
  files: ["delete Blob.prototype.arrayBuffer;", "unsupported"],
};

test("what a browser lacks is known at the start, each by itself", async () => {
  for (const script of [SEAL, MAILBOX]) {
    assert.equal((await ask(script, "findLack", {})).value, null);
    assert.equal((await ask(script, "findLack", {}, LACKING_ALL)).value, null);
    for (const [what, [before, lack]] of Object.entries(MISSING)) {
      assert.equal((await ask(script, "findLack", {}, before)).value, lack, what);
    }
  }
});
