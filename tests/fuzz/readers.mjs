// SPDX-License-Identifier: AGPL-3.0-or-later
// The other side: reads lines `<format> <input in hex>`, answers each by a line of JSON, `{"accepted": …}`, or
// `{"refused": <class of error>}`, or, which no reader ever should, `{"failed": <what was thrown>}`.

import { createInterface } from "node:readline";
import { readAcknowledgement } from "../../static/src/formats/acknowledgement.js";
import { identityFromSeed } from "../../static/src/formats/age.js";
import { decodeJson, encodeJson } from "../../static/src/formats/canonical-json.js";
import { readCharter } from "../../static/src/formats/charter.js";
import { readCollection } from "../../static/src/formats/collection.js";
import { deriveSecrets } from "../../static/src/formats/derive.js";
import { checkPublicKey, checkSignature } from "../../static/src/formats/ed25519.js";
import { decodeUtf8, encodeHex } from "../../static/src/formats/encoding.js";
import { FormatError } from "../../static/src/formats/errors.js";
import { ANSWER_STEP_BYTES, readMailboxAnswer } from "../../static/src/formats/mailbox-answer.js";
import { readReply, verifyReply } from "../../static/src/formats/message.js";
import { readNewestCharterText } from "../../static/src/formats/newest-charter.js";
import { parseNote, parseVerifier, verifyNote } from "../../static/src/formats/note.js";
import { MESSAGE_FLOOR } from "../../static/src/formats/padding.js";
import { readPostingText } from "../../static/src/formats/posting.js";
import { ReceiptCodeError, parseCode } from "../../static/src/formats/receipt-code.js";
import { readCode } from "../../static/src/formats/receipt-text.js";
import { openRenewal } from "../../static/src/formats/renewal.js";
import { sealDocument } from "../../static/src/formats/sealed-document.js";
import { encodeState, readState } from "../../static/src/formats/state.js";
import { readThreadNoteText } from "../../static/src/formats/thread-note.js";
import { charterOf, commission } from "../static/commission.mjs";

const JSON_MAX = 1 << 20;
const KEY_BYTES = 32;
const SIGNED_BYTES = KEY_BYTES + 64;
const CHARTERS = ["first", "second"].map(charterOf);
const MAILBOX = await deriveSecrets(commission.receipt_digits, CHARTERS[0].realm);

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
  "receipt-code": (data) => {
    const text = decodeUtf8(data);
    const { digits } = readCode(text);
    try {
      return [digits, parseCode(text)];
    } catch (error) {
      if (!(error instanceof ReceiptCodeError)) throw error;
      return [digits, error.reason, error.groups];
    }
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
    const read = readAcknowledgement(data, [charterOf("first").portal]);
    return [read.realm, read.submission, read.manifestHash, read.commitment, read.received, read.loggedBefore];
  },
  collection: (data) => {
    const { realm, submission, manifestHash, collected } = readCollection(data, charterOf("first").office);
    return [realm, submission, manifestHash, collected];
  },
  posting: (data) => {
    const { realm, manifest, number, message, newest, posted } = readPostingText(officeText(data));
    return [realm, manifest, number, message, newest.number, newest.charter, posted];
  },
  "newest-charter": (data) => {
    const { realm, slug, number, charter, day } = readNewestCharterText(officeText(data));
    return [realm, slug, number, charter, day];
  },
  "thread-note": (data) => {
    const read = readThreadNoteText(`${decodeUtf8(data)}\n`);
    const thread = [read.realm, read.submission, read.manifest, read.number, read.day];
    const replies = [read.replies.oldest, read.replies.last, read.replies.message];
    const held = [read.held.count, read.held.messages];
    const renewal = read.renewal === null ? "" : encodeHex(read.renewal);
    return [...thread, read.newest.number, read.newest.charter, ...replies, ...held, renewal];
  },
  renewal: async (data) => {
    const sealed = await sealDocument(data, MESSAGE_FLOOR, [MAILBOX.recipient]);
    const read = await openRenewal(sealed, identityFromSeed(MAILBOX.mailboxSeed), CHARTERS);
    return [read.submission, read.manifest, read.charter, read.day, read.signer.label, ...valuesOf(read.keys)];
  },
  reply: (data) => {
    const read = readReply(data);
    const signed = [read.charter, read.day, verifyReply(read, CHARTERS).label];
    return [read.submission, read.manifest, ...signed, read.language, read.body, ...valuesOf(read.keys)];
  },
  state: (data) => encodeHex(encodeState(readState(data, MAILBOX.stateMac), MAILBOX.stateMac)),
  "mailbox-answer": (data) => {
    let size = ANSWER_STEP_BYTES;
    while (size < 4 + data.length) size *= 2;
    const padded = new Uint8Array(size);
    new DataView(padded.buffer).setUint32(0, data.length);
    padded.set(data, 4);
    const read = readMailboxAnswer(padded);
    const messages = read.messages.map(({ posting, sealed }) => [posting, encodeHex(sealed)]);
    const thread = read.thread === null ? null : encodeHex(read.thread);
    return [encodeHex(read.state), read.acknowledgement, read.collection, thread, messages, read.more];
  },
};

/** The text of a note that an office key signed. */
function officeText(data) {
  const note = parseNote(data);
  verifyNote(note, charterOf("first").office);
  return note.text;
}

function valuesOf({ generation, recipient, message_mac: messageMac }) {
  return [generation, recipient, messageMac];
}

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
