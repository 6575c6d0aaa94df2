// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { CharterNote } from "../../../static/src/page/charter-note.js";

const NOTE = "text\n\n— name AAAAAAA=\n";

/** A charter whose requests get these answers in turn, and a log of its trouble; waiting takes no time. */
function begin({ mock }, ...answers) {
  const asked = mock.method(globalThis, "fetch", async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  mock.method(globalThis, "setTimeout", (resume) => resume());
  const told = [];
  const onTrouble = (kind) => told.push(kind ?? "calm");
  return { charter: new CharterNote("/charters/acme"), onTrouble, told, asked: () => asked.mock.callCount() };
}

test("a charter is fetched once, however often it is needed", async (context) => {
  const { charter, onTrouble, told, asked } = begin(context, new Response(NOTE));
  await charter.fetch();
  assert.equal(await charter.fetchPatiently(onTrouble), NOTE);
  assert.deepEqual([asked(), told], [1, ["calm"]]);
});

test("while the network is away, or the site gives no charter, it is asked for again", async (context) => {
  const { charter, onTrouble, told, asked } = begin(
    context,
    new TypeError("no network"),
    new Response("busy", { status: 503 }),
    new Response(NOTE),
  );
  assert.equal(await charter.fetchPatiently(onTrouble), NOTE);
  assert.deepEqual([asked(), told], [3, ["offline", "offline", "calm"]]);
});
