# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which work was used already, in memory that does not grow (docs/protocol.md §7.4)."""

# One bit in 2²² for each work. The portal takes in about a thousand requests a second: of two periods that is one
# bit in twenty, so at worst one honest work in twenty is made again.
BITS = 1 << 22


class UsedWork:
    """Bits of the works of the period that runs and the one before: 1 MiB, and nothing before the first work."""

    def __init__(self) -> None:
        self._periods: dict[int, bytearray] = {}

    def use(self, period: int, seed: bytes) -> bool:
        """Note the work of this period and seed as used; false if it was, or passes for one that was."""
        if period not in self._periods:
            self._periods = {kept: bits for kept, bits in self._periods.items() if abs(kept - period) == 1}
            self._periods[period] = bytearray(BITS // 8)
        place, bit = _place(seed)
        bits = self._periods[period]
        if bits[place] & bit:
            return False
        bits[place] |= bit
        return True

    def give_back(self, period: int, seed: bytes) -> None:
        """The work can be used after all."""
        place, bit = _place(seed)
        if period in self._periods:
            self._periods[period][place] &= ~bit


def _place(seed: bytes) -> tuple[int, int]:
    number = int.from_bytes(seed[:4], "big") % BITS
    return number >> 3, 1 << (number & 7)
