// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { sealedSize } from "../../../static/src/formats/age.js";
import { cleanMediaType } from "../../../static/src/formats/attachment.js";
import { cleanName } from "../../../static/src/formats/file-name.js";
import { systemRandom } from "../../../static/src/formats/random.js";
import { checkCharter, submitReport } from "../../../static/src/worker/submit.js";
import { Portal } from "../../../static/src/worker/portal.js";
import { REALM, charterOf, commission } from "../commission.mjs";
import { askOffice } from "../office.mjs";
import { connect } from "../portal.mjs";
import { loadVectors } from "../vectors.mjs";

const ANSWERS = {
  story: "قالوا إنه سيُسلَّم غدًا. \u{1f54a}",
  urgency: ["UR-LIFE", "UR-MED"],
  country: "XK",
  when: { year: 2026, month: 4, day: null, about: true },
};

async function begin(faults) {
  const { server, portal } = await connect(faults);
  server.charters.set(charterOf("first").hash, commission.charters.first);
  const told = { seal: [], send: [] };
  const context = {
    portal,
    now: () => new Date("2026-05-01T22:00:00Z"),
    fill: systemRandom,
    progress: { onSeal: (...step) => told.seal.push(step), onSend: (...step) => told.send.push(step) },
  };
  return { server, context, told };
}

function request(changes = {}) {
  return {
    realm: REALM,
    charter: commission.charters.first,
    digits: commission.receipt_digits,
    language: "ar",
    answers: ANSWERS,
    urgency: "none",
    exclude: [],
    files: [],
    sealedBy: "browser",
    ...changes,
  };
}

async function openAs(member, server, digits) {
  const [[submission, bundle]] = server.bundles;
  const names = new Set([...server.parts.values()].map(({ file }) => file));
  const attachments = Object.fromEntries(
    [...names].map((name) => [name, server.file(submission, name).toString("base64")]),
  );
  return askOffice("open-submission", { member, digits, bundle: bundle.toString("base64"), attachments });
}

test("a report sealed in script is opened by a member in Python, word for word", async () => {
  const { server, context } = await begin();
  const asked = request();
  const { submission, acknowledgement, manifest, newest } = await submitReport(asked, context);
  const opened = await openAs("chair", server, asked.digits);
  assert.equal(opened.submission, submission);
  assert.match(acknowledgement, new RegExp(`\n${submission}\n${manifest}\n`));
  assert.deepEqual(newest, { day: null, old: true, clock: null });
  assert.deepEqual(opened.answers, ANSWERS);
  assert.deepEqual([opened.language, opened.sealed_by, opened.questionnaire], ["ar", "browser", ["short", 3]]);
  const { hash } = charterOf("first");
  const nothing = { excluded: [], keys: 0, note: 0, reply: 0, deleted: 0, sent: { count: 0, last: [] } };
  assert.deepEqual(opened.thread, { submission, manifest, charter: hash, ...nothing });
  assert.deepEqual([opened.newest, opened.is_whole], [[1, hash], true]);
  assert.deepEqual(server.requests, [`GET charters/${hash}/successors`, "POST submissions"]);
});

test("a grant has as many stanzas as the charter has slots, and opens for today's members and the reserve", async () => {
  const { server, context } = await begin();
  const asked = request();
  await submitReport(asked, context);
  const opened = await openAs("registrar", server, asked.digits);
  assert.equal(opened.stanzas, 6);
  assert.deepEqual(opened.readers.sort(), ["chair", "registrar", "reserve"]);
});

test("how urgent it is opens for the office alone, and has one size", async () => {
  const sizes = new Set();
  for (const urgency of ["now", "soon", "none"]) {
    const { server, context } = await begin();
    const asked = request({ urgency });
    await submitReport(asked, context);
    const opened = await openAs("chair", server, asked.digits);
    assert.deepEqual([opened.urgency, opened.urgency_readers], [urgency, ["office"]]);
    sizes.add(opened.urgency_size);
  }
  assert.equal(sizes.size, 1);
});

test("who is excluded or has left holds no key, and the grant looks the same", async () => {
  const { server, context } = await begin();
  const asked = request({ exclude: ["registrar", "former", "registrar"] });
  await submitReport(asked, { ...context, now: () => new Date("2026-07-01T00:00:00Z") });
  const opened = await openAs("chair", server, asked.digits);
  assert.deepEqual([opened.excluded, opened.thread.excluded], [["former", "registrar"], ["former", "registrar"]]);
  assert.equal(opened.stanzas, 6);
  assert.deepEqual(opened.readers.sort(), ["chair", "reserve"]);
});

