// SPDX-License-Identifier: AGPL-3.0-or-later
// The text of the commission's charter, a file that is the same for everyone. The worker verifies it before sealing.

import { readBody } from "../formats/body.js";
import { PortalError } from "../formats/portal-error.js";

const RETRY_MS = 5_000;
// A line that stalls is given up, later each time, for one that is only slow.
const WAIT_MS_MIN = 30_000;
const WAIT_MS_MAX = 240_000;
// Of a note: docs/protocol.md §4.1.
const BYTES_MAX = 1_048_576;

export class CharterNote {
  #url;
  /** @type {Promise<string> | null} */
  #text = null;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /** It may be that something else came in its place. */
  forget() {
    this.#text = null;
  }

  /**
   * The charter, as soon as the network and the portal allow: fetched once, and again only after a failure.
   *
   * @param {(kind: "offline" | "busy" | null) => void} onTrouble says why it is not there yet
   */
  async fetchPatiently(onTrouble) {
    for (let wait = WAIT_MS_MIN; ; wait = Math.min(2 * wait, WAIT_MS_MAX)) {
      try {
        this.#text ??= fetchText(this.#url, wait);
        const text = await this.#text;
        onTrouble(null);
        return text;
      } catch (error) {
        this.#text = null;
        onTrouble(error instanceof PortalError ? "busy" : "offline");
        await new Promise((resume) => setTimeout(resume, RETRY_MS));
      }
    }
  }
}

/**
 * @param {string} url
 * @param {number} wait milliseconds
 * @throws {PortalError} when it is not the charter that comes
 */
async function fetchText(url, wait) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), wait);
  try {
    const response = await fetch(url, { credentials: "omit", signal: stop.signal });
    const bytes = response.ok && (await readBody(response, BYTES_MAX));
    if (!bytes) throw new PortalError("unexpected-answer");
    return new TextDecoder().decode(bytes);
  } finally {
    clearTimeout(timer);
  }
}
