// SPDX-License-Identifier: AGPL-3.0-or-later
// One chosen file: its name, its picture, and what became of its hidden details. They are removed as soon as it is chosen;
// where that fails, the person decides. The texts of its states are in the template.

import { cleanName } from "../../formats/file-name.js";
import { PortalError } from "../../formats/portal-error.js";
import { sizeWords, t } from "../strings.js";
import { copyTemplate, part, parts } from "./element.js";

/**
 * @typedef {import("../../formats/worker-calls.js").ChosenFile} ChosenFile
 * @typedef {import("../../formats/worker-calls.js").CleanedFile} CleanedFile
 * @typedef {Partial<Omit<CleanedFile, "problem">> & { problem: string | null }} Result
 */

const SENDABLE = ["removed", "as-is", "other"];
const UNDECIDABLE = ["unreadable", "other"];

export class FileItem {
  #file;
  #cleaner;
  /** @type {Result | null} null while it is looked at */
  #result = null;
  #gone = false;
  #strip;
  #asIs;
  /** @type {Blob | null} what `#typed` was made of */
  #bytes = null;
  /** The bytes under the media type that they have. */
  #typed = new Blob();

  /**
   * @param {HTMLElement} question which has the template
   * @param {File} file
   * @param {number} number for a name that says nothing
   * @param {import("../file-client.js").FileClient} cleaner
   */
  constructor(question, file, number, cleaner) {
    this.element = copyTemplate(question, "file");
    this.#file = file;
    this.#cleaner = cleaner;
    this.name = cleanName(file.name);
    this.#strip = field(this.element, "strip");
    this.#asIs = field(this.element, "as-is");
    for (const box of [this.#strip, this.#asIs]) box.addEventListener("change", () => this.#show());
    this.#set("size", sizeWords(file.size));
    this.#set("name", this.name);
    part(this.element, "[data-unseen]").hidden = !/\p{C}/u.test(file.name);
    this.#clean(number);
  }

  /** @returns {ChosenFile} as it is now */
  get chosen() {
    const stripped = this.#state === "removed";
    const bytes = (stripped && this.#result?.blob) || this.#file;
    // The same object as long as it is the same file: what was sealed of it once is sent again.
    if (bytes !== this.#bytes) this.#typed = bytes.slice(0, bytes.size, this.#result?.type);
    this.#bytes = bytes;
    return { file: this.#typed, name: this.name, stripped };
  }

  /** For the check: name, size, and what became of it. */
  get line() {
    const { file, stripped } = this.chosen;
    return [this.name, sizeWords(file.size), stripped ? t("hidden details removed") : t("as it is on your device")];
  }

  /** What must be decided before the report goes on. @returns {string | null} */
  get problem() {
    if (SENDABLE.includes(this.#state)) return null;
    return t("Hidden details are not removed from {name}. Wait for it, or choose what to do with this file", { name: this.name });
  }

  /** The person took it away. */
  forget() {
    this.#gone = true;
    this.element.remove();
    if (!this.#result) this.#cleaner.terminate();
  }

  /** A key of a text in the template. */
  get #state() {
    if (!this.#result) return this.#strip.checked ? "working" : "as-is";
    const { problem } = this.#result;
    if (!problem) return this.#strip.checked ? "removed" : "as-is";
    return this.#asIs.checked && !UNDECIDABLE.includes(problem) ? "as-is" : problem;
  }

  /** @param {number} number @returns {Promise<void>} */
  async #clean(number) {
    this.#show();
    try {
      this.#result = await this.#cleaner.clean({ file: this.#file, name: this.name });
    } catch (error) {
      const code = error instanceof PortalError ? error.code : "";
      // Another file was taken away while the worker had both.
      if (code === "cancelled" && !this.#gone) return this.#clean(number);
      this.#result = { problem: code === "file-unreadable" ? "unreadable" : "failed" };
    }
    if (this.#gone) return;
    this.#show();
    this.#offerName(`file ${number}${this.#result.ending}`);
    const canvas = /** @type {HTMLCanvasElement} */ (part(this.element, "canvas"));
    canvas.hidden = !this.#result.picture;
    if (this.#result.picture) canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(this.#result.picture);
  }

  #show() {
    const problem = this.#result?.problem;
    const state = this.#state;
    for (const words of parts(this.element, "[data-state]")) words.hidden = words.dataset.state !== state;
    part(this.element, "[data-strip]").hidden = Boolean(problem);
    part(this.element, "[data-as-is]").hidden = !problem || UNDECIDABLE.includes(problem);
  }

  /** @param {string} suggestion */
  #offerName(suggestion) {
    const input = field(this.element, "rename");
    const rename = () => this.#set("name", (this.name = cleanName(input.value)));
    part(this.element, "[data-rename]").hidden = !this.#result?.revealing;
    this.#set("suggestion", suggestion);
    input.value = this.name;
    input.addEventListener("input", rename);
    part(this.element, "[data-suggest]").addEventListener("click", () => {
      input.value = suggestion;
      rename();
    });
  }

  /** @param {string} name @param {string} words */
  #set(name, words) {
    part(this.element, `[data-${name}]`).textContent = words;
  }
}

/** @param {HTMLElement} element @param {string} name */
function field(element, name) {
  return /** @type {HTMLInputElement} */ (part(element, `[data-${name}] input`));
}
