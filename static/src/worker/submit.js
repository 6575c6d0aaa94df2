// SPDX-License-Identifier: AGPL-3.0-or-later
// From answers and files to the portal's acknowledgement. docs/protocol.md §5 – §7.
//
// Files go first, in parts, while they are being sealed. The report names their hashes, so it is sealed after them. The
// state names the hash of the manifest and is sealed last; the same bundle is sent until the portal has acknowledged it,
// also when the call ends with an error and the person tries again: the page keeps what was made, docs/protocol.md §7.2.

import { sha256 } from "@noble/hashes/sha2.js";
import { generateIdentity, recipientOf } from "../formats/age.js";
import { checkAnswers } from "../formats/answers.js";
import { checkAcknowledgement, readAcknowledgement } from "../formats/acknowledgement.js";
import { MEDIA_TYPE, writeBundle } from "../formats/bundle.js";
import { isReader, readCharter } from "../formats/charter.js";
import { deriveSecrets, wipeSecrets } from "../formats/derive.js";
import { ID_BYTES, encodeHex, encodeUtf8, formatDay } from "../formats/encoding.js";
import { FormatError, LimitError } from "../formats/errors.js";
import { sealGrant } from "../formats/grant.js";
import * as manifests from "../formats/manifest.js";
import { PortalError } from "../formats/portal-error.js";
import { randomBytes } from "../formats/random.js";
import { sealReport } from "../formats/report.js";
import { firstState, sealState } from "../formats/state.js";
import { sealUrgency } from "../formats/urgency.js";
import { BUNDLE_SHARE_BYTES, checkFiles, sendFiles } from "./attachments.js";
import { chooseReaders, daysDiffer } from "./charter-day.js";
import { checkFreshness } from "./charter-freshness.js";

// By these words the portal has accepted what was sent before under this id, or has not all files. docs/protocol.md §7.3.
const ARRIVED_BEFORE = ["already-accepted", "submission-conflict"];
const LOST = ["file-hash-mismatch", "file-missing", "file-size-mismatch"];
// So often files are sent that the portal then has not.
const TRIES_MAX = 3;

/**
 * @typedef {import("../formats/charter.js").Charter} Charter
 * @typedef {import("../formats/derive.js").MailboxSecrets} MailboxSecrets
 * @typedef {import("../formats/worker-calls.js").Made} Made
 * @typedef {import("../formats/worker-calls.js").SubmitRequest} SubmitRequest
 * @typedef {import("./attachments.js").SentAttachments} SentAttachments
 *
 * @typedef {object} Context
 * @property {import("./portal.js").Portal} portal
 * @property {() => Date} now
 * @property {import("../formats/random.js").Fill} fill
 * @property {Pick<import("../formats/worker-calls.js").Progress, "onSeal" | "onSend" | "onMade" | "onAgain">} progress
 */

/**
 * Seal and send a report, once: a try after another one goes under the same id, so that no path makes two reports.
 *
 * - What nothing was changed of since is sent as it was sealed.
 * - What was changed is sealed anew. If the portal holds what was sent before, that is the report: it is sent once more,
 *   for its acknowledgement.
 * - Files that the portal has lost are sealed and sent again.
 *
 * @param {SubmitRequest} request
 * @param {Context} context
 * @returns {Promise<import("../formats/worker-calls.js").Accepted>}
 * @throws {PortalError}
 */
export async function submitReport(request, context) {
  const device = formatDay(context.now());
  const charter = openCharter(request);
  if (charter.members.filter(isReader).every(({ label }) => request.exclude.includes(label))) {
    throw new PortalError("no-recipient");
  }
  validateAnswers(request.answers);
  checkFiles(request.files, charter);
  const shown = await context.portal.getSuccessors(charter.hash);
  const newest = describeDays(checkFreshness(charter, shown, device), device, shown.day);
  const members = chooseReaders(charter, request.exclude, { device, signed: newest.day, portal: shown.day });
  let { made = null, isChanged = false } = request;
  for (let tries = 1; ; tries++) {
    try {
      if (!made || isChanged) made = await make(request, context, { charter, members }, made);
      context.progress.onMade?.(made);
      return { ...(await sendBundle(made, newestOf(made), charter, context)), newest, asBefore: false };
    } catch (error) {
      const code = error instanceof PortalError ? error.code : "";
      if (made && ARRIVED_BEFORE.includes(code)) return { ...(await askForEarlier(made, charter, context)), newest, asBefore: true };
      if (!LOST.includes(code)) throw error;
      if (request.files.length === 0 || tries === TRIES_MAX) throw new PortalError("acknowledgement-invalid");
      isChanged = true;
      context.progress.onAgain?.();
    }
  }
}

