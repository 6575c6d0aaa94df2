// SPDX-License-Identifier: AGPL-3.0-or-later
// The calls of the form to its worker, worker/seal-worker.js.

import { WorkerClient } from "./worker-client.js";

/**
 * @typedef {import("../formats/worker-calls.js").Accepted} Accepted
 * @typedef {import("../formats/worker-calls.js").CharterRequest} CharterRequest
 * @typedef {import("../formats/worker-calls.js").Freshness} Freshness
 * @typedef {import("../formats/worker-calls.js").Progress} Progress
 * @typedef {import("../formats/worker-calls.js").SubmitRequest} SubmitRequest
 */

export class SealClient extends WorkerClient {
  /**
   * Ask how new the charter is. One that was replaced is refused, with the code `charter-replaced`.
   *
   * @param {CharterRequest} request
   * @param {Progress} [progress]
   * @returns {Promise<Freshness>}
   */
  checkCharter(request, progress) {
    return /** @type {Promise<Freshness>} */ (this.call("checkCharter", request, progress));
  }

  /**
   * Seal a report and its files, send them, and check the acknowledgement. Tries again while the network is away or
   * the portal is busy, always with the same manifest: there is never a second submission.
   *
   * @param {SubmitRequest} request
   * @param {Progress} [progress]
   * @returns {Promise<Accepted>}
   */
  submit(request, progress) {
    return /** @type {Promise<Accepted>} */ (this.call("submit", request, progress));
  }
}
