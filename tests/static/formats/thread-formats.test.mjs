// SPDX-License-Identifier: AGPL-3.0-or-later
// The statements of a thread, as Python makes and reads them. docs/protocol.md §4.2, §8.1, §9.
import { AuthenticationError } from "../../../static/src/formats/errors.js";
import { signControl } from "../../../static/src/formats/control.js";
import { deriveSecrets } from "../../../static/src/formats/derive.js";
import { encodeBase64, encodeUtf8 } from "../../../static/src/formats/encoding.js";
import { readNewestCharter } from "../../../static/src/formats/newest-charter.js";
import { parseNote, verifyNote } from "../../../static/src/formats/note.js";
import { readPostingText } from "../../../static/src/formats/posting.js";
import { openRenewal, readRenewal } from "../../../static/src/formats/renewal.js";
import { openThreadNote, readThreadNote } from "../../../static/src/formats/thread-note.js";
import { REALM, charterOf, commission, identityOf } from "../commission.mjs";
import { joinParts, testVectors } from "../vectors.mjs";

const secrets = await deriveSecrets(commission.receipt_digits, REALM);

testVectors(
  "control",
  "sign",
  ({ follow_up, ...control }) => encodeUtf8(signControl({ ...control, followUp: follow_up }, secrets)),
  joinParts,
);

testVectors("posting", "read", ({ note, charter }) => {
  const parsed = parseNote(joinParts(note));
  verifyNote(parsed, charterOf(charter).office);
  const { newest, ...said } = readPostingText(parsed.text);
  return { ...said, charter_number: newest.number, charter: newest.charter };
});

testVectors("newest-charter", "read", ({ note, charter }) => readNewestCharter(joinParts(note), [charterOf(charter)]));

const signed = ({ signer, ...renewal }) => ({ ...renewal, signer: signer.label });
testVectors("renewal", "read-renewal", ({ content, charters }) =>
  signed(readRenewal(joinParts(content), charters.map(charterOf))),
);
testVectors("renewal", "open-renewal", async ({ sealed, identity, charters }) =>
  signed(await openRenewal(joinParts(sealed), await identityOf(identity), charters.map(charterOf))),
);

/** Who must have signed is a rule of the reader, worker/mailbox-reader.js; here it is that of the vectors. */
function verified({ thread, note }, charters) {
  const charter = charters.map(charterOf).find(({ hash }) => hash === thread.newest.charter);
  if (!charter || charter.number !== thread.newest.number) throw new AuthenticationError("an unknown charter");
  verifyNote(note, charter.office);
  const messages = encodeBase64(new Uint8Array(Buffer.from(thread.held.messages.join(""), "hex")));
  return { ...thread, held: { ...thread.held, messages }, renewal: thread.renewal && encodeBase64(thread.renewal) };
}

testVectors("thread-note", "read-thread-note", ({ content, charters }) => verified(readThreadNote(joinParts(content)), charters));
testVectors("thread-note", "open-thread-note", async ({ sealed, identity, charters }) =>
  verified(await openThreadNote(joinParts(sealed), await identityOf(identity)), charters),
);