/**
 * Seal everything, and send the files.
 *
 * @param {SubmitRequest} request
 * @param {Context} context
 * @param {{ charter: Charter, members: ReturnType<typeof chooseReaders> }} prepared
 * @param {Made | null} before
 * @returns {Promise<Made>}
 * @throws {PortalError} `already-accepted` when the portal holds what was made before
 */
async function make(request, context, { charter, members }, before) {
  // Parts of the same file sealed anew are other parts.
  if (before && before.filesSize + request.files.length > 0) await context.portal.dropUpload(before.submission);
  const secrets = await deriveSecrets(request.digits, charter.realm);
  try {
    const subject = before?.submission ?? encodeHex(randomBytes(ID_BYTES, context.fill));
    const thread = { identity: await generateIdentity(), subject };
    const recipient = await recipientOf(thread.identity);
    const attachments = await sendFiles(request.files, subject, recipient, context);
    const report = await seal(request, charter, secrets, { subject, recipient, attachments });
    const grant = await sealGrant(thread, members, charter, context.fill);
    const urgency = await sealUrgency(request.urgency, subject, charter);
    const sealed = { excluded: sortLabels(request.exclude), recipient, report, grant, urgency };
    const bundle = await makeBundle(charter, secrets, subject, sealed, attachments);
    const filesSize = attachments.reduce((sum, { sealedSize }) => sum + sealedSize, 0);
    return { submission: subject, filesSize, bundles: [...(before?.bundles ?? []), bundle] };
  } finally {
    wipeSecrets(secrets);
  }
}

/**
 * Ask how new the charter of the form is, before anything is sealed.
 *
 * @param {import("../formats/worker-calls.js").CharterRequest} request
 * @param {Pick<Context, "portal" | "now">} context
 * @returns {Promise<import("../formats/worker-calls.js").Freshness>}
 * @throws {PortalError} `charter-replaced` among others
 */
export async function checkCharter(request, { portal, now }) {
  const device = formatDay(now());
  const charter = openCharter({ ...request, exclude: [] });
  const shown = await portal.getSuccessors(charter.hash);
  return describeDays(checkFreshness(charter, shown, device), device, shown.day);
}

/**
 * @param {Pick<import("../formats/worker-calls.js").Freshness, "day" | "old">} newest
 * @param {string} device day of the clock
 * @param {string | null} portal day of the answer
 * @returns {import("../formats/worker-calls.js").Freshness}
 */
function describeDays(newest, device, portal) {
  return { ...newest, clock: daysDiffer(device, portal) ? portal : null };
}

/**
 * Not checked: the day.
 *
 * @param {Pick<SubmitRequest, "charter" | "realm" | "exclude">} request
 */
function openCharter({ charter: note, realm, exclude }) {
  let charter;
  try {
    charter = readCharter(encodeUtf8(note));
  } catch (error) {
    if (error instanceof FormatError) throw new PortalError("charter-invalid");
    throw error;
  }
  if (charter.realm !== realm) throw new PortalError("charter-invalid");
  const labels = charter.members.map(({ label }) => label);
  // An unknown label could not be excluded.
  if (exclude.some((label) => !labels.includes(label))) throw new PortalError("charter-invalid");
  return charter;
}

/**
 * Checked before files are sent, not after.
 *
 * @param {Record<string, unknown>} answers
 */
function validateAnswers(answers) {
  try {
    checkAnswers(answers);
  } catch (error) {
    if (error instanceof FormatError) throw new PortalError(error instanceof LimitError ? "too-large" : "answers-invalid");
    throw error;
  }
}

/** @param {string[]} labels */
function sortLabels(labels) {
  return [...new Set(labels)].sort();
}

/**
 * Seal the report.
 *
 * @param {SubmitRequest} request
 * @param {Charter} charter
 * @param {MailboxSecrets} secrets
 * @param {{ subject: string, recipient: string, attachments: SentAttachments }} thread
 */
