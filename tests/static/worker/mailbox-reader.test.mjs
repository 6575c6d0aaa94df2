// SPDX-License-Identifier: AGPL-3.0-or-later
// The reader of mailboxes finds in every vector what the one in Python finds.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deriveSecrets } from "../../../static/src/formats/derive.js";
import { decodeBase64 } from "../../../static/src/formats/encoding.js";
import { openState } from "../../../static/src/formats/state.js";
import { readChain, readMailbox } from "../../../static/src/worker/mailbox-reader.js";
import { Thread } from "../thread.mjs";

const FILE = JSON.parse(readFileSync(new URL("../../vectors/mailbox.json", import.meta.url), "utf8"));
const secrets = await deriveSecrets(FILE.receipt_digits, FILE.realm);

for (const { name, input, value } of FILE.vectors) {
  test(name, async () => {
    const state = await openState(decodeBase64(input.state), secrets);
    const notes = input.charters.map((hash) => FILE.charters[hash]);
    const chain = readChain(state.realm, state.thread.charter, notes);
    const answer = {
      state: decodeBase64(input.state),
      acknowledgement: input.acknowledgement,
      collection: input.collection,
      thread: input.thread === null ? null : decodeBase64(input.thread),
      messages: input.messages.map(({ posting, sealed }) => ({ posting, sealed: decodeBase64(sealed) })),
      more: false,
    };
    assert.deepEqual(asVector(await readMailbox(answer, state, secrets, chain, input.newest)), value);
  });
}

test("a charter that comes again is passed over unread, and one that is not genuine ends the chain", async () => {
  const thread = await Thread.start();
  const [first] = thread.charters;
  const second = thread.changeCharter({});
  const [note, following] = [first.signed, second.signed];
  const forged = `${note.slice(0, -10)}AAAAAAAA=\n`;
  const read = (...notes) => readChain(thread.state.realm, first.hash, notes).map(({ number }) => number);
  assert.deepEqual(read("no note", following, note, forged, note, following), [1, 2]);
  assert.deepEqual(read(note, "no note", following), [1]);
  assert.deepEqual(read(forged, note, following), []);
});

function asVector(found) {
  return {
    shown: found.shown,
    collected: found.collection,
    confirmed: found.confirmed && found.confirmed.day,
    older: found.confirmed !== null && found.confirmed.older,
    newest_day: found.newestDay,
    replaced: found.charter.replaced,
    sent: found.sent,
    replies: found.messages.map(({ number, day, body, from, problem }) => ({
      number,
      day,
      body,
      author: from && from.label,
      problem,
    })),
    missing: found.missing,
    alarms: found.alarms.map(({ kind }) => kind),
    next: {
      note: found.next.thread.note,
      reply: found.next.thread.reply,
      generation: found.next.thread.keys.generation,
      charter_number: found.next.newest.number,
    },
  };
}
