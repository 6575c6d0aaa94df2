// SPDX-License-Identifier: AGPL-3.0-or-later
// The report from the first panel to the last: questions, check, code, sending, sent.
//
// Until "Send" nothing is requested but the charter and whether there is a newer one, the same for everyone.

import { PortalError } from "../../formats/portal-error.js";
import { newCode } from "../../formats/receipt-code.js";
import { CharterNote } from "../charter-note.js";
import { PageClock } from "../clock.js";
import { SealClient } from "../seal-client.js";
import { dayWithAge, dayWords, t } from "../strings.js";
import { showAnswers } from "./check-answers.js";
import { part, parts, setting } from "./element.js";
import { showProblems } from "./error-summary.js";
import { failureWords } from "./failure.js";
import { guardLinks } from "./guard-links.js";
import { sayLack } from "./lack.js";
import { Panels } from "./panels.js";
import { showCode, startCode, TypeBack } from "./receipt.js";
import { showReaders } from "./readers.js";
import { Report } from "./report.js";
import { saveFile } from "./save-file.js";
import { SendingPanel } from "./sending.js";
import { typedText } from "./typed.js";
import { UrgentQuestions } from "./urgent-questions.js";
import { onLeave } from "./wipe.js";

const PROOF_NAME = "note.txt";
// The panel of the short way, and the fragment that leads there.
const URGENT = "now";

export class ReportForm {
  #root;
  /** @type {Panels} */
  #panels;
  #report;
  #clock = new PageClock();
  #charter;
  #worker;
  #sending;
  /** @type {{ forget: () => void } | null} */
  #more = null;
  /** @type {UrgentQuestions | null} null without a short way */
  #urgent = null;
  #code = "";
  #acknowledgement = "";
  /** @type {{ made: unknown, answers: string, files: import("../../formats/worker-calls.js").ChosenFile[] } | null} sent, and not acknowledged */
  #made = null;
  /** @type {TypeBack | null} */
  #typeBack = null;
  /** "Change" was pressed: the next "Continue" goes back to the check. */
  #changing = false;
  #busy = false;
  /** @type {Promise<import("../../formats/worker-calls.js").Freshness> | null} how new the charter is */
  #newest = null;
  /** Whether the person has had the choice to wait for news of the charter. */
  #warned = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#panels = new Panels(root, (name) => this.#beforeShow(name));
    this.#report = new Report(root, this.#clock);
    this.#charter = new CharterNote(setting(root, "charterSrc"));
    this.#worker = new SealClient(setting(root, "worker"));
    this.#sending = new SendingPanel(this.#panels.get("sending"));
    if (this.#panels.has(URGENT)) this.#urgent = new UrgentQuestions(this.#panels.get(URGENT), root);
  }

