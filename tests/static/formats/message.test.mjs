// SPDX-License-Identifier: AGPL-3.0-or-later
import { encodeFollowUp, messageId, openReply, readReply, verifyReply } from "../../../static/src/formats/message.js";
import { charterOf, identityOf } from "../commission.mjs";
import { joinParts, testVectors } from "../vectors.mjs";

function verified(reply, names) {
  const { note: _, ...content } = reply;
  return { ...content, signer: verifyReply(reply, names.map(charterOf)).label };
}

testVectors("message", "read-reply", ({ content, charters }) => verified(readReply(joinParts(content)), charters));

testVectors("message", "open-reply", async ({ sealed, identity, charters }) => {
  const bytes = joinParts(sealed);
  return { ...verified(await openReply(bytes, await identityOf(identity)), charters), id: messageId(bytes) };
});

testVectors(
  "message",
  "encode-follow-up",
  ({ message_mac, ...followUp }) => encodeFollowUp(followUp, Buffer.from(message_mac, "hex")),
  joinParts,
);
