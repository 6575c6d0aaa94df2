// SPDX-License-Identifier: AGPL-3.0-or-later
// The return page: code, messages, a message to the commission, delete, end, close.
//
// A code that opens nothing and a mailbox of which the commission has not spoken look the same, and whatever is done with
// either gets the same answer: a person who is forced to show a code can give any well-formed one.

import { PortalError } from "../../formats/portal-error.js";
import { MailboxClient } from "../mailbox-client.js";
import { t } from "../strings.js";
import { CodeField } from "./code-field.js";
import { part, parts, setting } from "./element.js";
import { showProblems } from "./error-summary.js";
import { guardLinks } from "./guard-links.js";
import { sayLack } from "./lack.js";
import { showLetters } from "./letters.js";
import { mailboxFailureWords } from "./mailbox-failure.js";
import { compareNote, evidenceOf, showAlarms, showSent, showStatus } from "./mailbox-status.js";
import { saveFile } from "./save-file.js";
import { troubleNotice } from "./trouble.js";
import { keepLongRunsOnOneLine, typedText } from "./typed.js";
import { onLeave } from "./wipe.js";

/** @typedef {import("../../formats/worker-calls.js").Mailbox} Mailbox */

// A sealed follow-up is at most 64 KiB (docs/protocol.md §9), which leaves room for everything but the text.
const BODY_BYTES_MAX = 48_000;
const EVIDENCE_NAME = "evidence.txt";
// An acknowledgement has a few hundred bytes. A larger file is something else, and is not read.
const NOTE_BYTES_MAX = 16_384;