test("files arrive whole, in order, with their names, and their sizes padded", async () => {
  const { server, context, told } = await begin();
  const large = Buffer.alloc(5_000_001, "amparo");
  const files = [
    { file: new File([large], "x", { type: "video/mp4" }), name: "C:\\Users\\me\\clip.mp4", stripped: false },
    { file: new File([], "empty"), name: "empty.txt", stripped: false },
    { file: new Blob(["three"]), name: "رسالة.txt", stripped: false },
  ];
  const asked = request({ files });
  await submitReport(asked, context);
  const opened = await openAs("chair", server, asked.digits);
  assert.deepEqual(opened.names, [
    ["clip.mp4", "video/mp4", false],
    ["empty.txt", "application/octet-stream", false],
    ["رسالة.txt", "application/octet-stream", false],
  ]);
  assert.deepEqual(
    opened.attachments.map((data) => Buffer.from(data, "base64").length),
    [large.length, 0, 5],
  );
  assert.ok(Buffer.from(opened.attachments[0], "base64").equals(large));
  const sizes = [1, 2, 3].map((number) => server.file(opened.submission, `attachment-${number}.age`).length);
  assert.deepEqual(sizes, [sealedSize(5_111_808), sealedSize(16_384), sealedSize(16_384)]);
  for (const steps of [told.seal, told.send]) {
    assert.deepEqual(steps.map(([done]) => done), steps.map(([done]) => done).sort((one, other) => one - other));
    assert.ok(new Set(steps.map(([, total]) => total)).size === 1, "the total does not change");
    assert.equal(steps.at(-1)[0], steps.at(-1)[1]);
  }
  assert.deepEqual(told.seal.at(-1).slice(2), [3, 3]);
});

test("nothing that was typed or chosen is in any request", async () => {
  const { server, context } = await begin();
  const files = [{ file: new File(["canary-content"], "x"), name: "canary-name.txt", stripped: false }];
  const asked = request({ files, answers: { story: "canary-words" } });
  await submitReport(asked, context);
  const sent = Buffer.concat([...server.bodies, Buffer.from(server.requests.join())]).toString("latin1");
  for (const secret of ["canary-", asked.digits, asked.digits.slice(0, 10)]) assert.ok(!sent.includes(secret), secret);
});

test("lost answers, cut connections and a busy portal make one submission, and no part is sent twice", async () => {
  let left = { "PUT lose": 1, "PUT cut": 2, "POST lose": 2, "POST 503": 1 };
  const faults = (method) => {
    const name = Object.keys(left).find((key) => key.startsWith(method) && left[key] > 0);
    if (!name) return undefined;
    left[name]--;
    return name.endsWith("503") ? 503 : name.split(" ")[1];
  };
  const { server, context } = await begin(faults);
  const files = [{ file: new Blob([Buffer.alloc(9_000_000, 1)]), name: "a", stripped: false }];
  const asked = request({ files });
  const { submission } = await submitReport(asked, context);
  assert.deepEqual([...server.bundles.keys()], [submission]);
  const bundles = server.bodies.filter((body) => body.subarray(0, 2).toString() === "PK");
  assert.equal(bundles.length, 4);
  assert.ok(bundles.every((body) => body.equals(bundles[0])));
  const weigh = (list) => list.reduce((sum, { length }) => sum + length, 0);
  const parts = server.bodies.filter((body) => !bundles.includes(body));
  assert.equal(weigh(parts), weigh([...server.parts.values()].map(({ data }) => data)));
  const opened = await openAs("chair", server, asked.digits);
  assert.equal(Buffer.from(opened.attachments[0], "base64").length, 9_000_000);
});

const REFUSED = {
  "charter-invalid": [
    { charter: commission.charters.first.replace("Commission of Acme", "Commission of Acne") },
    { charter: "no note" },
    { realm: "00".repeat(16) },
    { exclude: ["nobody"] },
  ],
  "no-recipient": [{ exclude: ["registrar", "chair", "former"] }],
  "answers-invalid": [{ answers: { Story: "x" } }, { answers: { story: 7 } }, { answers: { story: "\ud800" } }],
  "too-large": [
    { answers: { story: "x".repeat(1_100_000) } },
    { files: Array(9).fill({ file: new Blob(["x"]), name: "x", stripped: false }) },
    { files: [{ file: { size: 50_000_001 }, name: "x", stripped: false }] },
  ],
};

for (const [code, cases] of Object.entries(REFUSED)) {
  for (const [index, changes] of cases.entries()) {
    test(`refused before anything is acknowledged: ${code} ${index + 1}`, async () => {
      const { server, context } = await begin();
      await assert.rejects(submitReport(request(changes), context), { name: "PortalError", code });
      assert.deepEqual(server.requests, []);
    });
  }
}

test("a charter that is not valid today is refused", async () => {
  const { context } = await begin();
  const late = { ...context, now: () => new Date("2028-01-01T00:00:00Z") };
  await assert.rejects(submitReport(request(), late), { code: "charter-expired" });
});

test("a clock that is months behind is corrected by what the office signed, and said", async () => {
  const { server, context } = await begin();
  server.charters.set(charterOf("second").hash, commission.charters.second);
  // Signed by the office, of the second charter, on the first of September.
  [{ value: [{ text: server.newest }] }] = loadVectors("newest-charter", "sign");
  server.day = "2026-09-02";
  const behind = { ...context, now: () => new Date("2015-01-01T00:00:00Z") };
  const { newest } = await submitReport(request({ charter: commission.charters.second }), behind);
  assert.deepEqual([newest.day, newest.clock], ["2026-09-01", "2026-09-02"]);
  assert.equal(server.acknowledgements.size, 1);
});

