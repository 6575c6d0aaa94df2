// SPDX-License-Identifier: AGPL-3.0-or-later
// The failure of a call to the portal, or of the sealing before it.

/**
 * A call failed. `code` is what the portal said, `charter-unknown`, `damaged`, `mailbox-full`, `not-found` or `state-conflict`;
 * or it is a word of the device's own, which no portal can make it say: `cancelled`, `charter-invalid`, `charter-expired`,
 * `charter-replaced`, `clock-differs`, `mailbox-changed`, `mailbox-untrue`, `no-recipient`, `answers-invalid`, `too-large`, `file-unreadable`,
 * `acknowledgement-invalid`, `unexpected-answer`, `unsupported`, `failed`.
 */
export class PortalError extends Error {
  /**
   * @param {string} code
   * @param {number} [file] of `file-unreadable`: which file of the report, from 0
   */
  constructor(code, file) {
    super(code);
    this.name = "PortalError";
    this.code = code;
    this.file = file;
  }
}
