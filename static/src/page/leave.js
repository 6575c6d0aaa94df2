// SPDX-License-Identifier: AGPL-3.0-or-later
// "Leave now", and the guard that keeps the back button from showing our pages afterwards.
//
// This runs in the head, before anything is painted. Leaving replaces the page in the tab's history, but pages of ours
// that were open before it are still there. So a page of ours that is loaded by Back or Forward from another site leaves
// again at once. The Navigation API tells the previous page. Older browsers lack it: there, our pages share one
// history entry, each link replacing the page before, and whatever Back or Forward loads came from outside.

/** The event that makes the page's modules wipe their data: see components/wipe.js. */
const LEAVE_EVENT = "amparo-leave";

const script = /** @type {HTMLScriptElement} */ (document.currentScript);
const elsewhere = script.dataset.leaveUrl ?? "about:blank";
const navigation = /** @type {any} */ (globalThis).navigation;
const tellsWhereFrom = navigation !== undefined && "activation" in navigation;

function leave() {
  document.dispatchEvent(new Event(LEAVE_EVENT));
  for (const field of document.querySelectorAll("input, textarea, select")) {
    /** @type {HTMLInputElement} */ (field).value = "";
  }
  document.title = "";
  document.documentElement.textContent = "";
  location.replace(elsewhere);
}

/** Whether Back or Forward led here from a page that is not ours. */
function cameFromAnotherSite() {
  return !navigation?.activation?.from;
}

/** @param {MouseEvent} event */
function followInPlace(event) {
  const link = /** @type {Element} */ (event.target).closest("a[href]");
  if (!(link instanceof HTMLAnchorElement) || link.target || link.download || link.hash || link.origin !== location.origin) return;
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  location.replace(link.href);
}

document.documentElement.classList.add("scripted");

/** Whether Back or Forward led here. Safari before 15 says so only in the old way, others only in the new one. */
function isBackOrForward() {
  const [load] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return load ? load.type === "back_forward" : performance.navigation?.type === 2;
}

if (isBackOrForward() && cameFromAnotherSite()) leave();
addEventListener("pageshow", (event) => {
  if (event.persisted && cameFromAnotherSite()) leave();
});

/** A browser that can't read the page's modules says so to nobody but us. */
function sayTooOld() {
  if (document.querySelector("[data-ready]")) return;
  for (const words of document.querySelectorAll(".loading, [data-lack]")) {
    /** @type {HTMLElement} */ (words).hidden = words.getAttribute("data-lack") !== "unsupported";
  }
}

if (!("noModule" in HTMLScriptElement.prototype)) document.addEventListener("DOMContentLoaded", sayTooOld);
addEventListener("error", (event) => {
  // Of a script of ours that came: one that did not come has no message.
  if (event.message && event.filename.indexOf(location.origin) === 0) sayTooOld();
});

document.addEventListener("click", (event) => {
  if (/** @type {Element} */ (event.target).closest("[data-leave]")) {
    event.preventDefault();
    leave();
  } else if (!tellsWhereFrom) followInPlace(event);
});
