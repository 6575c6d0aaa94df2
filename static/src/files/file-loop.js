// SPDX-License-Identifier: AGPL-3.0-or-later
// The message loop of the workers that clean files, for the calls of page/file-client.js. They know no key and no portal.

const scope = globalThis;

/**
 * Answer every message with the cleaned file, or with the code of its error.
 *
 * @param {(request: import("../formats/worker-calls.js").FileRequest) => Promise<import("../formats/worker-calls.js").CleanedFile>} clean
 */
export function serve(clean) {
  scope.addEventListener("message", async (event) => {
    const { request } = /** @type {MessageEvent} */ (event).data;
    try {
      post({ event: "result", value: await clean(request) });
    } catch (error) {
      // Whatever else goes wrong with a file, its bytes were read.
      const isGone = error instanceof DOMException;
      post({ event: "error", code: isGone ? "file-unreadable" : "failed" });
    }
  });
  post({ event: "ready" });
}

/** @param {object} message */
function post(message) {
  /** @type {any} */ (scope).postMessage(message);
}
