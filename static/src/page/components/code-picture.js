// SPDX-License-Identifier: AGPL-3.0-or-later
// The receipt code as a picture, behind a disclosure: it is made when that is opened and gone when it is closed.

import { part } from "./element.js";
import { onLeave } from "./wipe.js";

/**
 * @param {HTMLDetailsElement} details
 * @param {string} script address of the module that draws it
 * @param {() => string} readCode
 */
export function startPicture(details, script, readCode) {
  const [drawn, failed, image] = ["[data-drawn]", "[data-not-drawn]", "img"].map((name) => part(details, name));
  const link = /** @type {HTMLAnchorElement} */ (part(details, "a"));

  async function show() {
    failed.hidden = true;
    try {
      const { drawCode } = await import(script);
      // Meanwhile it may have been closed.
      if (!details.open || link.href) return;
      link.href = URL.createObjectURL(new Blob([drawCode(readCode())], { type: "image/png" }));
      image.setAttribute("src", link.href);
      drawn.hidden = false;
    } catch {
      failed.hidden = false;
    }
  }

  function forget() {
    drawn.hidden = true;
    URL.revokeObjectURL(link.href);
    image.removeAttribute("src");
    link.removeAttribute("href");
  }

  details.addEventListener("toggle", () => (details.open ? show() : forget()));
  onLeave(forget);
}
