# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refuses files that are not sealed, as far as can be told without a key (docs/protocol.md §2, §7.2).

With one kind of stanza allowed, base64 canonical and every length fixed, an age header is a regular expression: the
version line, stanzas of an encapsulation of 1120 bytes and a body of 32, the MAC of 32. It accepts what
``crypto.age.check_sealed_prefix`` accepts, and also X25519 shares of low order: they harm only the recipient, who
checks them again, and finding one costs a multiplication for every stanza.
"""

import re

from crypto.age import sealed_size
from crypto.manifest import GRANT_FILE
from portal.api.refusals import Refusal

# The longest header, of 64 stanzas, has 101 KB; an attachment has one stanza and needs far less than this.
PREFIX_BYTES = 64 * 1024

# The last character of each value has its unused bits zero: four of them after 1120 bytes, two after 32.
_ENCAPSULATION = rb"[A-Za-z0-9+/]{1493}[AQgw]"
_32_BYTES = rb"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]"
_STANZA = rb"-> mlkem768x25519 " + _ENCAPSULATION + rb"\n" + _32_BYTES + rb"\n"
_STANZA_BYTES = len("-> mlkem768x25519 ") + 1494 + 1 + 43 + 1
_HEADER_BYTES = len("age-encryption.org/v1\n") + _STANZA_BYTES + len("--- ") + 43 + 1
_STANZAS = re.compile(rb"age-encryption\.org/v1\n((?:" + _STANZA + rb"){1,256})--- " + _32_BYTES + rb"\n")


def check_sealed(name: str, prefix: bytes | bytearray) -> int:
    """Return the number of stanzas in a sealed file's header. Raises Refusal ``not-sealed``."""
    header = _STANZAS.match(prefix)
    if header is None:
        raise Refusal("not-sealed", name)
    return len(header[1]) // _STANZA_BYTES


def check_grant(sealed: bytes | bytearray, slots: int) -> None:
    """Raise Refusal ``not-sealed``, or ``grant-slots`` unless the number of stanzas is ``slots``."""
    if check_sealed(GRANT_FILE, sealed) != slots:
        raise Refusal("grant-slots", GRANT_FILE)


def check_sealed_size(name: str, sealed: bytes | bytearray, plaintext_size: int, recipients: int = 1) -> None:
    """Raise Refusal ``not-sealed`` unless it is sealed to so many recipients and as long as its plaintext makes it.

    ``plaintext_size`` in bytes: states, thread notes and urgency have one only (§1.1).
    """
    header_bytes = _HEADER_BYTES + (recipients - 1) * _STANZA_BYTES
    if check_sealed(name, sealed) != recipients or len(sealed) != sealed_size(plaintext_size, header_bytes):
        raise Refusal("not-sealed", name)