async function seal(request, charter, secrets, { subject, recipient, attachments }) {
  const content = {
    submission: subject,
    realm: charter.realm,
    charter: charter.hash,
    questionnaire: charter.questionnaire,
    language: request.language,
    answers: request.answers,
    attachments: attachments.map(({ entry }) => entry),
    excluded: sortLabels(request.exclude),
    mailbox: secrets.recipient,
    control: secrets.control,
    message_mac: encodeHex(secrets.messageMac),
    leaf_nonce: encodeHex(secrets.leafNonce),
    sealed_by: request.sealedBy,
  };
  try {
    return await sealReport(content, recipient);
  } catch (error) {
    if (error instanceof LimitError) throw new PortalError("too-large");
    throw error;
  }
}

/**
 * @param {Charter} charter
 * @param {MailboxSecrets} secrets
 * @param {string} submission
 * @param {{ excluded: string[], recipient: string, report: Uint8Array, grant: Uint8Array, urgency: Uint8Array }} sealed `recipient` is R
 * @param {SentAttachments} attachments
 */
async function makeBundle(charter, secrets, submission, { excluded, recipient, ...contents }, attachments) {
  const files = [
    { name: manifests.REPORT_FILE, content: contents.report },
    { name: manifests.GRANT_FILE, content: contents.grant },
    { name: manifests.URGENCY_FILE, content: contents.urgency },
  ];
  const lines = files.map(({ name, content }) => ({ name, size: content.length, sha256: encodeHex(sha256(content)) }));
  const sent = attachments.map(({ sealedSize: size, entry }) => ({ name: entry.file, size, sha256: entry.sealed_sha256 }));
  const manifest = manifests.encodeManifest({
    submission,
    charter: charter.hash,
    mailbox: secrets.mailbox,
    recipient: secrets.recipient,
    control: secrets.control,
    token_sha256: secrets.tokenSha256,
    files: [...lines, ...sent],
  });
  const manifestHash = manifests.manifestHash(manifest);
  const commitment = manifests.commitment(secrets.leafNonce, manifestHash);
  const keys = { generation: 0, recipient, message_mac: encodeHex(secrets.messageMac) };
  const thread = { submission, manifest: manifestHash, excluded, keys };
  const state = await sealState(firstState(charter, thread), secrets);
  const bytes = writeBundle(manifest, commitment, [{ name: manifests.STATE_FILE, content: state }, ...files]);
  return { bytes, manifestHash, commitment };
}

/** @param {Made} made */
function newestOf({ bundles }) {
  return bundles[bundles.length - 1];
}

/**
 * The portal says that it holds what was sent before. Nobody signs that; what was sent, sent once more, has the
 * acknowledgement that shows it.
 *
 * @param {Made} made
 * @param {Charter} charter
 * @param {Context} context
 */
async function askForEarlier(made, charter, context) {
  for (const bundle of made.bundles.slice().reverse()) {
    try {
      return await sendBundle(made, bundle, charter, context);
    } catch (error) {
      if (!(error instanceof PortalError) || !ARRIVED_BEFORE.includes(error.code)) break;
    }
  }
  throw new PortalError("acknowledgement-invalid");
}

/**
 * @param {Made} made
 * @param {import("../formats/worker-calls.js").Bundle} bundle
 * @param {Charter} charter
 * @param {Context} context
 * @throws {PortalError} of ARRIVED_BEFORE or LOST on the portal's word, `acknowledgement-invalid` for anything else
 */
async function sendBundle({ submission, filesSize }, { bytes, manifestHash, commitment }, charter, { portal, progress }) {
  const total = filesSize + BUNDLE_SHARE_BYTES;
  progress.onSend?.(filesSize, total);
  let acknowledgement;
  try {
    acknowledgement = await portal.postBundle(bytes, MEDIA_TYPE);
    const read = readAcknowledgement(encodeUtf8(acknowledgement), [charter.portal]);
    checkAcknowledgement(read, { realm: charter.realm, submission, manifestHash, commitment });
  } catch (error) {
    if (error instanceof PortalError && [...ARRIVED_BEFORE, ...LOST].includes(error.code)) throw error;
    // Whatever it says instead, a refusal too, nobody has signed: it may have arrived.
    throw new PortalError("acknowledgement-invalid");
  }
  progress.onSend?.(total, total);
  return { acknowledgement, submission, manifest: manifestHash };
}
