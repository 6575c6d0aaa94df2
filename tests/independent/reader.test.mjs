// SPDX-License-Identifier: AGPL-3.0-or-later
// The independent reader passes every vector of the formats that a reporter's device reads. test_reader.py runs this.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { joinParts, loadVectors, testVectors } from "../static/vectors.mjs";
import * as reader from "./reader.mjs";

const COMMISSION = JSON.parse(readFileSync(new URL("../vectors/commission.json", import.meta.url), "utf8"));
const CHARTERS = Object.fromEntries(
  Object.entries(COMMISSION.charters).map(([name, text]) => [name, reader.readCharter(Buffer.from(text, "utf8"))]),
);
const OURS = await reader.derive(COMMISSION.receipt_digits, CHARTERS.first.realm);

const bytes = (hex) => Buffer.from(hex, "hex");
const seed = (name) => bytes(name === "S" ? OURS.mailbox_seed : COMMISSION.identities[name === "R" ? "thread" : name]);
const known = (names) => new Map(names.map((name) => [CHARTERS[name].hash, CHARTERS[name]]));
const joined = (parts) => Buffer.from(joinParts(parts));
const hexOf = (parts) => joined(parts).toString("hex");

testVectors("canonical-json", "encode", ({ value }) => reader.encodeJson(value));
testVectors("canonical-json", "decode", (given) => reader.decodeJson(joined(given.bytes), given.size_max ?? 1 << 20));

testVectors("padding", "padme", ({ size }) => reader.padme(size));
testVectors("padding", "attachment-size", ({ size }) => reader.padme(Math.max(size, 16_384)));
testVectors("padding", "pad", ({ content, floor }) => reader.pad(joined(content), floor).toString("hex"), hexOf);
testVectors(
  "padding",
  "unpad",
  ({ padded, floor, content_max: contentMax }) => reader.unpad(joined(padded), floor, contentMax).toString("hex"),
  hexOf,
);

testVectors("receipt-code", "create", ({ digits }) => reader.createCode(digits));
testVectors("receipt-code", "parse", ({ text }) => reader.parseCode(text));
test("what is wrong with a receipt code, and where", () => {
  for (const { name, input, error, reason, groups } of loadVectors("receipt-code", "parse")) {
    if (error) assert.throws(() => reader.parseCode(input.text), { reason, groups }, name);
  }
});
testVectors("receipt-code", "derive", ({ digits, realm }) => reader.derive(digits, realm));

testVectors("ed25519", "verify", (given) => {
  reader.verifyEd25519(bytes(given.public), bytes(given.message), bytes(given.signature));
  return true;
});

testVectors("note", "parse-key", ({ text }) => reader.parseKey(text));
testVectors("note", "verify", ({ note, keys }) => {
  const { text, signers } = reader.verifyNote(joined(note), keys);
  return { text, signers, hash: reader.hashOf(Buffer.from(text, "utf8")) };
});

testVectors("manifest", "read", ({ data }) => reader.readManifest(joined(data)));
testVectors("manifest", "encode", ({ manifest }) => Buffer.from(reader.encodeJson(manifest)).toString("hex"), hexOf);
testVectors("manifest", "hash", ({ data }) => reader.hashOf(joined(data)));
testVectors("manifest", "commitment", (given) => reader.commitment(given.leaf_nonce, given.manifest_hash));

testVectors(
  "submission",
  "encode-state",
  (given) => reader.encodeState(given.state, given.state_mac).toString("hex"),
  hexOf,
);
testVectors("submission", "read-state", (given) => reader.readState(joined(given.content), given.state_mac));
testVectors("submission", "open-state", (given) =>
  reader.openState(joined(given.sealed), seed(given.identity), given.state_mac),
);

testVectors("submission", "read-urgency", (given) => reader.readUrgency(joined(given.content), given.submission));
testVectors("submission", "open-urgency", (given) =>
  reader.openUrgency(joined(given.sealed), seed(given.identity), given.submission),
);

testVectors("message", "read-reply", ({ content, charters }) => reader.readReply(joined(content), known(charters)));
testVectors("message", "open-reply", ({ sealed, identity, charters }) =>
  reader.openReply(joined(sealed), seed(identity), known(charters)),
);
testVectors(
  "message",
  "encode-follow-up",
  ({ message_mac: key, ...followUp }) => reader.encodeFollowUp(followUp, key).toString("hex"),
  hexOf,
);
testVectors("message", "read-follow-up", (given) => reader.readFollowUp(joined(given.content), given.message_mac));
testVectors("message", "open-follow-up", (given) =>
  reader.openFollowUp(joined(given.sealed), seed(given.identity), given.message_mac),
);
