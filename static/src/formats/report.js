// SPDX-License-Identifier: AGPL-3.0-or-later
// The report, sealed to the thread. docs/protocol.md §5.1.

import { encodeJson } from "./canonical-json.js";
import { LimitError } from "./errors.js";
import { REPORT_FLOOR } from "./padding.js";
import { sealDocument } from "./sealed-document.js";

const REPORT_MAX = 1024 * 1024;

/**
 * @typedef {object} Report
 * @property {string} submission
 * @property {string} realm
 * @property {string} charter hash
 * @property {{ id: string, number: number }} questionnaire
 * @property {string} language
 * @property {Record<string, unknown>} answers
 * @property {import("./attachment.js").Attachment[]} attachments
 * @property {string[]} excluded labels of members who must not read it, in rising order
 * @property {string} mailbox S
 * @property {string} control V, hex
 * @property {string} message_mac hex
 * @property {string} leaf_nonce hex
 * @property {string} sealed_by
 */

/**
 * @param {Report} report
 * @throws {LimitError} above 1 MiB
 */
export function encodeReport(report) {
  const json = encodeJson({ ...report, version: "amparo/v1/report" });
  if (json.length > REPORT_MAX) throw new LimitError("report is too long");
  return json;
}

/**
 * @param {Report} report
 * @param {string} thread R
 */
export function sealReport(report, thread) {
  return sealDocument(encodeReport(report), REPORT_FLOOR, [thread]);
}
