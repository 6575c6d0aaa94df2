// SPDX-License-Identifier: AGPL-3.0-or-later
// Says near the button why a call takes longer, and hides it again.

import { t } from "../strings.js";
import { part } from "./element.js";

/** @typedef {import("../../formats/worker-calls.js").TroubleKind} TroubleKind */

/**
 * @param {HTMLElement} element with a notice in it
 * @param {string} offline what to say when the network is gone
 * @param {string} busy what to say when the portal is busy
 * @returns what says why, or with null hides it
 */
export function troubleNotice(element, offline, busy) {
  const notice = part(element, "[data-trouble]");
  return (/** @type {TroubleKind | null} */ kind, share = 0) => {
    notice.hidden = !kind;
    if (!kind) return;
    const words = {
      offline,
      still: t("It is going very slowly just now, or stands still. Nothing is lost: it goes on by itself. Keep this page open."),
      foreign: t("Something between you and this site answers in its place: a network’s login page, or a limit. Nothing is lost: we try again by ourselves. If this network asks you to log in, do that, or use another one."),
      busy,
      long: t("The site still can’t do this. Nothing is lost: we try again by ourselves. Keep this page open, or reach the commission in another way."),
      full: t("The site has no room left. Nothing is lost: we try again by ourselves. Keep this page open, or reach the commission in another way."),
      work: t("The site is very busy: your device calculates something first. It may take a minute. Keep this page open."),
    }[kind];
    const text = part(notice, "[data-trouble-text]");
    // What stays the same is not read out again.
    if (text.textContent !== words) text.textContent = words;
    const bar = /** @type {HTMLProgressElement} */ (part(notice, "[data-work]"));
    bar.hidden = kind !== "work";
    bar.value = share;
  };
}
