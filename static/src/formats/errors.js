// SPDX-License-Identifier: AGPL-3.0-or-later
// The errors of the formats, the same families as in crypto/errors.py. No message holds a secret or a reporter's words.

export class FormatError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** The bytes do not follow the format: truncated, trailing, or in another encoding than the only allowed one. */
export class MalformedError extends FormatError {}

/** The format is ours, but in a version that this program does not read. */
export class UnsupportedVersionError extends FormatError {}

/** A size or a count is above the documented limit. */
export class LimitError extends FormatError {}

/** This identity does not open this file. */
export class NotARecipientError extends FormatError {}

/** A MAC, a tag or a signature does not match the bytes it covers. */
export class AuthenticationError extends FormatError {}

/** A charter does not continue the one before it. */
export class ProofError extends FormatError {}
