// SPDX-License-Identifier: AGPL-3.0-or-later
// The failure of a call to the portal, or of the sealing before it.

/**
 * A call failed. `code` is one of docs/protocol.md §7.3 with its HTTP `status`, or with status 0 one of
 * `cancelled`, `charter-invalid`, `charter-expired`, `charter-replaced`, `mailbox-changed`, `mailbox-untrue`, `no-recipient`,
 * `answers-invalid`, `too-large`, `file-unreadable`, `acknowledgement-invalid`, `unexpected-answer`, `failed`.
 */
export class PortalError extends Error {
  /**
   * @param {string} code
   * @param {number} [status]
   * @param {boolean} [retryable] whether the same call may succeed later
   */
  constructor(code, status = 0, retryable = false) {
    super(code);
    this.name = "PortalError";
    this.code = code;
    this.status = status;
    this.retryable = retryable;
  }
}
