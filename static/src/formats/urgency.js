// SPDX-License-Identifier: AGPL-3.0-or-later
// How urgent a report is, sealed to the office's own key. docs/protocol.md §5.5.
//
// Every submission has this file, urgent or not, and all under one charter have one size: the portal learns nothing.

import { encodeJson } from "./canonical-json.js";
import { URGENCY_BYTES } from "./padding.js";
import { sealDocument } from "./sealed-document.js";

/** @typedef {"now" | "soon" | "none"} UrgencyLevel */

/**
 * @param {UrgencyLevel} level
 * @param {string} submission id, so that it serves for no other one
 */
export function encodeUrgency(level, submission) {
  return encodeJson({ version: "amparo/v1/urgency", submission, level });
}

/**
 * Seal to the charter's offices alone, in the charter's order.
 *
 * @param {UrgencyLevel} level
 * @param {string} submission id
 * @param {Pick<import("./charter.js").Charter, "urgency">} charter
 */
export function sealUrgency(level, submission, charter) {
  return sealDocument(encodeUrgency(level, submission), URGENCY_BYTES, charter.urgency);
}
