// SPDX-License-Identifier: AGPL-3.0-or-later
// The commission of tests/vectors/commission.json, whose charters and keys other vectors refer to.

import { readFileSync } from "node:fs";
import { identityFromSeed } from "../../static/src/formats/age.js";
import { readCharter } from "../../static/src/formats/charter.js";
import { deriveSecrets } from "../../static/src/formats/derive.js";
import { replaceOnce } from "./vectors.mjs";

export const commission = JSON.parse(readFileSync(new URL("../vectors/commission.json", import.meta.url), "utf8"));

/** The bytes of a charter's note: the named text with its replacements, an empty line, the signatures. */
export function charterNote({ charter, replace, signatures }) {
  const text = replaceOnce(textOf(commission.charters[charter]), replace);
  return new Uint8Array(Buffer.from(`${text}\n${signatures}`, "utf8"));
}

const read = new Map();

/** Of the commission's portal. */
export const REALM = JSON.parse(textOf(commission.charters.first)).realm;

/** A charter of the commission, read once. */
export function charterOf(name) {
  if (!read.has(name)) read.set(name, readCharter(new Uint8Array(Buffer.from(commission.charters[name]))));
  return read.get(name);
}

/** The identity that vectors call so: `S` is the mailbox's, `R` the thread's. */
export async function identityOf(name) {
  if (name !== "S") return identityFromSeed(Buffer.from(commission.identities[name === "R" ? "thread" : name], "hex"));
  return identityFromSeed((await deriveSecrets(commission.receipt_digits, REALM)).mailboxSeed);
}

/** The text of a signed note, with its last line feed. */
function textOf(note) {
  return note.slice(0, note.lastIndexOf("\n\n") + 1);
}
