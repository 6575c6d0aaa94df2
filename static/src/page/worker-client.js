// SPDX-License-Identifier: AGPL-3.0-or-later
// The page's side of its worker. All keys and all work are in the worker: seal-client.js calls that of the form,
// mailbox-client.js that of the return page.
//
// The page passes the receipt code and gets plain results back. `terminate` ends the worker and with it every key it
// held. Nothing here uses storage of any kind.

import { PortalError } from "../formats/portal-error.js";

/** @typedef {import("../formats/worker-calls.js").Progress} Progress */

// A worker's script that stalls on its way is given up, later each time, for a line that is only slow.
const WAIT_MS_MIN = 30_000;
const WAIT_MS_MAX = 240_000;

/** Calls the worker to seal and open. One call at a time; a second one waits for the first. */
export class WorkerClient {
  /** @type {Worker | null} */
  #worker = null;
  /** Whether its script is here and runs. */
  #isReady = false;
  #timer = 0;
  /** @type {((error: PortalError) => void) | null} */
  #stop = null;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  /** How often everything was ended. */
  #ends = 0;
  #url;

  /** @param {string} workerUrl address of the page's worker, on the page's own origin */
  constructor(workerUrl) {
    this.#url = workerUrl;
  }

  /**
   * End the worker, and with it all keys it held; the promises of the calls that were running or waiting are rejected with
   * the code `cancelled`. A later call starts a new one.
   */
  terminate() {
    this.#ends++;
    this.#end();
    this.#stop?.(new PortalError("cancelled"));
    this.#stop = null;
  }

  /**
   * Try all that the worker needs of this browser.
   *
   * @param {Progress} [progress]
   * @returns {Promise<import("../formats/worker-calls.js").Lack | null>}
   * @throws {PortalError} `unsupported` when its script can't even begin
   */
  findLack(progress) {
    return /** @type {Promise<import("../formats/worker-calls.js").Lack | null>} */ (this.call("findLack", {}, progress));
  }

  /**
   * @protected
   * @param {string} action
   * @param {object} request
   * @param {Progress} [progress]
   */
  call(action, request, progress = {}) {
    const ends = this.#ends;
    const run = this.#last.then(() => {
      if (ends !== this.#ends) throw new PortalError("cancelled");
      return this.#run(action, request, progress);
    });
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
      this.#stop = reject;
      this.#ask({ action, request }, WAIT_MS_MIN, progress.onTrouble, ({ data }) => {
        if (data.event === "seal") progress.onSeal?.(data.done, data.total, data.file, data.files);
        else if (data.event === "send") progress.onSend?.(data.done, data.total);
        else if (data.event === "trouble") progress.onTrouble?.(data.kind, data.share);
        else if (data.event === "made") progress.onMade?.(data.made);
        else if (data.event === "again") progress.onAgain?.();
        else if (data.event === "result") resolve(data.value);
        else if (data.event === "error") reject(new PortalError(data.code, data.file));
      });
    });
  }

  /**
   * @param {object} call
   * @param {number} wait milliseconds for a worker that is new
   * @param {Progress["onTrouble"]} onTrouble
   * @param {(event: MessageEvent) => void} onMessage
   */
  #ask(call, wait, onTrouble, onMessage) {
    const worker = (this.#worker ??= startWorker(this.#url));
    /** @type {"offline" | "busy"} */
    let trouble = "offline";
    worker.onmessage = (event) => {
      clearTimeout(this.#timer);
      if (!this.#isReady) onTrouble?.(null);
      this.#isReady = true;
      onMessage(event);
    };
    // The event of a failed worker says where in the script it failed, which only concerns developers.
    worker.onerror = (event) => {
      event.preventDefault();
      // Only a script that has come can say what is wrong with it.
      const isBroken = !this.#isReady && event.message;
      // A script that did not come is asked for again; one that never runs is given up.
      if (!this.#isReady && !isBroken && wait < WAIT_MS_MAX) return onTrouble?.((trouble = "busy"));
      this.#stop?.(new PortalError(isBroken ? "unsupported" : "failed"));
      this.terminate();
    };
    worker.postMessage(call);
    if (this.#isReady) return;
    this.#timer = setTimeout(() => {
      this.#end();
      onTrouble?.(trouble);
      this.#ask(call, Math.min(2 * wait, WAIT_MS_MAX), onTrouble, onMessage);
    }, wait);
  }

  #end() {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = null;
    this.#isReady = false;
  }
}

/** @param {string} url */
function startWorker(url) {
  const { href, origin } = new URL(url, globalThis.location.href);
  if (origin !== globalThis.location.origin) throw new PortalError("failed");
  return new Worker(trusted(href));
}

/**
 * The content policy accepts a worker's address only from a Trusted Types policy, in browsers that support them.
 *
 * @param {string} href
 * @returns {string}
 */
function trusted(href) {
  const factory = /** @type {any} */ (globalThis).trustedTypes;
  if (!factory) return href;
  return factory.createPolicy("amparo-worker", { createScriptURL: () => href }).createScriptURL("");
}
