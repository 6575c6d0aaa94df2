// SPDX-License-Identifier: AGPL-3.0-or-later
// Whatever fails, and however often somebody presses "Try again": there is one report. docs/protocol.md §7.2.
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../../../static/src/formats/random.js";
import { submitReport } from "../../../static/src/worker/submit.js";
import { REALM, charterOf, commission } from "../commission.mjs";
import { askOffice } from "../office.mjs";
import { connect } from "../portal.mjs";

const FILES = [{ file: new Blob([Buffer.alloc(200_000, 7)]), name: "a.bin", stripped: false }];

/** A page in front of a portal with faults: what it keeps from one try for the next. */
async function begin(faults) {
  const { server, portal } = await connect(faults);
  server.charters.set(charterOf("first").hash, commission.charters.first);
  const page = { server, made: null, again: 0 };
  const progress = { onMade: (made) => (page.made = structuredClone(made)), onAgain: () => page.again++ };
  const context = { portal, now: () => new Date("2026-05-01T22:00:00Z"), fill: systemRandom, progress };
  page.press = (story, isChanged = false, files = FILES) =>
    submitReport(
      {
        realm: REALM,
        charter: commission.charters.first,
        digits: commission.receipt_digits,
        language: "en",
        answers: { story },
        exclude: [],
        files,
        urgency: "none", sealedBy: "browser",
        made: page.made,
        isChanged,
      },
      context,
    );
  return page;
}

async function storyOf({ server }) {
  const [[submission, bundle]] = server.bundles;
  const attachments = { "attachment-1.age": server.file(submission, "attachment-1.age").toString("base64") };
  const asked = { member: "chair", digits: commission.receipt_digits, bundle: bundle.toString("base64"), attachments };
  return (await askOffice("open-submission", asked)).answers.story;
}

/** The first bundle is answered with something that is no acknowledgement. */
function answerFirst(answer) {
  return (server) => {
    const real = server.faults;
    server.faults = (method, path, count) => (method === "POST" && count === 0 ? answer : real(method, path, count));
  };
}

for (const [name, fault] of Object.entries({
  "a refusal": { status: 400, code: "malformed-bundle", after: 0 },
  "a code of nobody": { status: 422, code: "x", after: 0 },
})) {
  test(`${name} in the place of an acknowledgement, and "Try again": the same bundle, no file sent twice`, async () => {
    const page = await begin();
    answerFirst(fault)(page.server);
    await assert.rejects(page.press("one"), { code: "acknowledgement-invalid" });
    const puts = page.server.requests.filter((each) => each.startsWith("PUT")).length;
    const { submission, asBefore } = await page.press("one");
    assert.deepEqual([...page.server.bundles.keys()], [submission]);
    assert.equal(asBefore, false);
    assert.equal(page.server.requests.filter((each) => each.startsWith("PUT")).length, puts);
    const bundles = page.server.bodies.filter((body) => body.subarray(0, 2).toString() === "PK");
    assert.ok(bundles.length === 2 && bundles[0].equals(bundles[1]));
  });
}

test("a bad acknowledgement of a report that arrived, and a try again by another worker: one report", async () => {
  const page = await begin();
  await page.press("one");
  const { submission } = await page.press("one");
  assert.deepEqual([...page.server.bundles.keys()], [submission]);
});

for (const files of [[], FILES]) {
  test(`answers that were changed after the first had arrived make no second report (${files.length} files)`, async () => {
    const page = await begin();
    const first = await page.press("as it was", false, files);
    const second = await page.press("changed", true, files);
    assert.deepEqual([second.submission, second.asBefore], [first.submission, true]);
    assert.equal(second.acknowledgement, first.acknowledgement);
    assert.equal(page.server.bundles.size, 1);
  });
}

test("answers that were changed before anything had arrived go under the same id, and are what is read", async () => {
  const page = await begin();
  answerFirst({ status: 400, code: "malformed-bundle", after: 0 })(page.server);
  await assert.rejects(page.press("as it was"), { code: "acknowledgement-invalid" });
  const before = page.made.submission;
  const { submission, asBefore } = await page.press("changed", true);
  assert.deepEqual([submission, asBefore, page.server.bundles.size], [before, false, 1]);
  assert.equal(await storyOf(page), "changed");
});

test("files that the portal has lost are sent again without a press, under the same id", async () => {
  let lost = 0;
  const page = await begin((method) => {
    if (method !== "POST" || lost++ > 0) return undefined;
    page.server.parts.clear();
    return { status: 422, code: "file-missing", after: 0 };
  });
  const { submission } = await page.press("one");
  assert.deepEqual([page.again, [...page.server.bundles.keys()]], [1, [submission]]);
  assert.equal(await storyOf(page), "one");
});

test("a portal that says for ever that it has no files is not believed for ever", async () => {
  const page = await begin((method) => (method === "POST" ? { status: 422, code: "file-missing", after: 0 } : undefined));
  await assert.rejects(page.press("one"), { code: "acknowledgement-invalid" });
  assert.equal(page.again, 2);
});

test("a portal that says that it holds what came before, and shows no acknowledgement, is not believed", async () => {
  const page = await begin((method) => (method === "POST" ? { status: 409, code: "submission-conflict", after: 0 } : undefined));
  await assert.rejects(page.press("one"), { code: "acknowledgement-invalid" });
});
