// SPDX-License-Identifier: AGPL-3.0-or-later
// The types of the calls from the page to its worker, and of their results. A failure is a PortalError, see
// portal-error.js.

/**
 * @typedef {{ file: File | Blob, name: string, strip: boolean }} ChosenFile
 *
 * @typedef {object} SubmitRequest
 * @property {string} origin the portal's origin, as in the charter
 * @property {string} charter text of the charter's signed note
 * @property {string} digits receipt code, 35 digits
 * @property {string} language
 * @property {Record<string, unknown>} answers by question id, docs/protocol.md §4.3
 * @property {string[]} exclude labels of members who must not read this
 * @property {ChosenFile[]} files `strip` asks to remove metadata where possible
 * @property {"browser"} sealedBy
 *
 * @typedef {object} Progress every callback is optional
 * @property {(done: number, total: number, file: number, files: number) => void} [onSeal] bytes; `file` from 1
 * @property {(done: number, total: number) => void} [onSend] sealed bytes that the portal holds durably
 * @property {(kind: "offline" | "busy") => void} [onTrouble] the worker waits and tries again by itself
 * @property {() => void} [onCalm] the trouble is over
 *
 * @typedef {{ acknowledgement: string, submission: string }} Accepted `acknowledgement` is the portal's signed note
 *
 * @typedef {object} Message a reply of the commission; everything but `id` and `day` is empty when there is a problem
 * @property {string} id
 * @property {string} day YYYY-MM-DD
 * @property {string} body
 * @property {string} language
 * @property {{ label: string, name: string } | null} from the member who signed it
 * @property {null | "unreadable" | "unsigned"} problem
 *
 * @typedef {{ messages: Message[], collection: { day: string } | null }} Mailbox oldest message first
 *
 * @typedef {{ origin: string, digits: string, kind: "message" | "retaliation", body: string }} FollowUpRequest
 */
