// SPDX-License-Identifier: AGPL-3.0-or-later
// While something is on the page that would be lost, its links open beside it. A browser's own question before leaving is not
// enough: phones ask none.

/** @param {() => boolean} hasSomething to lose */
export function guardLinks(hasSomething) {
  // Before leave.js, which follows links in place.
  addEventListener(
    "click",
    (event) => {
      const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
      if (!(link instanceof HTMLAnchorElement) || "leave" in link.dataset || link.getAttribute("href")?.startsWith("#")) return;
      if (!hasSomething()) return;
      link.target = "_blank";
      link.rel = "noopener";
    },
    true,
  );
}
