// SPDX-License-Identifier: AGPL-3.0-or-later
// The text of the commission's charter, a file that is the same for everyone. The worker verifies it before it seals.

const RETRY_MS = 5000;

export class CharterNote {
  #url;
  /** @type {Promise<string> | null} */
  #text = null;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /** Fetched once; after a failure, again. */
  fetch() {
    this.#text ??= fetchText(this.#url).catch((error) => {
      this.#text = null;
      throw error;
    });
    return this.#text;
  }

  /**
   * The charter, however long the network is away.
   *
   * @param {{ trouble: (kind: "offline") => void, calm: () => void }} panel says how it goes
   */
  async fetchPatiently(panel) {
    for (;;) {
      try {
        const text = await this.fetch();
        panel.calm();
        return text;
      } catch {
        panel.trouble("offline");
        await new Promise((resume) => setTimeout(resume, RETRY_MS));
      }
    }
  }
}

/** @param {string} url */
async function fetchText(url) {
  const response = await fetch(url, { credentials: "omit" });
  if (!response.ok) throw new Error("the charter was not served");
  return response.text();
}
