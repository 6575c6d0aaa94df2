// SPDX-License-Identifier: AGPL-3.0-or-later
// The calls of the return page to its worker, worker/mailbox-worker.js.

import { WorkerClient } from "./worker-client.js";

/**
 * @typedef {import("../formats/worker-calls.js").DeleteRequest} DeleteRequest
 * @typedef {import("../formats/worker-calls.js").FollowUpRequest} FollowUpRequest
 * @typedef {import("../formats/worker-calls.js").Mailbox} Mailbox
 * @typedef {import("../formats/worker-calls.js").MailboxRequest} MailboxRequest
 * @typedef {import("../formats/worker-calls.js").Progress} Progress
 */

export class MailboxClient extends WorkerClient {
  /**
   * Read a mailbox, and note at the portal what was seen. A code that opens nothing gives an empty mailbox, with the same
   * requests.
   *
   * @param {MailboxRequest} request
   * @param {Progress} [progress]
   * @returns {Promise<Mailbox>}
   */
  openMailbox(request, progress) {
    return /** @type {Promise<Mailbox>} */ (this.call("openMailbox", request, progress));
  }

  /**
   * Seal and send a message to the commission, and read the mailbox again. A code that opens nothing gets the same answer.
   *
   * @param {FollowUpRequest} request
   * @param {Progress} [progress]
   * @returns {Promise<Mailbox>}
   */
  followUp(request, progress) {
    return /** @type {Promise<Mailbox>} */ (this.call("followUp", request, progress));
  }

  /**
   * Delete the replies up to a number, and read the mailbox again.
   *
   * @param {DeleteRequest} request
   * @param {Progress} [progress]
   * @returns {Promise<Mailbox>}
   */
  deleteMessages(request, progress) {
    return /** @type {Promise<Mailbox>} */ (this.call("deleteMessages", request, progress));
  }

  /**
   * Close the mailbox for good. What the commission has not fetched yet stays for it.
   *
   * @param {MailboxRequest} request
   * @param {Progress} [progress]
   * @returns {Promise<void>}
   */
  closeMailbox(request, progress) {
    return /** @type {Promise<void>} */ (this.call("closeMailbox", request, progress));
  }
}
