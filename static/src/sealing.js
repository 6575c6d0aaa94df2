// SPDX-License-Identifier: AGPL-3.0-or-later
// The page's side of sealing. All secrets and all work are in a worker of their own: src/seal-worker.js for the
// form, src/mailbox-worker.js for the return page.
//
// The page hands the receipt code over and gets plain results back. `cancel` and `terminate` end the worker and with it
// every key it held. Nothing here touches storage of any kind.

import { PortalError } from "./portal-error.js";

export { PortalError };

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
 * @property {ChosenFile[]} files `strip` asks to remove metadata where that is possible
 * @property {"browser"} sealedBy
 *
 * @typedef {object} Progress every one may be left out
 * @property {(done: number, total: number, file: number, files: number) => void} [onSeal] bytes; `file` from 1
 * @property {(done: number, total: number) => void} [onSend] sealed bytes that the portal holds durably
 * @property {(kind: "offline" | "busy") => void} [onTrouble] it waits and tries again by itself
 * @property {() => void} [onCalm] trouble is over
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

/**
 * Seals and opens in a worker. One call at a time; a second one waits for the first.
 */
export class Sealing {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {((error: PortalError) => void) | null} */
  #stop = null;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  #url;

  /** @param {string} workerUrl address of the page's worker, on the page's own origin */
  constructor(workerUrl) {
    this.#url = workerUrl;
  }

  /**
   * Seal a report and its files, send them, and check what the portal signed. Tries for ever while the network is away
   * or the portal is busy, always with the same manifest: there is never a second submission.
   *
   * @param {SubmitRequest} request
   * @param {Progress} [progress]
   * @returns {Promise<Accepted>}
   */
  submit(request, progress = {}) {
    return /** @type {Promise<Accepted>} */ (this.#call("submit", request, progress));
  }

  /**
   * Fetch and open the commission's replies. A code that opens nothing gives an empty mailbox, with the same requests.
   *
   * @param {{ origin: string, digits: string }} request
   * @param {Progress} [progress]
   * @returns {Promise<Mailbox>}
   */
  openMailbox(request, progress = {}) {
    return /** @type {Promise<Mailbox>} */ (this.#call("openMailbox", request, progress));
  }

  /**
   * Seal and send a message to the commission. A code that opens nothing gets the same answer.
   *
   * @param {FollowUpRequest} request
   * @param {Progress} [progress]
   * @returns {Promise<void>}
   */
  followUp(request, progress = {}) {
    return /** @type {Promise<void>} */ (this.#call("followUp", request, progress));
  }

  /** Give up what is under way; its promise is refused with the code `cancelled`. */
  cancel() {
    this.terminate();
  }

  /** End the worker, and with it all keys it held. A later call starts a new one. */
  terminate() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#stop?.(new PortalError("cancelled"));
    this.#stop = null;
  }

  /**
   * @param {string} action
   * @param {object} request
   * @param {Progress} progress
   */
  #call(action, request, progress) {
    const run = this.#last.then(() => this.#run(action, request, progress));
    this.#last = run.catch(() => {});
    return run;
  }

  /**
   * @param {string} action
   * @param {object} request
   * @param {Progress} progress
   */
  #run(action, request, progress) {
    return new Promise((resolve, reject) => {
      const worker = (this.#worker ??= startWorker(this.#url));
      this.#stop = reject;
      worker.onmessage = ({ data }) => {
        if (data.event === "seal") progress.onSeal?.(data.done, data.total, data.file, data.files);
        else if (data.event === "send") progress.onSend?.(data.done, data.total);
        else if (data.event === "trouble") progress.onTrouble?.(data.kind);
        else if (data.event === "calm") progress.onCalm?.();
        else if (data.event === "result") resolve(data.value);
        else if (data.event === "error") reject(new PortalError(data.code, data.status, data.retryable));
      };
      // The event of a failed worker says where in the script it failed, which is nobody's business but a developer's.
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new PortalError("failed"));
        this.terminate();
      };
      worker.postMessage({ action, request });
    });
  }
}

/**
 * What a page needs to know of a charter. Nothing is verified here; the worker does that before it seals.
 *
 * @param {string} charterNote text of the signed note
 * @returns {Record<string, any>}
 */
export function preview(charterNote) {
  return JSON.parse(charterNote.slice(0, charterNote.indexOf("\n")));
}

/** @param {string} url */
function startWorker(url) {
  const { href, origin } = new URL(url, globalThis.location.href);
  if (origin !== globalThis.location.origin) throw new PortalError("failed");
  return new Worker(trusted(href));
}

/**
 * The content policy takes a worker's address only from a Trusted Types policy, where the browser knows of them.
 *
 * @param {string} href
 * @returns {string}
 */
function trusted(href) {
  const factory = /** @type {any} */ (globalThis).trustedTypes;
  if (!factory) return href;
  return factory.createPolicy("amparo-worker", { createScriptURL: () => href }).createScriptURL("");
}
