# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reserve in the making. Its shares exist in the memory of one process and, once shown, on paper.

Each share goes to one keeper, who is shown it, writes it down, and types it back; then it is forgotten here. The seed
itself is forgotten as soon as it is split. When the last share was typed back, the public recipient alone is left. An
office that stops before that begins the reserve anew: papers of the broken attempt open nothing.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from crypto.age import PqIdentity
from crypto.errors import AuthenticationError
from crypto.quorum import PREFIX_LETTERS, ShareError, check_share, recombine_reserve, split_reserve
from oversight.founding.founding import FoundingReserve, hash_token, new_token

Random = Callable[[int], bytes]


class WrongShareError(Exception):
    """What was typed is not the share that was shown. It never holds a word of a share.

    ``reason``: "length", "word" (``word`` is its position from 1: not in the list, or not the one that was shown),
    "number" (another share of this reserve), "reserve" (a share of another reserve).
    """

    def __init__(self, reason: str, word: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.word = word


@dataclass
class Share:
    """One share on its way to paper. ``keeper`` is a member's label, or empty for somebody who has its link."""

    number: int
    keeper: str
    token: str = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    shown: int = 0

    @property
    def is_typed_back(self) -> bool:
        return not self.words

    def forget(self) -> None:
        """It was typed back: from now on it is on paper alone."""
        self.words = ()


class ReserveInMaking:
    """The shares of one reserve until each of them was typed back."""

    def __init__(self, seed: bytes, threshold: int, keepers: Sequence[str]) -> None:
        """Split ``seed`` (32 bytes) into a share for each keeper. Raises LimitError, AuthenticationError."""
        mnemonics = split_reserve(seed, threshold, len(keepers))
        check_subsets(seed, mnemonics, threshold)
        self.threshold = threshold
        self.recipient = PqIdentity.from_seed(seed).recipient()
        self.set_id = check_share(mnemonics[0]).set_id
        self.shares = [
            Share(number, keeper, new_token(), tuple(mnemonic.split()))
            for number, (keeper, mnemonic) in enumerate(zip(keepers, mnemonics, strict=True), 1)
        ]

    @property
    def public(self) -> FoundingReserve:
        keepers = tuple(share.keeper for share in self.shares if share.keeper)
        return FoundingReserve(str(self.recipient), self.threshold, len(self.shares), keepers=keepers)

    def share_of(self, keeper: str) -> Share | None:
        return next((share for share in self.shares if share.keeper and share.keeper == keeper), None)

    def share_at(self, token: str) -> Share | None:
        """The share whose link has this token, if its keeper is none of the members."""
        wanted = hash_token(token)
        return next((each for each in self.shares if not each.keeper and hash_token(each.token) == wanted), None)

    def is_last(self, share: Share) -> bool:
        """Whether every other share was typed back."""
        return all(other.is_typed_back for other in self.shares if other is not share)

    def compare(self, share: Share, typed: str) -> None:
        """Compare what was typed from paper with the share. Raises WrongShareError."""
        words = typed.lower().split()
        if len(words) != len(share.words):
            raise WrongShareError("length")
        pairs = zip(words, share.words, strict=True)
        wrong = next((at for at, (one, other) in enumerate(pairs, 1) if not _is_word(one, other)), 0)
        if wrong:
            raise self._problem(words, wrong)

    def _problem(self, words: Sequence[str], wrong: int) -> WrongShareError:
        try:
            facts = check_share(" ".join(words))
        except ShareError:
            return WrongShareError("word", wrong)
        return WrongShareError("number" if facts.set_id == self.set_id else "reserve")


def _is_word(typed: str, word: str) -> bool:
    """Whether this is the word, or its first letters, which no other word of the list has."""
    return word.startswith(typed) and len(typed) >= PREFIX_LETTERS


def make_reserve(threshold: int, keepers: Sequence[str], random: Random = secrets.token_bytes) -> ReserveInMaking:
    """A fresh reserve. Its seed is forgotten when this returns."""
    return ReserveInMaking(random(32), threshold, keepers)


def check_subsets(seed: bytes, mnemonics: Sequence[str], threshold: int) -> None:
    """That every share opens the reserve together with its neighbours, and that too few shares don't.

    Raises AuthenticationError. Each share is in at least one of the subsets that are tried.
    """
    count = len(mnemonics)
    for start in range(count):
        subset = [mnemonics[(start + offset) % count] for offset in range(threshold)]
        if recombine_reserve(subset) != seed:
            raise AuthenticationError("the shares of the reserve do not give it back")
    try:
        recombine_reserve(mnemonics[: threshold - 1])
    except ShareError:
        return
    raise AuthenticationError("fewer shares than required open the reserve")
