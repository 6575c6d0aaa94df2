// SPDX-License-Identifier: AGPL-3.0-or-later
// The name of an attachment, as it is shown and as it is sealed. docs/protocol.md §5.2.

const CHARACTERS_MAX = 255;
// Controls, formats (marks and overrides of direction, zero-width signs, tags), surrogates, what is not assigned, and
// letters without a shape.
const UNSEEN =
  /[\p{C}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;

/**
 * A name that a reader accepts and sees as it is: no path, nothing invisible, at most 255 characters, of which the end is
 * kept.
 *
 * @param {string} name
 */
export function cleanName(name) {
  const clean = name.replace(/[\t\n\r]/g, " ").replace(UNSEEN, "").replace(/^.*[/\\]/s, "").replace(/\s+/g, " ").trim();
  const short = [...clean].slice(-CHARACTERS_MAX).join("").trim();
  return /^\.{0,2}$/.test(short) ? "file" : short;
}
