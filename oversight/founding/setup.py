# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of a founding is in memory only: the setup token, and a reserve in the making.

The setup token is printed on the terminal when an office starts in which nobody has an account. Whoever holds it makes
the first account; with that it has done its work. A restart makes another one, and begins an unfinished reserve anew.
"""

import hmac
from dataclasses import dataclass, field

from oversight.founding.founding import Founding, new_token
from oversight.founding.reserve import ReserveInMaking


@dataclass
class Setup:
    """Of one running office."""

    token: str = field(default_factory=new_token, repr=False)
    reserve: ReserveInMaking | None = None

    def renew(self) -> None:
        """Another token, which nobody knows until it is announced, and no reserve.

        When the first account was made, so that its link never opens again; and when a founding was dropped.
        """
        self.token = new_token()
        self.reserve = None

    def reserve_of(self, founding: Founding) -> ReserveInMaking | None:
        """The reserve in the making, if it is the one that this founding has."""
        named = founding.reserve
        if self.reserve is None or named is None or named.recipient != str(self.reserve.recipient):
            return None
        return self.reserve

    def announce(self, origin: str) -> None:
        """Print it on the terminal only: its reader makes the first account."""
        print("There is no commission yet. Whoever opens this link makes the first account and founds one:")
        print(f"    {origin}/join/{self.token}", flush=True)

    def is_token(self, typed: str) -> bool:
        return hmac.compare_digest(self.token.encode(), typed.encode("utf-8", "replace"))
