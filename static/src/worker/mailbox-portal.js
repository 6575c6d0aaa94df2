// SPDX-License-Identifier: AGPL-3.0-or-later
// The requests of the return page to the portal. docs/protocol.md §8.

import { ANSWER_BYTES_MAX, ANSWER_STEP_BYTES } from "../formats/mailbox-answer.js";
import { Portal } from "./portal.js";
import { jsonRequest, readJson, readText } from "./request.js";

// For what is not worth waiting for.
const SHORT_MS = 30_000;

/** @typedef {import("../formats/encoding.js").Bytes} Bytes */

/** The portal with its mailboxes. */
export class MailboxPortal extends Portal {
  /**
   * @param {unknown} value
   * @returns {Promise<Bytes>}
   */
  async postMailbox(value) {
    const request = { ...jsonRequest("mailbox", value), answerMax: ANSWER_BYTES_MAX };
    return this.ask(request, (answer) => {
      if (answer.length === 0 || answer.length % ANSWER_STEP_BYTES !== 0) throw new TypeError("not a mailbox answer");
      return answer;
    });
  }

  /**
   * @param {unknown} value a change of a mailbox: the portal takes it whole, and once
   * @param {boolean} patiently whether it is worth waiting and, under pressure, work; without it one short attempt is enough
   * @throws {Trouble} when one attempt failed for now
   */
  async postChange(value, patiently) {
    const silence = patiently ? undefined : SHORT_MS;
    const request = { ...jsonRequest("mailbox/changes", value), isWrite: patiently, silence };
    const decode = (/** @type {Bytes} */ answer) => readText(readJson(answer).status);
    await (patiently ? this.ask(request, decode) : this.attempt(request, decode));
  }

  /**
   * The whole chain of a charter's commission, from its first: the same answer for whichever of them is named.
   *
   * @param {string} hash
   */
  getChain(hash) {
    return this.getCharters(`charters/${hash}/chain`);
  }
}
