// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAcknowledgement, readAcknowledgement } from "../../../static/src/formats/acknowledgement.js";
import { open } from "../../../static/src/formats/age.js";
import { attachmentCommitment } from "../../../static/src/formats/attachment.js";
import { writeBundle } from "../../../static/src/formats/bundle.js";
import { readCollection } from "../../../static/src/formats/collection.js";
import { AuthenticationError } from "../../../static/src/formats/errors.js";
import { encodeGrant } from "../../../static/src/formats/grant.js";
import { commitment, encodeManifest, manifestHash } from "../../../static/src/formats/manifest.js";
import { parseVerifier } from "../../../static/src/formats/note.js";
import { encodeReport } from "../../../static/src/formats/report.js";
import { encodeUrgency } from "../../../static/src/formats/urgency.js";
import { encodeState, openState, readState } from "../../../static/src/formats/state.js";
import { deriveSecrets } from "../../../static/src/formats/derive.js";
import { REALM, charterOf, commission, identityOf } from "../commission.mjs";
import { joinParts, loadVectors, testVectors } from "../vectors.mjs";

testVectors("manifest", "encode", ({ manifest: { version: _, ...manifest } }) => encodeManifest(manifest), joinParts);
testVectors("manifest", "hash", ({ data }) => manifestHash(joinParts(data)));

for (const { name, input, value, error } of loadVectors("manifest", "commitment")) {
  // A nonce comes from the derivation, which gives no other size.
  if (error) continue;
  test(`manifest, commitment: ${name}`, () => {
    assert.equal(commitment(Buffer.from(input.leaf_nonce, "hex"), input.manifest_hash), value);
  });
}

testVectors(
  "bundle",
  "write",
  ({ manifest, commitment: committed, files }) => {
    const entries = files.map(({ name, data }) => ({ name, content: joinParts(data) }));
    return writeBundle(joinParts(manifest), committed, entries);
  },
  joinParts,
);

testVectors("acknowledgement", "read", ({ note, verifier }) => {
  const read = readAcknowledgement(joinParts(note), [parseVerifier(verifier)]);
  const { realm, submission, manifestHash: hash, commitment: committed, received, loggedBefore } = read;
  return { realm, submission, manifest_hash: hash, commitment: committed, received, logged_before: loggedBefore };
});

testVectors("collection", "read", ({ note, charter }) => {
  const { office } = charterOf(charter);
  const { realm, submission, manifestHash: hash, collected } = readCollection(joinParts(note), office);
  return { realm, submission, manifest_hash: hash, collected };
});

const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

testVectors("submission", "attachment-commitment", ({ salt, sha256 }) => attachmentCommitment(bytes(salt), bytes(sha256)));
testVectors("submission", "encode-report", ({ report: { version: _, ...report } }) => encodeReport(report), joinParts);
testVectors("submission", "encode-grant", (thread) => encodeGrant(thread), joinParts);
testVectors("submission", "encode-urgency", ({ level, submission }) => encodeUrgency(level, submission), joinParts);
testVectors(
  "submission",
  "encode-state",
  ({ state_mac, state: { realm, threads, newest } }) => encodeState({ realm, thread: threads[0], newest }, bytes(state_mac)),
  joinParts,
);
const written = ({ realm, thread, newest }) => ({ realm, threads: [thread], newest });
testVectors("submission", "read-state", ({ content, state_mac }) => written(readState(joinParts(content), bytes(state_mac))));
testVectors("submission", "open-state", async ({ sealed }) =>
  written(await openState(joinParts(sealed), await deriveSecrets(commission.receipt_digits, REALM))),
);
testVectors(
  "submission",
  "open-grant",
  async ({ sealed, identity }) => {
    const { subject, identity: thread } = JSON.parse(Buffer.from(await open(joinParts(sealed), await identityOf(identity))));
    return { subject, identity: thread };
  },
  ({ subject, identity }) => ({ subject, identity }),
);

test("an acknowledgement of another submission, manifest, commitment or portal is refused", () => {
  const [{ input }] = loadVectors("acknowledgement", "read");
  const read = readAcknowledgement(joinParts(input.note), [parseVerifier(input.verifier)]);
  checkAcknowledgement(read, read);
  for (const name of ["realm", "submission", "manifestHash", "commitment"]) {
    assert.throws(() => checkAcknowledgement(read, { ...read, [name]: "0" }), AuthenticationError, name);
  }
});
