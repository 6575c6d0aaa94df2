// SPDX-License-Identifier: AGPL-3.0-or-later
// What a reporter says, sealed to the thread. docs/protocol.md §5.1.

import { seal } from "./age.js";
import { checkAnswers } from "./answers.js";
import { encodeJson } from "./canonical-json.js";
import { encodeHex } from "./encoding.js";
import { LimitError } from "./errors.js";
import { REPORT_FLOOR, padDocument } from "./padding.js";

const REPORT_MAX = 1024 * 1024;

/**
 * @typedef {object} Report
 * @property {string} submission
 * @property {string} origin
 * @property {string} charter hash
 * @property {{ id: string, number: number }} questionnaire
 * @property {string} language
 * @property {Record<string, unknown>} answers
 * @property {import("./attachment.js").Attachment[]} attachments
 * @property {string} mailbox S
 * @property {Uint8Array} messageMac
 * @property {Uint8Array} leafNonce
 * @property {string} sealedBy
 */

/**
 * @param {Report} report
 * @param {string} thread R
 * @throws {LimitError | import("./errors.js").MalformedError} for what no reader would take
 */
export function sealReport({ messageMac, leafNonce, sealedBy, ...report }, thread) {
  checkAnswers(report.answers);
  const json = encodeJson({
    version: "amparo/v1/report",
    ...report,
    message_mac: encodeHex(messageMac),
    leaf_nonce: encodeHex(leafNonce),
    sealed_by: sealedBy,
  });
  if (json.length > REPORT_MAX) throw new LimitError("report is too long");
  return seal(padDocument(json, REPORT_FLOOR), [thread]);
}
