# SPDX-License-Identifier: AGPL-3.0-or-later
"""The receipt code: 35 digits that only the reporter has, and the keys made from them (docs/protocol.md §3).

Seven groups of five digits. The last of each group checks the other four and the number of the group, so that a wrong
digit, two swapped neighbouring digits and two swapped groups are all found without a request to the portal, and the
reporter is told which group to check. Of the other 28 digits 26 are random, and two check all of these: they find what
a group does not see, such as two digits swapped across a third (``benchmarks/receipt_code.py`` measures all kinds).
"""

import functools
import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.age import PqIdentity, PqRecipient
from crypto.encoding import ID_BYTES, decode_hex, label
from crypto.errors import MalformedError
from crypto.manifest import mailbox_id
from crypto.note import SigningKey
from crypto.receipt_text import CODE_DIGITS, GROUP_DIGITS, GROUPS, read_digits

WHOLE_DIGITS = 2
RANDOM_DIGITS = GROUPS * (GROUP_DIGITS - 1) - WHOLE_DIGITS
# 97 is the greatest prime of two digits. Of all factors 21 lets the fewest pairs of wrong digits in one group pass.
WHOLE_MODULUS = 97
WHOLE_FACTOR = 21
PBKDF2_ITERATIONS = 210_000
KEY_BYTES = 32

# The totally anti-symmetric quasigroup of order 10 of H. Michael Damm, "Total anti-symmetrische Quasigruppen" (2004).
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


class ReceiptCodeError(MalformedError):
    """The typed text is not a receipt code.

    ``reason`` is "character" (something that is neither a digit nor a divider), "length" (not 35 digits), "group" (a
    check digit does not match) or "code" (each group matches its own, and the whole does not), checked in this order.
    ``groups`` are the numbers, from 1, of the groups to check; empty for "length" and "code".
    """

    def __init__(self, reason: Literal["length", "character", "group", "code"], groups: Iterable[int] = ()) -> None:
        self.reason = reason
        self.groups = tuple(groups)
        super().__init__(f"receipt code: {_describe(reason, self.groups)}")


@dataclass(frozen=True)
class MailboxSecrets:
    """The secrets derived from a receipt code at one portal (§3), 32 bytes each.

    Public are the recipient S, the key V (``control``, hex) and the mailbox id (32 hexadecimal digits) that commits to
    them and to the hash of the token.
    """

    token: bytes = field(repr=False)
    mailbox_seed: bytes = field(repr=False)
    control_seed: bytes = field(repr=False)
    message_mac: bytes = field(repr=False)
    leaf_nonce: bytes = field(repr=False)
    state_mac: bytes = field(repr=False)

    @property
    def token_sha256(self) -> str:
        """The hexadecimal SHA-256 of the token, which the portal stores."""
        return hashlib.sha256(self.token).hexdigest()

    @property
    def identity(self) -> PqIdentity:
        """The identity of the mailbox; its recipient is S."""
        return PqIdentity.from_seed(self.mailbox_seed)

    @functools.cached_property
    def recipient(self) -> PqRecipient:
        """S, to which the commission writes."""
        return self.identity.recipient()

    @property
    def control(self) -> str:
        """V in hex: the key that commands the mailbox (§9.3)."""
        return SigningKey.from_seed("control", self.control_seed).verifier.public.hex()

    @functools.cached_property
    def mailbox_id(self) -> str:
        """The look-up key at the portal, in hex."""
        return mailbox_id(self.recipient, self.control, self.token_sha256)

    @property
    def control_key(self) -> SigningKey:
        """The key that signs control notes, under the name of the mailbox id."""
        return SigningKey.from_seed(self.mailbox_id, self.control_seed)