test("without the office's word a wrong clock is told from a charter that is over", async () => {
  for (const [now, day, code] of [
    ["2015-01-01", "2026-05-01", "clock-differs"],
    ["2031-01-01", "2026-05-01", "clock-differs"],
    ["2031-01-01", "2031-01-02", "charter-expired"],
    ["2031-01-01", null, "charter-expired"],
  ]) {
    const { server, context } = await begin();
    server.day = day;
    const wrong = { ...context, now: () => new Date(`${now}T00:00:00Z`) };
    await assert.rejects(submitReport(request(), wrong), { name: "PortalError", code });
    assert.deepEqual([server.bundles.size, server.parts.size], [0, 0]);
  }
});

test("a form hears at its start that the clocks differ, and of a day more or less nothing", async () => {
  for (const [day, clock] of [["2026-05-02", null], ["2026-04-30", null], ["2026-05-03", "2026-05-03"], ["2025-01-01", "2025-01-01"], [null, null]]) {
    const { server, context } = await begin();
    server.day = day;
    const { realm, charter } = request();
    assert.equal((await checkCharter({ realm, charter }, context)).clock, clock);
  }
});

test("a charter that a successor in force has replaced is not sealed under", async () => {
  const { server, context } = await begin();
  server.charters.set(charterOf("second").hash, commission.charters.second);
  const files = [{ file: new Blob(["x"]), name: "x", stripped: false }];
  const { from } = charterOf("second").valid;
  const later = { ...context, now: () => new Date(`${from}T00:00:00Z`) };
  await assert.rejects(submitReport(request({ files }), later), { name: "PortalError", code: "charter-replaced" });
  assert.deepEqual(server.requests, [`GET charters/${charterOf("first").hash}/successors`]);
});

test("a file that shrinks or cannot be read is named as such", async () => {
  const { context } = await begin();
  const gone = () => new ReadableStream({ pull: () => Promise.reject(new DOMException("gone", "NotFoundError")) });
  const shrunk = () => new Blob(["short"]).stream();
  const grown = () => new Blob(["much longer than it was"]).stream();
  for (const stream of [gone, shrunk, grown]) {
    const file = { size: 10, type: "", stream };
    const whole = { file: new Blob(["x"]), name: "whole", stripped: false };
    const asked = request({ files: [whole, { file, name: "x", stripped: false }] });
    await assert.rejects(submitReport(asked, context), { code: "file-unreadable", file: 1 });
  }
});

test("an acknowledgement that the portal did not sign for this submission is refused", async () => {
  const { server, context } = await begin();
  await submitReport(request(), context);
  const [other] = server.acknowledgements.values();
  const portal = { postBundle: async () => other, getSuccessors: async () => ({ charters: [], newest: null }) };
  await assert.rejects(submitReport(request(), { ...context, portal }), { code: "acknowledgement-invalid" });
});

test("whatever a portal says of a report that it was sent, but that it has it, is no acknowledgement", async () => {
  const { context } = await begin();
  for (const code of ["file-missing", "charter-expired", "charter-replaced", "charter-unknown", "no-recipient", "cancelled", "x"]) {
    const refusal = { error: { code, message: "", field: "attachment-1.age" } };
    const fetch = async (url, { method }) =>
      method === "GET" ? Response.json({ charters: [], newest: null }) : Response.json(refusal, { status: 422 });
    const portal = new Portal("", { fetch, sleep: async () => {}, random: () => 1 });
    await assert.rejects(submitReport(request(), { ...context, portal }), { code: "acknowledgement-invalid" });
  }
});

test("names lose their path and control characters, and stay names", () => {
  const cases = { "a/b\\c.txt": "c.txt", "..": "file", "": "file", "a\u0000b\u007f": "ab", "x/": "file", "é.jpg": "é.jpg" };
  for (const [given, due] of Object.entries(cases)) assert.equal(cleanName(given), due);
  assert.equal([...cleanName("\u{1f600}".repeat(300))].length, 255);
});

test("a name is what it looks like: nothing invisible is in it, and its ending survives", () => {
  const cases = {
    "\u202egpj.exe": "gpj.exe",
    "a\u2066b\u2069\u200b\ufeff.jpg": "ab.jpg",
    "x\u{e0041}\u{e007f}.png": "x.png",
    "..\u200b": "file",
    "photo.jpg          .exe": "photo.jpg .exe",
    "a\u2028b\u3164\ufe0f": "ab",
    "\ud800.jpg": ".jpg",
    "صورة.jpg": "صورة.jpg",
  };
  for (const [given, due] of Object.entries(cases)) assert.equal(cleanName(given), due);
  assert.ok(cleanName(`${"x".repeat(300)}.jpg`).endsWith(".jpg"));
});

test("a media type is what the browser says, if it is one", () => {
  const cases = { "Image/JPEG": "image/jpeg", "text/plain;charset=utf-8": "text/plain", "": "application/octet-stream" };
  for (const [given, due] of Object.entries(cases)) assert.equal(cleanMediaType(given), due);
});
