// SPDX-License-Identifier: AGPL-3.0-or-later
// The text of the commission's charter, a file that is the same for everyone. The worker verifies it before sealing.

const RETRY_MS = 5000;

export class CharterNote {
  #url;
  /** @type {Promise<string> | null} */
  #text = null;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /** Fetched once, and again only after a failure. */
  fetch() {
    this.#text ??= fetchText(this.#url).catch((error) => {
      this.#text = null;
      throw error;
    });
    return this.#text;
  }

  /**
   * The charter, as soon as the network allows.
   *
   * @param {(kind: "offline" | null) => void} onTrouble shows the state of the network
   */
  async fetchPatiently(onTrouble) {
    for (;;) {
      try {
        const text = await this.fetch();
        onTrouble(null);
        return text;
      } catch {
        onTrouble("offline");
        await new Promise((resume) => setTimeout(resume, RETRY_MS));
      }
    }
  }
}

/** @param {string} url */
async function fetchText(url) {
  const response = await fetch(url, { credentials: "omit" });
  if (!response.ok) throw new Error("the portal did not return the charter");
  return response.text();
}
