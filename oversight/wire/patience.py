# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long an answer may keep somebody waiting, and several answers that belong together."""

from dataclasses import dataclass

from oversight.wire.portal_errors import PortalUnreachable

# Of silence in all, beyond what the bytes take at the slowest rate.
SECONDS = 30.0
SLOWEST_BYTES_PER_SECOND = 8 * 1024
# What a piece costs however short it is: pieces of fewer than 128 bytes are slow even if they all lie ready.
PIECE_SECONDS = 128 / SLOWEST_BYTES_PER_SECOND


@dataclass
class Patience:
    """``seconds`` of waiting beyond what the bytes take; with fewer of them, the bytes too must come the faster.

    With all SECONDS the slowest rate is SLOWEST_BYTES_PER_SECOND, with half of them it is twice that.
    """

    seconds: float = SECONDS
    waited: float = 0.0
    received: int = 0

    @property
    def is_short(self) -> bool:
        """Whether somebody with all SECONDS might have waited longer."""
        return self.seconds < SECONDS

    @property
    def left(self) -> float:
        """Of waiting, before the next piece is slow. However much came soon, no silence is longer than ``seconds``."""
        return min(self.seconds, self._allowed - self.waited)

    @property
    def _allowed(self) -> float:
        return self.seconds * (1 + self.received / (SECONDS * SLOWEST_BYTES_PER_SECOND))

    def wait(self, seconds: float, received: int = 0) -> None:
        """``received`` bytes came, in one piece, after so many seconds.

        Raises PortalUnreachable (``slow``) when that was too long.
        """
        self.waited += seconds + (PIECE_SECONDS if received else 0)
        if self.waited > self._allowed:
            raise PortalUnreachable("the portal answers too slowly", "slow")
        self.received += received
