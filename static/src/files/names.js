// SPDX-License-Identifier: AGPL-3.0-or-later
// What the name of a file tells.

// A date, a time, a number of a camera or a place, in any digits.
const REVEALING = /\p{Nd}{6}|\p{Nd}{1,4}[^\p{Nd}]\p{Nd}{1,2}[^\p{Nd}]\p{Nd}{2,4}|\p{Nd}[.,]\p{Nd}{3}/u;
/** @type {Partial<Record<import("../formats/worker-calls.js").FileKind, string>>} */
const ENDINGS = { jpeg: ".jpg", png: ".png", webp: ".webp", pdf: ".pdf" };

/** Whether a time or a place may be read in it. @param {string} name */
export function isRevealing(name) {
  return REVEALING.test(name);
}

/**
 * How a name that says nothing else should end, by the bytes where they tell.
 *
 * @param {import("../formats/worker-calls.js").FileKind} kind
 * @param {string} name
 */
export function endingFor(kind, name) {
  return ENDINGS[kind] ?? /\.\w{1,5}$/.exec(name)?.[0] ?? "";
}
