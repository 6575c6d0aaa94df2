// SPDX-License-Identifier: AGPL-3.0-or-later
// The message loop of both workers, for the calls of page/worker-client.js, and their connection to the portal.

import { systemRandom } from "../formats/random.js";
import { PortalError } from "../formats/portal-error.js";
import { findLack } from "../formats/try-out.js";
import { standIn } from "./stand-ins.js";
import { fetchWatched } from "./upload.js";

const scope = globalThis;

/**
 * Answer every message with the result of its action, or with the code of its error.
 *
 * @template {import("./portal.js").Portal} P
 * @param {new (...way: ConstructorParameters<typeof import("./portal.js").Portal>) => P} Portal with what the actions ask it for
 * @param {Record<string, (request: any, context: Omit<import("./submit.js").Context, "portal"> & { portal: P }) => Promise<unknown>>} actions by name
 */
export function serve(Portal, actions) {
  standIn();
  const portal = new Portal(
    "",
    { fetch: fetchWatched, sleep, random: Math.random },
    (kind, share) => post({ event: "trouble", kind, share }),
  );
  const context = { portal, now: () => new Date(), fill: systemRandom, progress: { onSeal, onSend, onMade, onAgain } };

  scope.addEventListener("message", async (event) => {
    const { action, request } = /** @type {MessageEvent} */ (event).data;
    try {
      post({ event: "result", value: await (action === "findLack" ? findLack() : actions[action](request, context)) });
    } catch (error) {
      // Only a code leaves the worker: an error's own message could quote the person's words.
      const { code, file } = error instanceof PortalError ? error : new PortalError("failed");
      post({ event: "error", code, file });
    }
  });
  scope.addEventListener("offline", () => portal.noteOffline());
  // The page knows now that the script has come.
  post({ event: "ready" });
}

/** @param {object} message */
function post(message) {
  /** @type {any} */ (scope).postMessage(message);
}

/** @type {NonNullable<import("../formats/worker-calls.js").Progress["onSeal"]>} */
function onSeal(done, total, file, files) {
  post({ event: "seal", done, total, file, files });
}

/** @type {NonNullable<import("../formats/worker-calls.js").Progress["onSend"]>} */
function onSend(done, total) {
  post({ event: "send", done, total });
}

/** @param {unknown} made */
function onMade(made) {
  post({ event: "made", made });
}

function onAgain() {
  post({ event: "again" });
}

/**
 * Wait, at most until the network is back.
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
