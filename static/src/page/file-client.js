// SPDX-License-Identifier: AGPL-3.0-or-later
// The calls of the form to the workers that clean files. Each is loaded when the first file for it is chosen.

import { WorkerClient } from "./worker-client.js";

/**
 * @typedef {import("../formats/worker-calls.js").CleanedFile} CleanedFile
 * @typedef {import("../formats/worker-calls.js").FileRequest} FileRequest
 */

export class FileClient {
  #pictures;
  #pdfs;

  /**
   * @param {string} pictureWorker address
   * @param {string} pdfWorker address
   */
  constructor(pictureWorker, pdfWorker) {
    this.#pictures = new Cleaner(pictureWorker);
    this.#pdfs = new Cleaner(pdfWorker);
  }

  /**
   * @param {FileRequest} request
   * @returns {Promise<CleanedFile>}
   * @throws {import("../formats/portal-error.js").PortalError} `file-unreadable`, `cancelled`, `failed`
   */
  async clean(request) {
    const result = await this.#pictures.clean(request);
    return result.kind === "pdf" ? { ...result, ...(await this.#pdfs.clean(request)) } : result;
  }

  /** End both workers; calls that run are rejected with the code `cancelled`. */
  terminate() {
    this.#pictures.terminate();
    this.#pdfs.terminate();
  }
}

class Cleaner extends WorkerClient {
  /** @param {FileRequest} request */
  clean(request) {
    return /** @type {Promise<CleanedFile>} */ (this.call("clean", request));
  }
}
