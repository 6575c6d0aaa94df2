// SPDX-License-Identifier: AGPL-3.0-or-later
// A document of panels of which one is shown. Back and Forward move between them; the address never changes, so that the
// browser's history does not tell how far a person came.

import { part, parts } from "./element.js";

export class Panels {
  /** @type {Map<string, HTMLElement>} */
  #panels = new Map();
  #held = false;
  #onShow;
  /** Name of the panel that is shown. */
  current = "";

  /**
   * @param {HTMLElement} root holds the `<section data-panel>` elements
   * @param {(name: string) => void} onShow called before a panel is shown
   */
  constructor(root, onShow) {
    for (const panel of parts(root, "[data-panel]")) this.#panels.set(panel.dataset.panel ?? "", panel);
    this.#onShow = onShow;
  }

  /** @param {string} name */
  get(name) {
    const panel = this.#panels.get(name);
    if (!panel) throw new Error(`the page has no panel ${name}`);
    return panel;
  }

  /** @param {string} name */
  has(name) {
    return this.#panels.has(name);
  }

  get names() {
    return [...this.#panels.keys()];
  }

  /** Show a panel as the first one, and listen to Back and Forward. @param {string} first */
  start(first) {
    history.scrollRestoration = "manual";
    // The address that is left says nothing of which panel it was.
    history.replaceState({ panel: first }, "", location.pathname);
    this.#show(first);
    addEventListener("popstate", (event) => {
      // During and after the sending there is no way back to the answers.
      if (this.#held) history.pushState({ panel: this.current }, "");
      else this.#open(event.state?.panel ?? first);
    });
  }

  /**
   * Go to a panel. Back leads to the previous one.
   *
   * @param {string} name
   */
  go(name) {
    history.pushState({ panel: name }, "");
    this.#open(name);
  }

  /** As `go`, and stay there despite Back and Forward, until `release`. @param {string} name */
  goAndHold(name) {
    this.#held = true;
    this.go(name);
  }

  release() {
    this.#held = false;
  }

  /** @param {string} name */
  #open(name) {
    this.#show(name);
    scrollTo(0, 0);
    part(this.get(name), "h1").focus({ preventScroll: true });
  }

  /** @param {string} name */
  #show(name) {
    this.#onShow(name);
    this.current = name;
    for (const [other, panel] of this.#panels) panel.hidden = other !== name;
  }
}