  start() {
    this.#tryBrowser();
    this.#checkCharter().catch(() => {});
    for (const notice of parts(this.#root, "[data-not-in-force]")) notice.hidden = this.#isInForce();
    for (const name of this.#panels.names) this.#startPanel(name, this.#panels.get(name));
    part(this.#root, "[data-send]").addEventListener("click", () => this.#send());
    part(this.#root, "[data-retry]").addEventListener("click", () => this.#submit());
    part(this.#root, "[data-to-check]").addEventListener("click", () => this.#backToCheck());
    part(this.#root, "[data-stop]").addEventListener("click", () => this.#worker.terminate());
    part(this.#root, "[data-save]").addEventListener("click", () => saveFile(PROOF_NAME, this.#acknowledgement));
    for (const button of parts(this.#root, "[data-urgent]")) button.addEventListener("click", () => this.#panels.go(URGENT));
    for (const button of parts(this.#root, "[data-whole]")) button.addEventListener("click", () => this.#panels.go(this.#order[1]));
    addEventListener("beforeunload", this.#warn);
    guardLinks(() => !this.#report.isEmpty || this.#code !== "");
    onLeave(() => this.#forgetAll());
    this.#panels.start(this.#urgent && location.hash === `#${URGENT}` ? URGENT : this.#order[0]);
    this.#root.dataset.ready = "";
  }

  async #tryBrowser() {
    const [first] = this.#panels.names;
    if (!(await sayLack(this.#root, this.#worker, this.#sending.onTrouble))) return;
    for (const button of parts(this.#panels.get(first), "[data-next], [data-urgent]")) button.hidden = true;
    if (this.#panels.current !== first) this.#panels.goAndHold(first);
  }

  /**
   * @param {string} name
   * @param {HTMLElement} panel
   */
  #startPanel(name, panel) {
    for (const button of parts(panel, "[data-back]")) button.addEventListener("click", () => history.back());
    for (const button of parts(panel, "[data-next]")) button.addEventListener("click", () => this.#next(name));
    if (panel.querySelector("[data-code]")) startCode(panel, () => this.#code, setting(this.#root, "laterPicture"));
    panel.addEventListener("keydown", (event) => {
      const field = /** @type {HTMLElement} */ (event.target);
      if (event.key !== "Enter" || event.isComposing || !field.matches("input[type=text]")) return;
      event.preventDefault();
      if (name === "code") this.#send();
      else this.#next(name);
    });
  }

  /** @param {string} name */
  #beforeShow(name) {
    if (this.#panels.current) showProblems(this.#panels.get(this.#panels.current), []);
    if (name === URGENT) this.#urgent?.take();
    else if (this.#order.indexOf(name) <= this.#order.indexOf("check")) this.#urgent?.giveBack();
    if (name === "check") this.#showCheck();
    if (name === "code") this.#showCode();
  }

  /** The panels one after the other, without the short way. */
  get #order() {
    return this.#panels.names.filter((name) => name !== URGENT);
  }

  #showCheck() {
    this.#changing = false;
    const rows = this.#report.rows.map((row) => ({ ...row, change: () => this.#change(row.panel) }));
    const panel = this.#panels.get("check");
    showAnswers(panel, rows);
    showReaders(panel, this.#report.exclude, this.#clock.days);
  }

  #showCode() {
    this.#changing = false;
    part(this.#panels.get("code"), ".panel__step").hidden = this.#isShort;
    this.#warned ||= this.#warnings.length > 0;
    if (this.#code) return;
    this.#code = newCode();
    const panel = this.#panels.get("code");
    showCode(panel, this.#code);
    this.#typeBack = new TypeBack(panel, this.#code);
  }

  /** @param {string} panel */
  #change(panel) {
    this.#panels.go(panel);
    this.#changing = true;
  }

  /** @param {string} name */
  #next(name) {
    if (!this.#isWhole(name)) return;
    if (this.#changing) history.back();
    else this.#panels.go(name === URGENT ? "code" : this.#order[this.#order.indexOf(name) + 1]);
  }

  /** Whether the person may continue from this panel; shows the problems if not. @param {string} name */
  #isWhole(name) {
    if (name === "check") return this.#isReportWhole();
    const problems = this.#report.problemsOn(name);
    showProblems(this.#panels.get(name), problems);
    return problems.length === 0;
  }

  /** Forward may have skipped a required question. */
  #isReportWhole() {
    const faulty = this.#report.faultyPanel;
    if (faulty) {
      this.#change(faulty);
      showProblems(this.#panels.get(faulty), this.#report.problemsOn(faulty));
      return false;
    }
    const problems = this.#report.wholeProblems;
    showProblems(this.#panels.get("check"), problems);
    return problems.length === 0;
  }

  #send() {
    if (this.#busy) return;
    const problems = this.#typeBack?.problems ?? [];
    if (!this.#isInForce()) {
      const message = t("Nothing can be sent today: the commission’s charter is not in force, by the clock of your device");
      problems.push({ message, field: null });
    }
    showProblems(this.#panels.get("code"), problems);
    if (problems.length > 0 || !this.#isReportWhole()) return;
    this.#panels.goAndHold("sending");
    this.#submit();
  }

  async #submit() {
    if (this.#busy) return;
    this.#busy = true;
    const panel = this.#panels.get("sending");
    showProblems(panel, []);
    this.#sending.begin();
    const { onTrouble } = this.#sending;
    try {
      await this.#checkCharter();
      if (this.#warnings.length > 0 && !this.#warned) return this.#offerToWait();
      const request = await this.#request();
      const accepted = await this.#worker.submit(request, {
        onTrouble,
        onMade: (made) => (this.#made = { made, answers: words(request), files: request.files }),
        onAgain: () => this.#sending.begin(true),
        onSeal: (...progress) => this.#sending.sealed(...progress),
        onSend: (...progress) => this.#sending.sent(...progress),
      });
      this.#arrived(accepted);
    } catch (error) {
      this.#sending.fail();
      this.#noteFailure(error);
      // There is no room for the files: back to where they can be removed, with everything kept. "Leave now" keeps nothing.
      if (this.#code && error instanceof PortalError && error.code === "cancelled") return this.#backToCheck();
      showProblems(panel, [{ message: failureWords(error, this.#report.files, this.#made !== null), field: null }]);
    } finally {
      this.#busy = false;
    }
  }

  async #request() {
    const request = {
      realm: setting(this.#root, "realm"),
      charter: await this.#charter.fetchPatiently(this.#sending.onTrouble),
      digits: this.#code,
      language: document.documentElement.lang,
      answers: this.#report.answers,
      urgency: this.#urgency,
      exclude: this.#report.exclude,
      files: this.#report.files.map((file) => ({ ...file })),
      sealedBy: /** @type {const} */ ("browser"),
    };
    const before = this.#made;
    const isSame = before?.answers === words(request) && areSame(before.files, request.files);
    return { ...request, made: /** @type {any} */ (before?.made ?? null), isChanged: !isSame };
  }

  /** Whoever takes the short way says so by taking it. */
  get #urgency() {
    return this.#isShort ? "now" : this.#report.urgency;
  }

  get #isShort() {
    return this.#urgent?.isHere ?? false;
  }

  /** Asked once, and again only after a failure. */
  #checkCharter() {
    this.#newest ??= this.#askForCharter().catch((error) => {
      this.#newest = null;
      this.#noteFailure(error);
      throw error;
    });
    return this.#newest;
  }

  async #askForCharter() {
    const { onTrouble } = this.#sending;
    const charter = await this.#charter.fetchPatiently(onTrouble);
    const newest = await this.#worker.checkCharter({ realm: setting(this.#root, "realm"), charter }, { onTrouble });
    const panel = this.#panels.get("code");
    const words = part(panel, "[data-charter-day]");
    words.hidden = newest.day === null;
    part(words, "[data-day]").textContent = newest.day ? dayWithAge(newest.day) : "";
    part(panel, "[data-charter-old]").hidden = !newest.old;
    this.#showClock(newest);
    this.#warned ||= this.#warnings.length > 0 && this.#panels.current === "code";
    return newest;
  }

  /** @param {import("../../formats/worker-calls.js").Freshness} newest */
  #showClock({ day, clock }) {
    if (day) this.#clock.note(day);
    this.#clock.portal = clock ?? "";
    this.#report.setToday(this.#clock.today);
    for (const notice of parts(this.#root, "[data-not-in-force]")) notice.hidden = this.#isInForce();
    for (const notice of parts(this.#root, "[data-clock]")) {
      notice.hidden = !clock;
      part(notice, "[data-here]").textContent = dayWords(new Date().toISOString().slice(0, 10));
      part(notice, "[data-there]").textContent = clock ? dayWords(clock) : "";
    }
    // The clock may be set right meanwhile.
    if (clock) this.#newest = null;
  }

  /** What may be a reason to wait, and stands above "Send". */
  get #warnings() {
    return parts(this.#panels.get("code"), "[data-charter-old], [data-clock]").filter((notice) => !notice.hidden);
  }

  /** @param {unknown} error */
  #noteFailure(error) {
    this.#charter.forget();
    if (!(error instanceof PortalError) || error.code !== "charter-replaced") return;
    for (const notice of parts(this.#root, "[data-replaced]")) notice.hidden = false;
    part(this.#root, "[data-send]").hidden = true;
  }

  /** The news came only now that it was to be sent. */
  #offerToWait() {
    this.#panels.release();
    this.#panels.go("code");
    const [warning] = this.#warnings;
    warning.scrollIntoView({ block: "center" });
    warning.focus({ preventScroll: true });
  }

  /** @param {import("../../formats/worker-calls.js").Accepted} accepted */
  #arrived({ acknowledgement, asBefore }) {
    this.#acknowledgement = acknowledgement;
    part(this.#panels.get("sent"), "[data-as-before]").hidden = !asBefore;
    this.#showNext(this.#urgency);
    this.#forgetAnswers();
    showCode(this.#panels.get("sent"), this.#code);
    this.#panels.goAndHold("sent");
  }

  /** What is so of a report as urgent as this, and of somebody with or without the code. @param {string} level */
  #showNext(level) {
    const panel = this.#panels.get("sent");
    for (const words of parts(panel, "[data-for]")) words.hidden = !setting(words, "for").split(" ").includes(level);
    const isWithout = this.#typeBack?.isWithout ?? false;
    for (const words of parts(panel, "[data-with-code]")) words.hidden = isWithout;
    for (const words of parts(panel, "[data-without]")) words.hidden = !isWithout;
    if (level !== "none") this.#offerMore().catch(() => {});
  }

  /** Where this can't be loaded, it is not offered: what was sent has arrived. */
  async #offerMore() {
    const { startMore } = await import(setting(this.#root, "laterMore"));
    this.#more = await startMore(this.#root, () => this.#code);
  }

  #backToCheck() {
    // Files may have been sent before it failed.
    part(this.#root, "[data-unsent]").hidden = true;
    this.#panels.release();
    this.#panels.go(this.#isShort ? URGENT : "check");
  }

  get #moreFields() {
    return /** @type {HTMLInputElement[]} */ (parts(this.#root, "[data-more-field]"));
  }

  #isInForce() {
    const day = this.#clock.today;
    return setting(this.#root, "from") <= day && day <= setting(this.#root, "until");
  }

  /** @param {BeforeUnloadEvent} event */
  #warn = (event) => {
    if (!this.#report.isEmpty || this.#moreFields.some(({ value }) => typedText(value))) event.preventDefault();
  };

  #forgetAnswers() {
    this.#worker.terminate();
    this.#report.forget();
    this.#made = null;
    this.#typeBack?.forget();
    showAnswers(this.#panels.get("check"), []);
  }

  #forgetAll() {
    removeEventListener("beforeunload", this.#warn);
    this.#forgetAnswers();
    this.#more?.forget();
    for (const field of this.#moreFields) field.value = "";
    for (const name of ["code", "sent"]) showCode(this.#panels.get(name), "");
    this.#code = "";
    this.#acknowledgement = "";
  }
}

/** What was answered, as it is compared. @param {{ answers: unknown, exclude: string[] }} request */
function words({ answers, exclude }) {
  return JSON.stringify([answers, exclude]);
}

/**
 * @param {import("../../formats/worker-calls.js").ChosenFile[]} ones
 * @param {import("../../formats/worker-calls.js").ChosenFile[]} others
 */
function areSame(ones, others) {
  const isSame = (/** @type {number} */ index) => {
    const [one, other] = [ones[index], others[index]];
    return one.file === other.file && one.name === other.name && one.stripped === other.stripped;
  };
  return ones.length === others.length && ones.every((_, index) => isSame(index));
}
