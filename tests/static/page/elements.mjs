// SPDX-License-Identifier: AGPL-3.0-or-later
// As much of a document as the parts of a page ask for: elements with their values, found by the selectors they are given.

class StandIn {
  dataset = {};
  value = "";
  checked = false;
  hidden = false;
  textContent = "";
  /** @type {Record<string, StandIn[]>} */
  found = {};
  querySelector(selector) {
    return this.found[selector]?.[0] ?? null;
  }
  querySelectorAll(selector) {
    return this.found[selector] ?? [];
  }
  addEventListener() {}
}

/**
 * @param {object} properties
 * @param {Record<string, object[]>} [found] elements inside by selector
 */
export function element(properties, found = {}) {
  globalThis.HTMLElement = StandIn;
  const made = Object.assign(new StandIn(), properties);
  made.found = found;
  return made;
}
