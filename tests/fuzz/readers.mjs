// SPDX-License-Identifier: AGPL-3.0-or-later
// The other side: reads lines `<format> <input in hex>`, answers each by a line of JSON, `{"accepted": …}`, or
// `{"refused": <class of error>}`, or, which no reader ever should, `{"failed": <what was thrown>}`.

import { createInterface } from "node:readline";
import { readAcknowledgement } from "../../static/src/formats/acknowledgement.js";
import { decodeJson, encodeJson } from "../../static/src/formats/canonical-json.js";
import { readCharter } from "../../static/src/formats/charter.js";
import { readCollection } from "../../static/src/formats/collection.js";
import { checkPublicKey, checkSignature } from "../../static/src/formats/ed25519.js";
import { decodeUtf8, encodeHex } from "../../static/src/formats/encoding.js";
import { FormatError } from "../../static/src/formats/errors.js";
import { parseNote, parseVerifier, verifyNote } from "../../static/src/formats/note.js";
import { charterOf } from "../static/commission.mjs";

const JSON_MAX = 1 << 20;
const KEY_BYTES = 32;
const SIGNED_BYTES = KEY_BYTES + 64;

// The same names as in formats.py.
const READERS = {
  "canonical-json": (data) => encodeHex(encodeJson(decodeJson(data, JSON_MAX))),
  "verifier-key": (data) => {
    const { name, keyId, publicKey } = parseVerifier(decodeUtf8(data));
    return [name, keyId, encodeHex(publicKey)];
  },
  signature: (data) => {
    const publicKey = data.subarray(0, KEY_BYTES);
    checkPublicKey(publicKey);
    checkSignature(publicKey, data.subarray(SIGNED_BYTES), data.subarray(KEY_BYTES, SIGNED_BYTES));
    return true;
  },
  note: (data) => {
    const note = parseNote(data);
    const { governors, office, portal } = charterOf("first");
    const signers = verifyNote(note, [...governors.keys, ...office, portal]);
    return [note.text, note.hash, signers.map(({ name }) => name)];
  },
  charter: (data) => {
    const { hash, slug, number, previous, origin, slots, members } = readCharter(data);
    const read = members.map(({ label, name, roles, recipient }) => [label, name, roles, recipient]);
    return [hash, slug, number, previous, origin, slots, read];
  },
  acknowledgement: (data) => {
    const read = readAcknowledgement(data, charterOf("first").portal);
    return [read.origin, read.submission, read.manifestHash, read.commitment, read.received, read.loggedBefore];
  },
  collection: (data) => {
    const { origin, submission, manifestHash, collected } = readCollection(data, charterOf("first").office);
    return [origin, submission, manifestHash, collected];
  },
};

async function answer(format, data) {
  try {
    return { accepted: await READERS[format](data) };
  } catch (error) {
    return error instanceof FormatError ? { refused: error.name } : { failed: String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [format, hex] = line.split(" ");
  process.stdout.write(`${JSON.stringify(await answer(format, new Uint8Array(Buffer.from(hex, "hex"))))}\n`);
}
