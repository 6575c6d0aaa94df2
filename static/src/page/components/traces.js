// SPDX-License-Identifier: AGPL-3.0-or-later
// Looks for details that could identify a person: telephone numbers, e-mail and web addresses, house numbers with a
// postcode. It only asks people to look again, so it may err both ways.
//
// Each pattern begins at something rare, or is of a bounded length, so that none reads a text more often than once or
// twice: before, 80,000 characters without a space took half a minute.

const EMAIL = /[^\s@]@[^\s@]+\.[^\s@]{2}/u;
const HANDLE = /(?:^|[^\p{L}\p{N}._-])@[\p{L}\p{N}_]{4}/u;
const LINK = /\b(?:https?:\/\/|www\.)\S/iu;
// Nine digits or more of any script with the usual separators between them, but not a date.
const PHONE = /\p{Nd}(?:[\s().\-/]{0,2}\p{Nd}){8}/u;
const SHORT_PHONE = /(?:\+|\b00)\p{Nd}(?:[\s().\-/]{0,2}\p{Nd}){6}/u;
const POSTCODE = /\b\d{5}\s{1,9}\p{Lu}\p{L}{2}/u;

/**
 * @param {string} text
 * @returns {boolean}
 */
export function holdsTraces(text) {
  return [EMAIL, HANDLE, LINK, PHONE, SHORT_PHONE, POSTCODE].some((pattern) => pattern.test(text));
}
