// SPDX-License-Identifier: AGPL-3.0-or-later
// The return page: code, messages, a message to the commission, close.
//
// A code that opens nothing and a mailbox without messages look the same, and a message to either gets the same answer:
// a person who is forced to show a code can give any well-formed one.

import { PortalError } from "../../formats/portal-error.js";
import { dayWords, t } from "../strings.js";
import { WorkerClient } from "../worker-client.js";
import { CodeField } from "./code-field.js";
import { part, parts, setting } from "./element.js";
import { showProblems } from "./error-summary.js";
import { failureWords } from "./failure.js";
import { showLetters } from "./letters.js";
import { onLeave } from "./wipe.js";

/** @typedef {import("../../formats/worker-calls.js").Mailbox} Mailbox */

// A sealed follow-up is at most 64 KiB (docs/protocol.md §9), which leaves room for everything but the text.
const BODY_BYTES_MAX = 48_000;

export class MailboxPage {
  #root;
  #worker;
  #codeField;
  #digits = "";
  #busy = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#worker = new WorkerClient(setting(root, "worker"));
    this.#codeField = new CodeField(part(root, "[data-code-field]"));
  }

  start() {
    const open = () => this.#open();
    part(this.#root, "[data-open]").addEventListener("click", open);
    this.#codeField.onEnter(open);
    part(this.#root, "[data-cancel]").addEventListener("click", () => this.#worker.cancel());
    part(this.#root, "[data-send]").addEventListener("click", () => this.#sendFollowUp());
    part(this.#root, "[data-another]").addEventListener("click", () => this.#offerFollowUp());
    part(this.#root, "[data-close]").addEventListener("click", () => this.#close());
    onLeave(() => this.#forget());
    this.#root.dataset.ready = "";
  }

  async #open() {
    if (this.#busy) return;
    const panel = this.#panel("enter");
    const read = this.#codeField.read();
    showProblems(panel, "problem" in read ? [read.problem] : []);
    if ("problem" in read) return;
    this.#digits = read.code;
    this.#busy = true;
    this.#show("opening");
    try {
      const progress = troubleNotice(this.#panel("opening"));
      this.#showMailbox(await this.#worker.openMailbox(this.#request, progress));
    } catch (error) {
      this.#digits = "";
      this.#show("enter");
      if (!isCancelled(error)) showProblems(panel, [{ message: failureWords(error), field: null }]);
    } finally {
      this.#busy = false;
    }
  }

  /** @param {Mailbox} mailbox */
  #showMailbox({ messages, collection }) {
    const panel = this.#panel("mailbox");
    const collected = part(panel, "[data-collected]");
    collected.hidden = collection === null;
    if (collection) {
      collected.textContent = t("The commission fetched your report on {day}.", { day: dayWords(collection) });
    }
    part(panel, "[data-nothing]").hidden = messages.length > 0;
    showLetters(panel, messages);
    this.#codeField.forget();
    this.#show("mailbox");
  }

  async #sendFollowUp() {
    if (this.#busy) return;
    const form = part(this.#root, "[data-follow-up]");
    const body = this.#body.value.trim();
    const message = bodyProblem(body);
    showProblems(form, message ? [{ message, field: this.#body.id }] : []);
    if (message) return;
    const kind = /** @type {HTMLInputElement} */ (part(form, "input[name=kind]:checked")).value;
    this.#busy = true;
    part(form, "[data-sending]").textContent = t("Sending…");
    try {
      const request = { ...this.#request, kind: /** @type {"message" | "retaliation"} */ (kind), body };
      await this.#worker.followUp(request, troubleNotice(form));
      this.#confirmFollowUp();
    } catch (error) {
      showProblems(form, [{ message: failureWords(error), field: null }]);
    } finally {
      part(form, "[data-sending]").textContent = "";
      this.#busy = false;
    }
  }

  #confirmFollowUp() {
    this.#body.value = "";
    part(this.#root, "[data-follow-up]").hidden = true;
    const confirmation = part(this.#root, "[data-followed-up]");
    confirmation.hidden = false;
    confirmation.focus();
  }

  #offerFollowUp() {
    part(this.#root, "[data-followed-up]").hidden = true;
    part(this.#root, "[data-follow-up]").hidden = false;
    this.#body.focus();
  }

  #close() {
    this.#forget();
    location.reload();
  }

  #forget() {
    this.#worker.terminate();
    this.#digits = "";
    this.#codeField.forget();
    this.#body.value = "";
    part(this.#root, "[data-letters]").replaceChildren();
  }

  /** @param {string} name */
  #show(name) {
    for (const panel of parts(this.#root, "[data-panel]")) panel.hidden = panel.dataset.panel !== name;
    scrollTo(0, 0);
    part(this.#panel(name), "h1").focus({ preventScroll: true });
  }

  /** @param {string} name */
  #panel(name) {
    return part(this.#root, `[data-panel="${name}"]`);
  }

  get #body() {
    return /** @type {HTMLTextAreaElement} */ (part(this.#root, "#body"));
  }

  get #request() {
    return { realm: setting(this.#root, "realm"), digits: this.#digits, charters: [] };
  }
}

/** @param {string} body */
function bodyProblem(body) {
  if (body === "") return t("Write your message first");
  const tooLong = new TextEncoder().encode(body).length > BODY_BYTES_MAX;
  return tooLong ? t("Your message is too long to be sent at once. Send it in two parts") : null;
}

/**
 * Shows near the button that the call is waiting, and hides it again.
 *
 * @param {HTMLElement} element
 */
function troubleNotice(element) {
  const notice = part(element, "[data-trouble]");
  notice.hidden = true;
  return {
    onTrouble: (/** @type {"offline" | "busy"} */ kind) => {
      part(notice, "[data-trouble-text]").textContent =
        kind === "offline"
          ? t("The connection is gone. It goes on by itself when the network is back.")
          : t("The site is busy. We try again by ourselves.");
      notice.hidden = false;
    },
    onCalm: () => {
      notice.hidden = true;
    },
  };
}

/** @param {unknown} error */
function isCancelled(error) {
  return error instanceof PortalError && error.code === "cancelled";
}
