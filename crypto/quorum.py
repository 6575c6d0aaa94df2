# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reserve identity as SLIP-39 shares: any k of n keepers together open it (docs/protocol.md §11).

One group, no passphrase, extendable, iteration exponent 1. A share is 33 words, the last three of which are a checksum;
the first four letters of a word stand for it. A reserve of 1 of 1 is for a commission of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shamir_mnemonic import MnemonicError
from shamir_mnemonic.shamir import ShareGroup, generate_mnemonics, recover_ems
from shamir_mnemonic.share import Share
from shamir_mnemonic.wordlist import WORDLIST

from crypto.errors import AuthenticationError, LimitError, MalformedError

SEED_BYTES = 32
SHARE_WORDS = 33
SHARES_MAX = 16
THRESHOLD_MIN = 2  # of more than one share
ITERATION_EXPONENT = 1
# SLIP-39: no two words of the list share their first four letters.
PREFIX_LETTERS = 4
_WORDS = {word[:PREFIX_LETTERS]: word for word in WORDLIST}

Reason = Literal["word", "length", "checksum", "form", "mixed", "repeated", "too-few"]


class ShareError(MalformedError):
    """The shares cannot be put together.

    ``reason``: "word" (not in the list), "length" (not 33 words), "checksum" (a word is wrong), "form" (a share of
    another secret), "mixed" (of another set than share 1), "repeated" (given twice), "too-few". ``share`` is the
    position, from 1, of the share to check; ``None`` for "too-few". ``word`` is the position, from 1, of its first word
    that is not in the list; ``None`` for the other reasons. The error never holds a word of a share.
    """

    def __init__(self, reason: Reason, message: str, share: int | None = None, word: int | None = None) -> None:
        self.reason = reason
        self.share = share
        self.word = word
        super().__init__(message if share is None else f"share {share}: {message}")


@dataclass(frozen=True)
class ShareFacts:
    """The public parts of a share: its set, its number in the set from 1, and how many shares are needed."""

    set_id: int
    number: int
    threshold: int


def split_reserve(seed: bytes, threshold: int, shares: int) -> list[str]:
    """Split ``seed`` (32 bytes) into ``shares`` mnemonics, any ``threshold`` of which recover it.

    Raises LimitError unless 2 ≤ threshold ≤ shares ≤ 16, or 1 of 1: none of several people may open a reserve alone.
    """
    if len(seed) != SEED_BYTES:
        raise MalformedError(f"reserve: not {SEED_BYTES} bytes")
    if not (THRESHOLD_MIN <= threshold <= shares <= SHARES_MAX or threshold == shares == 1):
        raise LimitError(f"reserve: neither {THRESHOLD_MIN} ≤ threshold ≤ shares ≤ {SHARES_MAX} nor 1 of 1")
    groups: list[list[str]] = generate_mnemonics(
        1, [(threshold, shares)], seed, extendable=True, iteration_exponent=ITERATION_EXPONENT
    )
    return groups[0]


def check_share(mnemonic: str) -> ShareFacts:
    """Check a single share, as soon as it is typed. Raises ShareError."""
    share = _read(mnemonic, 1)
    return ShareFacts(share.identifier, share.index + 1, share.member_threshold)


def recombine_reserve(mnemonics: Sequence[str]) -> bytes:
    """Return the seed (32 bytes) from at least as many shares as are needed, in any order; all must fit.

    Raises ShareError, LimitError on more than 16 shares, and AuthenticationError when each share is well-formed but
    together they give no seed: one of them is forged.
    """
    if len(mnemonics) > SHARES_MAX:
        raise LimitError(f"reserve: more than {SHARES_MAX} shares")
    shares = [_read(mnemonic, number) for number, mnemonic in enumerate(mnemonics, 1)]
    _check_set(shares)
    threshold = shares[0].member_threshold
    base, spare = shares[: threshold - 1], shares[threshold - 1 :]
    # Each surplus share is tried in the last place in turn, so that a bad one is noticed. Nearly all bad ones fail the
    # digest inside the shares; it has only 32 bits, so two different seeds are possible, and refused.
    secrets = {_recover([*base, share]) for share in spare}
    if len(secrets) != 1:
        raise AuthenticationError("reserve: the shares do not fit together")
    return secrets.pop()


def _check_set(shares: Sequence[Share]) -> None:
    if not shares:
        raise ShareError("too-few", "no shares")
    seen: dict[int, int] = {}
    for number, share in enumerate(shares, 1):
        if share.group_parameters() != shares[0].group_parameters():
            raise ShareError("mixed", "belongs to another set than share 1", number)
        if share.index in seen:
            raise ShareError("repeated", f"has the same number as share {seen[share.index]}", number)
        seen[share.index] = number
    needed = shares[0].member_threshold
    if len(shares) < needed:
        raise ShareError("too-few", f"{len(shares)} of the {needed} shares that are needed")


def _recover(shares: Sequence[Share]) -> bytes:
    group = ShareGroup()
    for share in shares:
        group.add(share)
    try:
        seed: bytes = recover_ems({0: group}).decrypt(b"")
    except MnemonicError:
        raise AuthenticationError("reserve: the shares do not fit together") from None
    return seed


def _read(mnemonic: str, number: int) -> Share:
    words = []
    for position, typed in enumerate(mnemonic.lower().split(), 1):
        word = _WORDS.get(typed[:PREFIX_LETTERS])
        if word is None or not word.startswith(typed):
            raise ShareError("word", f"word {position} is not in the list", number, position)
        words.append(word)
    if len(words) != SHARE_WORDS:
        raise ShareError("length", f"{len(words)} words, expected {SHARE_WORDS}", number)
    try:
        share = Share.from_mnemonic(" ".join(words))
    except MnemonicError:
        raise ShareError("checksum", "the checksum does not match: a word is wrong", number) from None
    parameters = (share.group_index, share.group_threshold, share.group_count, share.extendable)
    if parameters != (0, 1, 1, True) or share.iteration_exponent != ITERATION_EXPONENT:
        raise ShareError("form", "not a share of a reserve", number)
    # A share does not say how many there are; one that is enough by itself is the only one.
    if (share.member_threshold == 1 and share.index != 0) or len(share.value) != SEED_BYTES:
        raise ShareError("form", "not a share of a reserve", number)
    return share
