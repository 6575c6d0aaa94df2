# SPDX-License-Identifier: AGPL-3.0-or-later
"""The second factor: codes of six digits that change every 30 seconds (TOTP, RFC 6238), each of them taken once."""

import hmac
import secrets
from datetime import datetime

import pyotp

from crypto.encoding import label
from crypto.keyring import open_bytes, seal_bytes

ISSUER = "Office"
DIGITS = 6
CODE_CHARS_MAX = 64
STEP_SECONDS = 30
STEPS_AROUND = 1
"""How many steps a phone's clock may be ahead or behind."""


def new_secret() -> str:
    """A fresh secret of 160 bits, in base32 as authenticator apps take it."""
    return pyotp.random_base32(32)


def enrolment_uri(secret: str, username: str) -> str:
    """What the QR code of a member's sheet holds. It names no commission: phones show it on their screen."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def latest_step(now: datetime) -> int:
    """The last time step of which a code is taken at ``now``."""
    return int(now.timestamp()) // STEP_SECONDS + STEPS_AROUND


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step that ``code`` belongs to, of those around ``now``; None if it belongs to none.

    Whether that step was taken before is for the caller to check and to write down.
    """
    if len(code) > CODE_CHARS_MAX:
        return None
    typed = "".join(char for char in code if char.isdecimal())
    if len(typed) != DIGITS:
        return None
    generator = pyotp.TOTP(secret)
    latest = latest_step(now)
    found = None
    for step in range(latest - 2 * STEPS_AROUND, latest + 1):
        digits = generator.generate_otp(step)
        if hmac.compare_digest(digits, str(int(typed)).zfill(DIGITS)):
            found = step
    return found


def seal_secret(key: bytes, secret: str, member_label: str) -> bytes:
    """Seal a member's secret under the office's key (32 bytes) for rest in the database."""
    return seal_bytes(key, secret.encode("ascii"), _associated(member_label), secrets.token_bytes)


def open_secret(key: bytes, sealed: bytes, member_label: str) -> str:
    """Open what ``seal_secret`` made. Raises AuthenticationError or MalformedError."""
    return open_bytes(key, sealed, _associated(member_label)).decode("ascii")


def _associated(member_label: str) -> bytes:
    return label("second-factor") + member_label.encode()