def new_code(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Return a fresh code of 35 ASCII digits; ``random(n)`` gives n random bytes."""
    digits = ""
    while len(digits) < RANDOM_DIGITS:
        # 250 of the 256 values spread evenly over ten digits; the other six are thrown away.
        digits += "".join(str(byte % 10) for byte in random(RANDOM_DIGITS) if byte < 250)
    return add_checks(digits[:RANDOM_DIGITS])


def add_checks(digits: str) -> str:
    """Return the code of 35 digits for 26 ASCII digits. Raises MalformedError for another number of them."""
    if len(digits) != RANDOM_DIGITS:
        raise MalformedError(f"receipt code: not {RANDOM_DIGITS} random digits")
    size = GROUP_DIGITS - 1
    checked = digits + _whole_check(digits)
    parts = [checked[size * i : size * (i + 1)] for i in range(GROUPS)]
    return "".join(part + _check(number, part) for number, part in enumerate(parts, 1))


def groups(digits: str) -> tuple[str, ...]:
    """Return the seven groups of a code of 35 digits."""
    return tuple(digits[start : start + GROUP_DIGITS] for start in range(0, CODE_DIGITS, GROUP_DIGITS))


def format_code(digits: str) -> str:
    """Return the code for display: seven groups divided by spaces, left to right in every language."""
    return " ".join(groups(digits))


def parse_code(text: str) -> str:
    """Return the 35 ASCII digits of a typed or pasted code, in any script, with any dividers and numbers of groups.

    Raises ReceiptCodeError. Another character counts as the digit in its place, so that an O typed for a zero points at
    its own group.
    """
    digits = read_digits(text)
    strange = [place // GROUP_DIGITS + 1 for place, digit in enumerate(digits) if digit == "?"]
    if strange:
        raise ReceiptCodeError("character", sorted({min(group, GROUPS) for group in strange}))
    if len(digits) != CODE_DIGITS:
        raise ReceiptCodeError("length")
    wrong = wrong_groups(digits)
    if wrong:
        raise ReceiptCodeError("group", wrong)
    checked = "".join(group[:-1] for group in groups(digits))
    if _whole_check(checked[:RANDOM_DIGITS]) != checked[RANDOM_DIGITS:]:
        raise ReceiptCodeError("code")
    return digits


def wrong_groups(digits: str) -> list[int]:
    """Return the numbers, from 1, of the groups of 35 ASCII digits that do not end in their check digit."""
    return [number for number, group in enumerate(groups(digits), 1) if _check(number, group[:-1]) != group[-1]]


def derive(digits: str, realm: str) -> MailboxSecrets:
    """Derive the secrets of the mailbox that ``digits`` (35 ASCII digits) opens at the portal of this realm.

    Raises MalformedError unless ``digits`` is in the form that ``parse_code`` returns and the realm is 16 bytes in hex:
    another spelling would silently open another mailbox. Takes about a tenth of a second.
    """
    if parse_code(digits) != digits:
        raise MalformedError("receipt code: not 35 plain digits")
    salt = label("receipt") + decode_hex(realm, ID_BYTES)
    master = hashlib.pbkdf2_hmac("sha512", digits.encode("ascii"), salt, PBKDF2_ITERATIONS, KEY_BYTES)
    return MailboxSecrets(
        token=_key(master, "mailbox-token"),
        mailbox_seed=_key(master, "mailbox-identity"),
        control_seed=_key(master, "control-key"),
        message_mac=_key(master, "message-mac"),
        leaf_nonce=_key(master, "leaf-nonce"),
        state_mac=_key(master, "state-mac"),
    )


def _key(master: bytes, name: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"amparo/v1/" + name.encode("ascii")).derive(master)


def _check(number: int, digits: str) -> str:
    interim = 0
    for digit in (number, *map(int, digits)):
        interim = int(_DAMM[interim][digit])
    return str(interim)


def _whole_check(digits: str) -> str:
    value = 0
    for digit in digits:
        value = (value + int(digit)) * WHOLE_FACTOR % WHOLE_MODULUS
    return f"{value:02d}"


def _describe(reason: str, wrong: tuple[int, ...]) -> str:
    many = len(wrong) > 1
    where = f"group{'s' if many else ''} {', '.join(map(str, wrong))}"
    if reason == "character":
        return f"{where} {'hold' if many else 'holds'} something that is not a digit"
    if reason == "group":
        return f"{where} {'do' if many else 'does'} not match {'their check digits' if many else 'its check digit'}"
    if reason == "code":
        return "one of the groups is not as it was written: compare all of them with your paper"
    return f"not {CODE_DIGITS} digits"
