// SPDX-License-Identifier: AGPL-3.0-or-later
// Everything that a person has entered into the form: answers, files, excluded members. It is stored nowhere else.

import { FileClient } from "../file-client.js";
import { t } from "../strings.js";
import { levelOf } from "../urgency.js";
import { parts, setting } from "./element.js";
import { showProblems } from "./error-summary.js";
import { Files } from "./files.js";
import { Members } from "./members.js";
import { Question } from "./question.js";

/** @typedef {import("./error-summary.js").Problem} Problem */
/** @typedef {Question | Files | Members} Item */

// The report with everything around the answers is at most 1 MiB (docs/protocol.md §5).
const ANSWERS_BYTES_MAX = 1_000_000;

export class Report {
  /** @type {{ label: string, typed: boolean, item: Item }[]} */
  #items = [];

  /**
   * @param {HTMLElement} root the form
   * @param {import("../clock.js").PageClock} clock
   */
  constructor(root, clock) {
    for (const panel of parts(root, "[data-panel]")) {
      for (const element of parts(panel, "[data-question]")) {
        const question = new Question(element, clock);
        const typed = question.kind === "text" || question.kind === "line";
        const item = makeItem(question, root, panel, clock.today);
        this.#items.push({ label: question.label, typed, item });
      }
    }
  }

  /** For "check your answers": each question with its answer in words, and the panel that it is on. */
  get rows() {
    return this.#items.map(({ label, typed, item }) => ({ panel: panelOf(item), label, typed, lines: item.lines }));
  }

  /** Whether there is anything to lose. */
  get isEmpty() {
    return this.#items.every(({ item }) => item.lines.length === 0);
  }

  /** @returns {Record<string, unknown>} by question id */
  get answers() {
    const pairs = this.#questions.map((question) => [question.id, question.answer]);
    return Object.fromEntries(pairs.filter(([, answer]) => answer !== undefined));
  }

  /** How urgent the answers say it is. */
  get urgency() {
    const answers = this.#questions.map(({ answer }) => answer);
    return levelOf(answers, Date.now());
  }

  get exclude() {
    return this.#items.flatMap(({ item }) => (item instanceof Members ? item.excluded : []));
  }

  /** @param {string} today YYYY-MM-DD, when more is known of it */
  setToday(today) {
    for (const { item } of this.#items) if (item instanceof Members) item.setToday(today);
  }

  get files() {
    return this.#items.flatMap(({ item }) => (item instanceof Files ? item.chosen : []));
  }

  /**
   * @param {string} panel
   * @returns {Problem[]}
   */
  problemsOn(panel) {
    const items = this.#items.map(({ item }) => item).filter((item) => panelOf(item) === panel);
    // Where questions were moved, they stand in another order.
    items.sort((one, other) => (one.element.compareDocumentPosition(other.element) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
    return items.flatMap((item) => {
      const problem = item.problem;
      return problem ? [problem] : [];
    });
  }

  /** The first panel with a problem. */
  get faultyPanel() {
    return this.#items.map(({ item }) => panelOf(item)).find((panel) => this.problemsOn(panel).length > 0);
  }

  /** @returns {Problem[]} the problems of the report as a whole */
  get wholeProblems() {
    const bytes = new TextEncoder().encode(JSON.stringify(this.answers)).length;
    if (bytes <= ANSWERS_BYTES_MAX) return [];
    return [{ message: t("Your texts are too long to be sent together. Shorten one, or add it as a file"), field: null }];
  }

  forget() {
    for (const { item } of this.#items) {
      if (item instanceof Files) item.forget();
      for (const field of parts(item.element, "input, textarea, select")) {
        const input = /** @type {HTMLInputElement} */ (field);
        if (input.type === "radio" || input.type === "checkbox") input.checked = false;
        else input.value = "";
      }
    }
  }

  get #questions() {
    return this.#items.flatMap(({ item }) => (item instanceof Question ? [item] : []));
  }
}

/** Questions move: see urgent-questions.js. @param {Item} item */
function panelOf({ element }) {
  return /** @type {HTMLElement} */ (element.closest("[data-panel]")).dataset.panel ?? "";
}

/**
 * @param {Question} question
 * @param {HTMLElement} root
 * @param {HTMLElement} panel
 * @param {string} today
 * @returns {Item}
 */
function makeItem(question, root, panel, today) {
  if (question.kind === "members") return new Members(question.element, today);
  if (question.kind !== "files") return question;
  const limits = { max: Number(setting(root, "attachmentsMax")), bytesMax: Number(setting(root, "attachmentBytesMax")) };
  const cleaner = new FileClient(setting(root, "laterPictureWorker"), setting(root, "laterPdfWorker"));
  return new Files(question.element, limits, cleaner, (problem) => showProblems(panel, problem ? [problem] : []));
}
