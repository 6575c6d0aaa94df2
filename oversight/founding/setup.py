# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of a founding is in memory only: the setup token, and a reserve in the making.

The setup token is printed on the terminal when an office starts in which nobody has an account. Whoever holds it makes
the first account; with that it has done its work. A restart makes another one, and begins an unfinished reserve anew.
"""

import hmac
from dataclasses import dataclass, field

from oversight.founding.founding import new_token
from oversight.founding.reserve import ReserveInMaking


@dataclass
class Setup:
    """Of one running office."""

    token: str = field(default_factory=new_token, repr=False)
    reserve: ReserveInMaking | None = None

    def renew(self) -> None:
        """After a founding was dropped: another token, and no reserve."""
        self.token = new_token()
        self.reserve = None

    def announce(self, origin: str) -> None:
        """Print it on the terminal only: its reader makes the first account."""
        print("There is no commission yet. Whoever opens this link makes the first account and founds one:")
        print(f"    {origin}/join/{self.token}", flush=True)

    def is_token(self, typed: str) -> bool:
        return hmac.compare_digest(self.token.encode(), typed.encode("utf-8", "replace"))