export class MailboxPage {
  #root;
  #worker;
  #codeField;
  #digits = "";
  #busy = false;
  /** @type {Mailbox | null} as the last call left it */
  #mailbox = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#worker = new MailboxClient(setting(root, "worker"));
    this.#codeField = new CodeField(part(root, "[data-code-field]"));
  }

  start() {
    this.#tryBrowser();
    this.#onClick("open", () => this.#open());
    this.#codeField.onEnter(() => this.#open());
    this.#onClick("cancel", () => this.#worker.terminate());
    this.#onClick("send", () => this.#sendFollowUp());
    this.#onClick("another", () => this.#offerFollowUp());
    this.#onClick("save-evidence", () => saveFile(EVIDENCE_NAME, evidenceOf(this.#mailbox?.alarms ?? [])));
    this.#onClick("ask-delete", () => this.#ask("delete"));
    this.#onClick("ask-end", () => this.#ask("end"));
    this.#onClick("delete", () => this.#delete());
    this.#onClick("end", () => this.#end());
    for (const button of parts(this.#root, "[data-back]")) button.addEventListener("click", () => this.#goBack());
    this.#onClick("close", () => this.#close());
    this.#noteField.addEventListener("change", () => this.#compare());
    addEventListener("beforeunload", (event) => {
      if (this.#hasUnsent) event.preventDefault();
    });
    keepLongRunsOnOneLine(this.#body);
    guardLinks(() => this.#hasUnsent || this.#mailbox !== null || this.#busy);
    onLeave(() => this.#forget());
    this.#root.dataset.ready = "";
  }

  async #tryBrowser() {
    const lacks = await sayLack(this.#root, this.#worker, mailboxNotice(this.#panel("opening")));
    part(this.#root, "[data-open]").hidden = lacks;
    part(this.#root, "[data-code-field]").hidden = lacks;
    if (lacks) this.#show("enter");
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
      const { realm, charters, digits } = this.#request;
      const onTrouble = mailboxNotice(this.#panel("opening"));
      this.#showMailbox(await this.#worker.openMailbox({ realm, charters, digits }, { onTrouble }));
      this.#codeField.forget();
      this.#show("mailbox");
    } catch (error) {
      this.#digits = "";
      this.#show("enter");
      this.#showFailure(panel, error);
    } finally {
      this.#busy = false;
    }
  }

  /** Nothing of what comes with a mailbox counts before the commission has spoken. @param {Mailbox} mailbox */
  #showMailbox(mailbox) {
    this.#mailbox = mailbox;
    const panel = this.#panel("mailbox");
    const { shown } = mailbox;
    const [messages, missing, sent, alarms] = shown
      ? [mailbox.messages, mailbox.missing, mailbox.sent, mailbox.alarms]
      : [[], [], [], []];
    const isAlarmed = alarms.length > 0;
    showAlarms(panel, alarms);
    showStatus(panel, mailbox);
    showLetters(panel, messages, missing);
    showSent(panel, sent);
    part(panel, "[data-nothing]").hidden = shown;
    part(panel, "[data-compare]").hidden = !shown;
    part(panel, "[data-no-writing]").hidden = !isAlarmed;
    for (const element of parts(panel, "[data-writing]")) element.hidden = isAlarmed;
  }

  async #sendFollowUp() {
    if (this.#busy) return;
    const form = part(this.#root, "[data-follow-up]");
    const body = typedText(this.#body.value);
    const message = bodyProblem(body);
    showProblems(form, message ? [{ message, field: this.#body.id }] : []);
    if (message) return;
    const kind = /** @type {HTMLInputElement} */ (part(form, "input[name=kind]:checked")).value;
    const request = { ...this.#request, kind: /** @type {"message" | "retaliation"} */ (kind), body };
    // What would be added meanwhile would not be sent.
    this.#body.readOnly = true;
    const mailbox = await this.#call(form, (progress) => this.#worker.followUp(request, progress));
    this.#body.readOnly = false;
    if (!mailbox) return;
    this.#showMailbox(mailbox);
    this.#body.value = "";
    form.hidden = true;
    this.#confirm("followed-up");
  }

  async #delete() {
    const upTo = Math.max(0, ...(this.#mailbox?.messages ?? []).map(({ number }) => number || 0));
    const request = { ...this.#request, upTo };
    const panel = this.#panel("delete");
    const mailbox = await this.#call(panel, (progress) => this.#worker.deleteMessages(request, progress));
    if (!mailbox) return;
    this.#showMailbox(mailbox);
    this.#show("mailbox");
    this.#confirm("deleted");
  }

  async #end() {
    const call = async (/** @type {import("../../formats/worker-calls.js").Progress} */ progress) => {
      await this.#worker.closeMailbox(this.#request, progress);
      return true;
    };
    if (!(await this.#call(this.#panel("end"), call))) return;
    this.#forget();
    this.#show("ended");
  }

  /**
   * One call at a time, with its problems and troubles in `element`.
   *
   * @template T
   * @param {HTMLElement} element
   * @param {(progress: import("../../formats/worker-calls.js").Progress) => Promise<T>} call
   * @returns {Promise<T | null>} null when it failed, or another is running
   */
  async #call(element, call) {
    if (this.#busy) return null;
    this.#busy = true;
    showProblems(element, []);
    const working = part(element, "[data-working]");
    working.hidden = false;
    const onTrouble = mailboxNotice(element);
    try {
      return await call({ onTrouble });
    } catch (error) {
      this.#showFailure(element, error);
      return null;
    } finally {
      onTrouble(null);
      working.hidden = true;
      this.#busy = false;
    }
  }

  /**
   * @param {HTMLElement} element
   * @param {unknown} error
   */
  #showFailure(element, error) {
    if (error instanceof PortalError && error.code === "cancelled") return;
    showProblems(element, [{ message: mailboxFailureWords(error, this.#body.value !== ""), field: null }]);
  }

  /** @param {string} name */
  #confirm(name) {
    const confirmation = part(this.#root, `[data-${name}]`);
    confirmation.hidden = false;
    confirmation.focus();
  }

  #offerFollowUp() {
    part(this.#root, "[data-followed-up]").hidden = true;
    part(this.#root, "[data-follow-up]").hidden = false;
    this.#body.focus();
  }

  /** @param {string} name */
  #ask(name) {
    part(this.#root, "[data-deleted]").hidden = true;
    showProblems(this.#panel(name), []);
    part(this.#panel("end"), "[data-unsent]").hidden = !this.#hasUnsent;
    this.#show(name);
  }

  #goBack() {
    if (!this.#busy) this.#show("mailbox");
  }

  async #compare() {
    const [file] = this.#noteField.files ?? [];
    if (!file) return;
    const text = file.size > NOTE_BYTES_MAX ? "" : await file.text().catch(() => "");
    this.#noteField.value = "";
    const result = compareNote(text, this.#mailbox?.seen.thread ?? null);
    for (const words of parts(this.#root, "[data-compared]")) words.hidden = words.dataset.compared !== result;
  }

  /** With a message that is not sent the browser asks first: whoever stays finds everything as it was. */
  #close() {
    if (!this.#hasUnsent) this.#forget();
    location.reload();
  }

  #forget() {
    this.#worker.terminate();
    this.#digits = "";
    this.#mailbox = null;
    this.#codeField.forget();
    this.#body.value = "";
    for (const list of parts(this.#root, "[data-letters], [data-sent] ul")) list.replaceChildren();
    for (const day of parts(this.#root, "[data-fact] [data-day]")) day.textContent = "";
  }

  /** @param {string} name */
  #show(name) {
    for (const panel of parts(this.#root, "[data-panel]")) panel.hidden = panel.dataset.panel !== name;
    scrollTo(0, 0);
    const shown = this.#panel(name);
    const alarm = shown.querySelector("[data-alarm]:not([hidden]) h2");
    (alarm instanceof HTMLElement ? alarm : part(shown, "h1")).focus({ preventScroll: true });
  }

  /** @param {string} name */
  #panel(name) {
    return part(this.#root, `[data-panel="${name}"]`);
  }

  /**
   * @param {string} name
   * @param {() => unknown} run
   */
  #onClick(name, run) {
    part(this.#root, `[data-${name}]`).addEventListener("click", run);
  }

  get #hasUnsent() {
    return typedText(this.#body.value) !== "";
  }

  get #body() {
    return /** @type {HTMLTextAreaElement} */ (part(this.#root, "#body"));
  }

  get #noteField() {
    return /** @type {HTMLInputElement} */ (part(this.#root, "#note"));
  }

  get #request() {
    const charters = setting(this.#root, "charters").split(" ").filter(Boolean);
    return { realm: setting(this.#root, "realm"), digits: this.#digits, charters, seen: this.#mailbox?.seen };
  }
}

/** @param {HTMLElement} element */
function mailboxNotice(element) {
  return troubleNotice(
    element,
    t("The connection is gone. It goes on by itself when the network is back."),
    t("The site can’t answer at the moment. We try again by ourselves."),
  );
}

/** @param {string} body */
function bodyProblem(body) {
  if (body === "") return t("Write your message first");
  const tooLong = new TextEncoder().encode(body).length > BODY_BYTES_MAX;
  return tooLong ? t("Your message is too long to be sent at once. Send it in two parts") : null;
}
