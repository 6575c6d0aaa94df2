// SPDX-License-Identifier: AGPL-3.0-or-later
// The worker that holds the receipt code and every key made from it. The page's side is src/sealing.js.

import { systemRandom } from "./formats/random.js";
import { openMailbox, sendFollowUp } from "./mailbox.js";
import { PortalError } from "./portal-error.js";
import { submitReport } from "./submit.js";
import { Portal } from "./upload.js";

const scope = globalThis;

const post = (/** @type {object} */ message) => /** @type {any} */ (scope).postMessage(message);

const portal = new Portal(
  "",
  { fetch: (...call) => scope.fetch(...call), sleep, random: Math.random },
  { onTrouble: (kind) => post({ event: "trouble", kind }), onCalm: () => post({ event: "calm" }) },
);

const context = {
  portal,
  now: () => new Date(),
  fill: systemRandom,
  progress: {
    onSeal: (/** @type {number} */ done, /** @type {number} */ total, /** @type {number} */ file, /** @type {number} */ files) =>
      post({ event: "seal", done, total, file, files }),
    onSend: (/** @type {number} */ done, /** @type {number} */ total) => post({ event: "send", done, total }),
  },
};

const actions = { submit: submitReport, openMailbox, followUp: sendFollowUp };

scope.addEventListener("message", async (event) => {
  const { action, request } = /** @type {MessageEvent} */ (event).data;
  try {
    const value = await actions[/** @type {keyof typeof actions} */ (action)](request, context);
    post({ event: "result", value });
  } catch (error) {
    // Only a code leaves the worker: an error's own words could quote what was typed.
    const { code, status, retryable } = error instanceof PortalError ? error : new PortalError("failed");
    post({ event: "error", code, status, retryable });
  }
});

scope.addEventListener("offline", () => portal.noteOffline());

/**
 * Wait, but no longer than until the network is back.
 *
 * @param {number} delay milliseconds
 * @returns {Promise<void>}
 */
function sleep(delay) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      scope.removeEventListener("online", wake);
      resolve();
    };
    const timer = setTimeout(wake, delay);
    scope.addEventListener("online", wake);
  });
}
