# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one tree of errors that the formats raise.

    CryptoError
    ├── MalformedError            the bytes do not follow the format
    ├── UnsupportedVersionError   the format is known, this version of it is not
    ├── LimitError                a size or count is above its limit
    ├── NotARecipientError        expected: this key opens nothing here, try the next one
    ├── AuthenticationError       a MAC, tag or signature does not match
    └── ProofError                a hash chain, inclusion or consistency proof does not hold

Messages never hold a secret or a reporter's words.
"""


class CryptoError(Exception):
    """Base of every error raised by ``crypto``."""


class MalformedError(CryptoError):
    """The bytes do not follow the format: truncated, trailing, or in another encoding than the only allowed one."""


class UnsupportedVersionError(CryptoError):
    """The format is ours, but in a version or of a kind that this program does not read."""


class LimitError(CryptoError):
    """A size or a count is above the documented limit; checked before any work is done on it."""


class NotARecipientError(CryptoError):
    """None of the given identities opens this file. Expected while trying keys."""


class AuthenticationError(CryptoError):
    """A MAC, an AEAD tag or a signature does not match the bytes it covers."""


class ProofError(CryptoError):
    """A chain of hashes, an inclusion proof or a consistency proof does not hold."""
