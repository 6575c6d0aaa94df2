# SPDX-License-Identifier: AGPL-3.0-or-later
"""What holds for every parser: it refuses as is documented, and what it has read is written the same again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from crypto.errors import CryptoError, MalformedError
from tests.fuzz.alterations import Alter


@dataclass(frozen=True)
class Parser:
    """``inputs`` are valid ones; each ``alter`` of them is as likely as the others.

    ``read`` raises ``refusals`` and nothing else. Where a format has one spelling for each value, ``write`` gives it.
    """

    name: str
    inputs: Sequence[bytes]
    alter: Sequence[Alter]
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes] | None = None
    refusals: tuple[type[Exception], ...] = (CryptoError,)

    def fault(self, data: bytes) -> str | None:
        """What is wrong with how this input is taken; ``None`` when it is read or refused as it should be."""
        try:
            value = self.read(data)
        except self.refusals:
            return None
        except Exception as error:
            return f"raised {error!r}"
        if self.write is not None:
            try:
                again = self.write(value)
            except Exception as error:
                return f"read what can't be written: {error!r}"
            if again != data:
                return f"wrote something else again: {again.hex()}"
        return None

    def accepts(self, data: bytes) -> bool:
        try:
            self.read(data)
        except self.refusals:
            return False
        return True

    def altered(self, chance: Random) -> bytes:
        return chance.choice(self.alter)(chance, chance.choice(self.inputs))


def as_text(read: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """A reader of text as one of bytes: what is no UTF-8 reached no reader."""

    def read_bytes(data: bytes) -> Any:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedError("not UTF-8") from None
        return read(text)

    return read_bytes


def shortest(data: bytes, is_at_fault: Callable[[bytes], bool], tries: int = 2000) -> bytes:
    """A shorter input that still is at fault, by leaving pieces out, the longest first."""
    size = len(data) // 2
    while size and tries:
        at = 0
        while at < len(data) and tries:
            tries -= 1
            without = data[:at] + data[at + size :]
            if is_at_fault(without):
                data = without
            else:
                at += size
        size //= 2
    return data
