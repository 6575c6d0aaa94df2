// SPDX-License-Identifier: AGPL-3.0-or-later
// The commission of tests/vectors/commission.json, whose charters other vectors refer to.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const commission = JSON.parse(readFileSync(new URL("../vectors/commission.json", import.meta.url), "utf8"));

/** The bytes of a charter's note: the named text with its replacements, an empty line, the signatures. */
export function charterNote({ charter, replace, signatures }) {
  let text = textOf(commission.charters[charter]);
  for (const [from, to] of replace) {
    assert.equal(text.split(from).length, 2, `${from} occurs once`);
    text = text.split(from).join(to);
  }
  return new Uint8Array(Buffer.from(`${text}\n${signatures}`, "utf8"));
}

/** The text of a signed note, with its last line feed. */
function textOf(note) {
  return note.slice(0, note.lastIndexOf("\n\n") + 1);
}
