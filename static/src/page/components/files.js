// SPDX-License-Identifier: AGPL-3.0-or-later
// Files, chosen one at a time. They are read only when the report is sealed.

import { sizeWords, t, tn } from "../strings.js";
import { copyTemplate, part } from "./element.js";

/** @typedef {import("../../formats/worker-calls.js").ChosenFile} ChosenFile */
/** @typedef {import("./error-summary.js").Problem} Problem */
/** @typedef {{ max: number, bytesMax: number }} Limits */

/** The types from which metadata can be removed here: documents and videos keep theirs. */
const STRIPPABLE = ["image/jpeg", "image/png"];

export class Files {
  /** @type {Map<HTMLElement, ChosenFile>} */
  #chosen = new Map();
  #list;
  #input;
  #limits;
  #onProblem;

  /**
   * @param {HTMLElement} element the question of kind `files`
   * @param {Limits} limits
   * @param {(problem: Problem | null) => void} onProblem
   */
  constructor(element, limits, onProblem) {
    this.element = element;
    this.#limits = limits;
    this.#onProblem = onProblem;
    this.#list = part(element, "[data-files]");
    this.#input = /** @type {HTMLInputElement} */ (part(element, "input[type=file]"));
    this.#input.addEventListener("change", () => this.#choose());
  }

  /** @returns {ChosenFile[]} */
  get chosen() {
    return [...this.#chosen.values()];
  }

  /** Names, sizes and removed metadata, one file a line. */
  get lines() {
    return this.chosen.map(({ file, name, strip }) => {
      const words = { name, size: sizeWords(file.size) };
      return strip ? t("{name} ({size}, hidden details removed)", words) : t("{name} ({size})", words);
    });
  }

  forget() {
    this.#chosen.clear();
    this.#list.replaceChildren();
  }

  #choose() {
    const file = this.#input.files?.[0];
    // Clears the field for the next file, which may be the same one after it was removed.
    this.#input.value = "";
    if (!file) return;
    const message = this.#refusal(file);
    this.#onProblem(message ? { message, field: this.#input.id } : null);
    if (!message) this.#add(file);
  }

  /** @param {File} file */
  #refusal(file) {
    const { max, bytesMax } = this.#limits;
    if (this.#chosen.size >= max) {
      return tn("You can add {count} file at most", "You can add {count} files at most", max);
    }
    if (file.size > bytesMax) {
      return t("This file is larger than {size}. Choose a smaller one", { size: sizeWords(bytesMax) });
    }
    return file.size === 0 ? t("This file is empty. Choose another one") : null;
  }

  /** @param {File} file */
  #add(file) {
    const item = copyTemplate(this.element, "file");
    const strippable = STRIPPABLE.includes(file.type);
    /** @type {ChosenFile} */
    const chosen = { file, name: shorten(file.name), strip: strippable };
    this.#chosen.set(item, chosen);
    part(item, "[data-name]").textContent = chosen.name;
    part(item, "[data-size]").textContent = sizeWords(file.size);
    part(item, "[data-strip]").hidden = !strippable;
    part(item, "[data-keeps]").hidden = strippable;
    const box = /** @type {HTMLInputElement} */ (part(item, "[data-strip] input"));
    box.addEventListener("change", () => {
      chosen.strip = box.checked;
    });
    part(item, "[data-remove]").addEventListener("click", () => this.#remove(item));
    this.#list.append(item);
    this.#say(t("Added: {name}", { name: chosen.name }));
  }

  /** @param {HTMLElement} item */
  #remove(item) {
    const name = this.#chosen.get(item)?.name ?? "";
    this.#chosen.delete(item);
    item.remove();
    this.#input.focus();
    this.#say(t("Removed: {name}", { name }));
  }

  /** @param {string} words */
  #say(words) {
    part(this.element, "[data-files-status]").textContent = words;
  }
}

/** Names are at most 255 characters (docs/protocol.md §5.2); of a longer one the end is kept. @param {string} name */
function shorten(name) {
  return [...name].slice(-255).join("");
}
