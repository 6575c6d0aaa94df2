// SPDX-License-Identifier: AGPL-3.0-or-later
// What somebody typed or pasted into a field, as it can be sealed and read by others. Every pattern here and in traces.js
// looks at each character a bounded number of times: a page that thinks for long can't be left.

// Everything by which nothing is seen: white space, marks without a letter, and the letters that look like nothing. Not
// what a browser of today has no name for: it may be a letter of tomorrow's Unicode.
const SEEN = /[^\s\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;
const LONE_SURROGATE = /\p{Cs}/gu;
const BREAK = /[\v\f\x85]/g;
const CONTROL = /[\0-\b\x0e-\x1f\x7f-\x9f]/g;

/**
 * A broken or a control character becomes U+FFFD, as in every decoder, so that it blocks nothing and its place is seen.
 *
 * @param {string} text
 * @returns {string} without white space around it; empty if nothing in it can be seen
 */
export function typedText(text) {
  if (!SEEN.test(text)) return "";
  return text.replace(LONE_SURROGATE, "\ufffd").replace(BREAK, " ").replace(CONTROL, "\ufffd").trim();
}

/**
 * Joined letters without a space take a browser time with the square of their number to break into lines: 25 seconds for
 * 200 KB of Arabic. Such a text stays on one line, which scrolls.
 *
 * @param {HTMLTextAreaElement | HTMLInputElement} field
 */
export function keepLongRunsOnOneLine(field) {
  field.addEventListener("input", () => {
    field.classList.toggle("field__control--run", /\p{Script=Arabic}{999}/u.test(field.value));
  });
}
