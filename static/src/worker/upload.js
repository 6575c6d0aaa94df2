// SPDX-License-Identifier: AGPL-3.0-or-later
// What `fetch` can't: tell of a body that is being sent that its bytes move. Large ones go by XMLHttpRequest, which can.

const SMALL_BYTES = 16_384;

/**
 * As `fetch`, for the requests of worker/request.js.
 *
 * @param {string} url
 * @param {RequestInit} init
 * @param {() => void} [onMove] called when bytes of the body were sent
 * @returns {Promise<Response>}
 */
export function fetchWatched(url, init, onMove) {
  const body = /** @type {Uint8Array<ArrayBuffer> | undefined} */ (init.body);
  return body && body.length > SMALL_BYTES ? upload(url, init, onMove) : globalThis.fetch(url, init);
}

/**
 * @param {string} url
 * @param {RequestInit} init
 * @param {() => void} [onMove]
 * @returns {Promise<Response>}
 */
function upload(url, { method, headers, body, signal }, onMove) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(/** @type {string} */ (method), url);
    for (const [name, value] of Object.entries(/** @type {Record<string, string>} */ (headers))) request.setRequestHeader(name, value);
    request.responseType = "arraybuffer";
    request.upload.onprogress = request.onprogress = () => onMove?.();
    request.onerror = request.onabort = () => reject(new TypeError("no answer"));
    request.onload = () => {
      try {
        // It follows redirects, which no answer of the portal is.
        if (!request.responseURL.endsWith(url)) throw new TypeError("redirected");
        const after = request.getResponseHeader("Retry-After") ?? "";
        resolve(new Response(request.response, { status: request.status, headers: { "Retry-After": after } }));
      } catch (error) {
        reject(error);
      }
    };
    signal?.addEventListener("abort", () => request.abort());
    request.send(/** @type {Uint8Array<ArrayBuffer>} */ (body));
  });
}
