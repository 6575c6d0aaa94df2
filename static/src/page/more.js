// SPDX-License-Identifier: AGPL-3.0-or-later
// After an urgent report: what helps somebody who acts, sent as a message with the code that is still at hand. The form
// loads this when a report was sent that needs it.

import { MailboxClient } from "./mailbox-client.js";
import { loadStrings, t } from "./strings.js";
import { part, parts, setting } from "./components/element.js";
import { showProblems } from "./components/error-summary.js";
import { mailboxFailureWords } from "./components/mailbox-failure.js";
import { troubleNotice } from "./components/trouble.js";
import { typedText } from "./components/typed.js";

/**
 * @param {HTMLElement} root the form
 * @param {() => string} readCode
 */
export async function startMore(root, readCode) {
  await loadStrings(setting(root, "laterStrings"));
  return new More(root, readCode);
}

class More {
  #root;
  #element;
  #worker;
  #readCode;
  #busy = false;

  /**
   * @param {HTMLElement} root the form
   * @param {() => string} readCode
   */
  constructor(root, readCode) {
    this.#root = root;
    this.#element = part(root, "[data-more-part]");
    this.#worker = new MailboxClient(setting(root, "laterWorker"));
    this.#readCode = readCode;
    part(this.#element, "[data-send-more]").addEventListener("click", () => this.#send());
    this.#element.hidden = false;
  }

  /** End what is running. The page empties the fields. */
  forget() {
    this.#worker.terminate();
  }

  async #send() {
    if (this.#busy) return;
    const first = this.#fields[0].id;
    const isEmpty = this.#lines.length === 0;
    const message = t("Write something in one of the fields first");
    showProblems(this.#element, isEmpty ? [{ message, field: first }] : []);
    if (isEmpty) return;
    this.#hold(true);
    const onTrouble = troubleNotice(
      this.#element,
      t("The connection is gone. It goes on by itself when the network is back."),
      t("The site can’t answer at the moment. We try again by ourselves."),
    );
    try {
      await this.#worker.followUp(this.#request, { onTrouble });
      for (const field of this.#fields) field.value = "";
      this.#element.hidden = true;
      const sent = part(this.#root, "[data-more-sent]");
      sent.hidden = false;
      sent.focus();
    } catch (error) {
      showProblems(this.#element, [{ message: mailboxFailureWords(error, true, false), field: null }]);
    } finally {
      onTrouble(null);
      this.#hold(false);
    }
  }

  /** What is typed while it is sent would be lost. @param {boolean} isHeld */
  #hold(isHeld) {
    this.#busy = isHeld;
    part(this.#element, "[data-working]").hidden = !isHeld;
    for (const field of this.#fields) field.readOnly = isHeld;
  }

  get #request() {
    const kind = /** @type {const} */ ("message");
    const { realm, charter } = this.#root.dataset;
    return { realm: realm ?? "", digits: this.#readCode(), charters: [charter ?? ""], kind, body: this.#lines.join("\n") };
  }

  get #lines() {
    return this.#fields.flatMap((field) => {
      const label = part(/** @type {HTMLElement} */ (field.parentElement), "label").firstChild?.textContent?.trim() ?? "";
      const words = typedText(field.value);
      return words ? [`${label}: ${words}`] : [];
    });
  }

  get #fields() {
    return /** @type {HTMLInputElement[]} */ (parts(this.#element, "[data-more-field]"));
  }
}
