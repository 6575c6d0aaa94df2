// SPDX-License-Identifier: AGPL-3.0-or-later
// What the oldest browsers lack (docs/adr/0024) and the pages use.

/** Chrome before 86 has no replaceChildren. */
export function standIn() {
  Element.prototype.replaceChildren ??= function (...children) {
    this.textContent = "";
    this.append(...children);
  };
}
