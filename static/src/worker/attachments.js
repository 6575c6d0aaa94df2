// SPDX-License-Identifier: AGPL-3.0-or-later
// The files of a report, as the page hands them over: padded, sealed and sent as streams. docs/protocol.md §5.2, §7.1.

import { sha256 } from "@noble/hashes/sha2.js";
import { sealStream, sealedSize } from "../formats/age.js";
import { attachmentCommitment, cleanMediaType, padBlob } from "../formats/attachment.js";
import { HASH_BYTES, encodeHex } from "../formats/encoding.js";
import { cleanName } from "../formats/file-name.js";
import { attachmentFile } from "../formats/manifest.js";
import { paddedAttachmentSize } from "../formats/padding.js";
import { PortalError } from "../formats/portal-error.js";
import { randomBytes } from "../formats/random.js";
import { PartSender } from "./part-sender.js";

// Counted for the report itself in the progress of sending, as its size is not known before it is sealed.
export const BUNDLE_SHARE_BYTES = 65_536;

/**
 * @typedef {import("../formats/worker-calls.js").ChosenFile} ChosenFile
 * @typedef {import("./submit.js").Context} Context
 */

/**
 * Refuse what the commission does not take, before anything is sent.
 *
 * @param {ChosenFile[]} files
 * @param {import("../formats/charter.js").Charter} charter
 */
export function checkFiles(files, { limits }) {
  const tooLarge = files.some(({ file }) => file.size > limits.attachmentBytes);
  if (files.length > limits.attachments || tooLarge) throw new PortalError("too-large");
}

/**
 * Seal and send every file.
 *
 * @param {ChosenFile[]} files
 * @param {string} submission
 * @param {string} recipient R
 * @param {Context} context
 */
export async function sendFiles(files, submission, recipient, { portal, fill, progress }) {
  const paddedTotal = files.reduce((sum, { file }) => sum + paddedAttachmentSize(file.size), 0);
  const sealedTotal = sizeOfAll(files);
  const sender = new PartSender(portal, submission, (sent) => {
    progress.onSend?.(sent, sealedTotal + BUNDLE_SHARE_BYTES);
  });
  const attachments = [];
  let before = 0;
  for (const [index, { file: blob, name, stripped }] of files.entries()) {
    const file = attachmentFile(index + 1);
    const onRead = (/** @type {number} */ done) =>
      progress.onSeal?.(before + done, paddedTotal, index + 1, files.length);
    const source = padBlob(blob, onRead);
    const sealed = await sendFile(sender, index, await sealStream(source.stream, [recipient]));
    before += source.padded;
    const hash = source.hash.digest();
    const salt = randomBytes(HASH_BYTES, fill);
    attachments.push({
      sealedSize: sealed.size,
      entry: {
        file,
        name: cleanName(name),
        media_type: cleanMediaType(blob.type),
        size: blob.size,
        sha256: encodeHex(hash),
        salt: encodeHex(salt),
        commitment: attachmentCommitment(salt, hash),
        sealed_sha256: sealed.sha256,
        stripped,
      },
    });
  }
  await sender.finish();
  return attachments;
}

/** @typedef {Awaited<ReturnType<typeof sendFiles>>} SentAttachments */

/** @param {ChosenFile[]} files */
function sizeOfAll(files) {
  return files.reduce((sum, { file }) => sum + sealedSize(paddedAttachmentSize(file.size)), 0);
}

/**
 * @param {PartSender} sender
 * @param {number} index of the file, from 0
 * @param {ReadableStream<Uint8Array>} sealed
 */
async function sendFile(sender, index, sealed) {
  const hash = sha256.create();
  let size = 0;
  try {
    await sender.send(attachmentFile(index + 1), sealed, (chunk) => {
      hash.update(chunk);
      size += chunk.length;
    });
  } catch (error) {
    if (error instanceof PortalError) throw error;
    // The file was changed, moved or removed while it was read.
    throw new PortalError("file-unreadable", index);
  }
  return { size, sha256: encodeHex(hash.digest()) };
}
