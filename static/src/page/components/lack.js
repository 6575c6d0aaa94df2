// SPDX-License-Identifier: AGPL-3.0-or-later
// Says at the start, before anything is typed, that this browser can't do what is needed at the end. Only what is known to
// be missing holds anybody up: a worker that has not come yet is waited for, while the page is read.

import { PortalError } from "../../formats/portal-error.js";
import { parts } from "./element.js";

/**
 * @param {HTMLElement} root
 * @param {import("../worker-client.js").WorkerClient} worker
 * @param {NonNullable<import("../../formats/worker-calls.js").Progress["onTrouble"]>} onTrouble
 * @returns {Promise<boolean>} whether something is missing, and was said
 */
export async function sayLack(root, worker, onTrouble) {
  const setLate = (/** @type {boolean} */ isLate) => {
    for (const words of parts(root, "[data-late]")) words.hidden = !isLate;
  };
  const lack = await askForLack(worker, (kind, share) => {
    setLate(kind !== null);
    onTrouble(kind, share);
  });
  setLate(false);
  root.dataset.tried = lack ?? "";
  for (const words of parts(root, "[data-lack]")) words.hidden = words.dataset.lack !== lack;
  return lack !== null;
}

/**
 * @param {import("../worker-client.js").WorkerClient} worker
 * @param {NonNullable<import("../../formats/worker-calls.js").Progress["onTrouble"]>} onTrouble
 * @returns {Promise<import("../../formats/worker-calls.js").Lack | null>}
 */
async function askForLack(worker, onTrouble) {
  for (;;) {
    try {
      return await worker.findLack({ onTrouble });
    } catch (error) {
      const code = error instanceof PortalError ? error.code : "unsupported";
      if (code === "unsupported") return code;
      // Its script has not come for very long: the next call asks for it anew.
      if (code === "cancelled") return null;
    }
  }
}
