// SPDX-License-Identifier: AGPL-3.0-or-later
// Files, chosen one at a time, dropped or pasted. They are read by a worker at once, to remove hidden details, and again
// when the report is sealed.

import { cleanName } from "../../formats/file-name.js";
import { sizeWords, t, tn } from "../strings.js";
import { part } from "./element.js";
import { FileItem } from "./file-item.js";

/** @typedef {import("./error-summary.js").Problem} Problem */
/** @typedef {{ max: number, bytesMax: number }} Limits */

export class Files {
  /** @type {FileItem[]} */
  #items = [];
  #count = 0;
  #list;
  #input;
  #limits;
  #cleaner;
  #onProblem;

  /**
   * @param {HTMLElement} element the question of kind `files`
   * @param {Limits} limits
   * @param {import("../file-client.js").FileClient} cleaner
   * @param {(problem: Problem | null) => void} onProblem
   */
  constructor(element, limits, cleaner, onProblem) {
    this.element = element;
    this.#limits = limits;
    this.#cleaner = cleaner;
    this.#onProblem = onProblem;
    this.#list = part(element, "[data-files]");
    this.#input = /** @type {HTMLInputElement} */ (part(element, "input[type=file]"));
    this.#input.addEventListener("change", () => this.#take(this.#input));
    // A file that is dropped beside the field would open in the place of the page.
    addEventListener("dragover", (event) => this.#isFiles(event.dataTransfer) && event.preventDefault());
    addEventListener("drop", (event) => this.#takeFrom(event, event.dataTransfer));
    addEventListener("paste", (event) => this.#takeFrom(event, event.clipboardData));
  }

  get chosen() {
    return this.#items.map((item) => item.chosen);
  }

  /** Of each file its name, its size and what became of its hidden details. */
  get lines() {
    return this.#items.map((item) => item.line);
  }

  /** @returns {Problem | null} */
  get problem() {
    const message = this.#items.map((item) => item.problem).find(Boolean);
    return message ? { message, field: this.#input.id } : null;
  }

  forget() {
    for (const item of this.#items) item.forget();
    this.#items = [];
    this.#cleaner.terminate();
  }

  /** A text that is copied may bring a picture of itself. @param {DataTransfer | null} data */
  #isFiles(data) {
    return data?.types.includes("Files") && !data.types.includes("text/plain");
  }

  /** @param {Event} event @param {DataTransfer | null} data */
  #takeFrom(event, data) {
    if (!data || !this.#isFiles(data)) return;
    event.preventDefault();
    if (this.element.getClientRects().length > 0) this.#addAll([...data.files]);
  }

  /** @param {HTMLInputElement} input @param {FileItem} [replaced] */
  #take(input, replaced) {
    const files = [...(input.files ?? [])];
    // Clears the field for the next file, which may be the same one after it was removed.
    input.value = "";
    this.#addAll(files, replaced);
  }

  /** @param {File[]} files @param {FileItem} [replaced] the first takes its place */
  #addAll(files, replaced) {
    /** @type {string | null} */
    let message = null;
    for (const file of files) {
      const refusal = this.#refusal(file, replaced);
      message ??= refusal && files.length > 1 ? `${cleanName(file.name)}: ${refusal}` : refusal;
      if (refusal) continue;
      this.#add(file, replaced);
      replaced = undefined;
    }
    if (files.length > 0) this.#onProblem(message ? { message, field: this.#input.id } : null);
  }

  /** @param {File} file @param {FileItem} [replaced] */
  #refusal(file, replaced) {
    const { max, bytesMax } = this.#limits;
    if (this.#items.length >= max && !replaced) {
      return tn("You can add {count} file at most", "You can add {count} files at most", max);
    }
    if (file.size > bytesMax) {
      return t("This file is larger than {size}. Choose a smaller one", { size: sizeWords(bytesMax) });
    }
    return file.size === 0 ? t("This file is empty. Choose another one") : null;
  }

  /** @param {File} file @param {FileItem} [replaced] */
  #add(file, replaced) {
    const item = new FileItem(this.element, file, ++this.#count, this.#cleaner);
    const other = /** @type {HTMLInputElement} */ (part(item.element, "[data-replace] input"));
    other.addEventListener("change", () => this.#take(other, item));
    part(item.element, "[data-remove]").addEventListener("click", () => {
      this.#remove(item);
      this.#input.focus();
      this.#say(t("Removed: {name}", { name: item.name }));
    });
    if (replaced) {
      replaced.element.before(item.element);
      this.#items.splice(this.#items.indexOf(replaced), 0, item);
      this.#remove(replaced);
    } else {
      this.#list.append(item.element);
      this.#items.push(item);
    }
    this.#say(t("Added: {name}", { name: item.name }));
  }

  /** @param {FileItem} item */
  #remove(item) {
    this.#items = this.#items.filter((other) => other !== item);
    item.forget();
  }

  /** @param {string} words */
  #say(words) {
    part(this.element, "[data-files-status]").textContent = words;
  }
}
