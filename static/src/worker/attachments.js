// SPDX-License-Identifier: AGPL-3.0-or-later
// The files of a report: stripped of metadata, then padded, sealed and sent as streams. docs/protocol.md §5.2, §7.1.

import { sha256 } from "@noble/hashes/sha2.js";
import { sealStream, sealedSize } from "../formats/age.js";
import { attachmentCommitment, cleanMediaType, cleanName, padBlob } from "../formats/attachment.js";
import { HASH_BYTES, encodeHex } from "../formats/encoding.js";
import { attachmentFile } from "../formats/manifest.js";
import { paddedAttachmentSize } from "../formats/padding.js";
import { PortalError } from "../formats/portal-error.js";
import { randomBytes } from "../formats/random.js";
import { PartSender } from "./part-sender.js";
import { stripMetadata } from "./strip-metadata.js";

// Counted for the report itself in the progress of sending, as its size is not known before it is sealed.
export const BUNDLE_SHARE_BYTES = 65_536;

/**
 * @typedef {{ blob: Blob, name: string, stripped: boolean }} PreparedFile
 * @typedef {import("./submit.js").Context} Context
 */

/**
 * Remove metadata first, so that the total of the progress is right from the start. Nothing is copied.
 *
 * @param {import("../formats/worker-calls.js").ChosenFile[]} chosen
 * @param {import("../formats/charter.js").Charter} charter
 * @returns {Promise<PreparedFile[]>}
 */
export async function prepareFiles(chosen, { limits }) {
  const tooLarge = chosen.some(({ file }) => file.size > limits.attachmentBytes);
  if (chosen.length > limits.attachments || tooLarge) throw new PortalError("too-large");
  const ready = [];
  for (const { file, name, strip } of chosen) {
    try {
      const kept = { blob: file, stripped: false };
      ready.push({ ...(strip ? await stripMetadata(file, file.type) : kept), name });
    } catch {
      throw new PortalError("file-unreadable");
    }
  }
  return ready;
}

/**
 * Seal and send every file.
 *
 * @param {PreparedFile[]} files
 * @param {string} submission
 * @param {string} recipient R
 * @param {Context} context
 */
export async function sendFiles(files, submission, recipient, { portal, fill, progress }) {
  const paddedTotal = files.reduce((sum, { blob }) => sum + paddedAttachmentSize(blob.size), 0);
  const sealedTotal = sizeOfAll(files);
  const sender = new PartSender(portal, submission, (sent) => {
    progress.onSend?.(sent, sealedTotal + BUNDLE_SHARE_BYTES);
  });
  const attachments = [];
  let before = 0;
  for (const [index, { blob, name, stripped }] of files.entries()) {
    const file = attachmentFile(index + 1);
    const onRead = (/** @type {number} */ done) =>
      progress.onSeal?.(before + done, paddedTotal, index + 1, files.length);
    const source = padBlob(blob, onRead);
    const sealed = await sendFile(sender, file, await sealStream(source.stream, [recipient]));
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

/** @param {PreparedFile[]} files */
function sizeOfAll(files) {
  return files.reduce((sum, { blob }) => sum + sealedSize(paddedAttachmentSize(blob.size)), 0);
}

/**
 * @param {PartSender} sender
 * @param {string} file
 * @param {ReadableStream<Uint8Array>} sealed
 */
async function sendFile(sender, file, sealed) {
  const hash = sha256.create();
  let size = 0;
  try {
    await sender.send(file, sealed, (chunk) => {
      hash.update(chunk);
      size += chunk.length;
    });
  } catch (error) {
    if (error instanceof PortalError) throw error;
    // The file was changed, moved or removed while it was read.
    throw new PortalError("file-unreadable");
  }
  return { size, sha256: encodeHex(hash.digest()) };
}
