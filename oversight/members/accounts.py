# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging in: username, passphrase and a code of the second factor, judged together.

- One answer for every failure: it does not reveal which usernames exist.
- An unknown username costs the same derivation as a known one, and so does one whose keyring is broken.
- After a few failures a username has to wait (``failed_logins``), unknown ones too. No stranger makes a member wait who
  comes with a browser that is known: it has a count and a turn at the derivations of its own.
- Strangers stand in a short line (``portal.kit.waiting_line``). Who finds it full is told so at once, before all else.
"""

import asyncio
import secrets
import struct
from dataclasses import dataclass, field
from datetime import datetime

from tortoise.expressions import Q

from crypto.encoding import label
from crypto.errors import AuthenticationError, CryptoError, LimitError, MalformedError
from crypto.folding import normalize
from crypto.keyring import DEFAULT, Keyring, Parameters, needs_upgrade, open_keyring, seal_keyring
from oversight.commission.keys import OfficeKeys, OfficeSafe, open_office, read_office
from oversight.members.failed_logins import FailedAttempt, LoginRefused, count_known, count_stranger
from oversight.members.records import MemberRecord
from oversight.members.second_factor import latest_step, matching_step, open_secret
from portal.kit.database import forget_deleted
from portal.kit.waiting_line import WaitingLine

DERIVATIONS_MAX = 1
"""Of strangers. Each runs in four lanes, on every core: two at once are no sooner done, and slow members down more."""
WAITING_MAX = 7
"""Behind it: the last one waits for the time of eight derivations, about two seconds."""
USERNAME_CHARS_MAX = 64


class AccountBroken(LoginRefused):
    """What is stored of the member's keys can't be read. Said to nobody but a known browser of the member."""


@dataclass(frozen=True)
class Derivations:
    """Argon2 off the event loop, few at a time: each takes tens of megabytes and a core.

    Strangers stand in one line. Whoever has logged in before has a turn beside it, so as not to stand behind them.
    """

    parameters: Parameters = DEFAULT
    strangers: WaitingLine = field(default_factory=lambda: WaitingLine(DERIVATIONS_MAX, WAITING_MAX))
    members_turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def open(self, sealed: bytes, passphrase: str, member_label: str, *, stranger: bool = False) -> Keyring:
        """As ``crypto.keyring.open_keyring``; an empty or endless passphrase is a wrong one."""
        async with self.strangers.turn if stranger else self.members_turn:
            try:
                return await asyncio.to_thread(open_keyring, sealed, passphrase, member_label)
            except (MalformedError, LimitError) as error:
                raise AuthenticationError(str(error)) from None

    async def seal(self, keyring: Keyring, passphrase: str, member_label: str) -> bytes:
        async with self.members_turn:
            return await asyncio.to_thread(self.seal_here, keyring, passphrase, member_label)

    def seal_here(self, keyring: Keyring, passphrase: str, member_label: str) -> bytes:
        """Seal in the running thread, where there is no event loop."""
        return seal_keyring(keyring, passphrase, member_label, self.parameters)


@dataclass(frozen=True)
class Attempt:
    """The fields of the login form, and the token of the browser that sent it (``known_browsers``), if it has one."""

    username: str
    passphrase: str = field(repr=False)
    code: str = field(repr=False)
    browser: bytes = field(default=b"", repr=False)


async def log_in(
    attempt: Attempt, derivations: Derivations, safe: OfficeSafe, now: datetime
) -> tuple[MemberRecord, Keyring]:
    """The member and the opened keyring; with a login the office's own keys are open too.

    Raises LoginRefused, LoginMustWait or LineFullError before anything was looked at, AccountBroken, or
    OfficeKeysLostError.
    """
    username = fold_username(attempt.username)
    attempted = await count_known(username, attempt.browser, now)
    if attempted is not None:
        return await _log_in(attempt, attempted, derivations, safe, now)
    # Before it is counted: whoever was not looked at has not failed.
    with derivations.strangers.place():
        attempted = await count_stranger(username, now)
        return await _log_in(attempt, attempted, derivations, safe, now)


async def _log_in(
    attempt: Attempt, attempted: FailedAttempt, derivations: Derivations, safe: OfficeSafe, now: datetime
) -> tuple[MemberRecord, Keyring]:
    try:
        member, keyring, office = await _check(attempt, derivations, safe, now, known=attempted.known)
    except CryptoError:
        raise LoginRefused from None
    await open_office(safe, office)
    await attempted.take_back()
    if needs_upgrade(member.keyring):
        await change_passphrase(member, keyring, attempt.passphrase, derivations)
    return member, keyring


async def change_passphrase(member: MemberRecord, keyring: Keyring, passphrase: str, derivations: Derivations) -> bool:
    """Seal the keyring again; False, and nothing done, if it was sealed again by somebody else in the meantime.

    Old backups can still be opened with the old passphrase.
    """
    before = member.keyring
    member.keyring = await derivations.seal(keyring, passphrase, member.label)
    changed = bool(await MemberRecord.filter(id=member.id, keyring=before).update(keyring=member.keyring))
    await forget_deleted()
    return changed


def fold_username(text: str) -> str:
    """Usernames are compared without case, spaces around, or the difference of composed characters.

    What is longer than any username is cut, before it is normalised too.
    """
    whole = normalize("NFKC", text[: 4 * USERNAME_CHARS_MAX])
    return whole.strip().casefold()[:USERNAME_CHARS_MAX]


def keys_are_broken(member: MemberRecord) -> bool:
    """Whether the stored keyring has not even the form of one."""
    try:
        needs_upgrade(member.keyring)
    except CryptoError:
        return True
    return False


async def _check(
    attempt: Attempt, derivations: Derivations, safe: OfficeSafe, now: datetime, *, known: bool
) -> tuple[MemberRecord, Keyring, OfficeKeys]:
    member = await MemberRecord.filter(username=fold_username(attempt.username)).first()
    broken = member is not None and keys_are_broken(member)
    if broken and known:
        raise AccountBroken
    if member is None or broken:
        decoy = _decoy_keyring(derivations.parameters)
        await derivations.open(decoy, attempt.passphrase, "nobody", stranger=True)
        raise AuthenticationError("unreachable: a decoy opens with no passphrase")
    keyring = await derivations.open(member.keyring, attempt.passphrase, member.label, stranger=not known)
    office = await read_office(safe, keyring.identity)
    secret = open_secret(office.record_key, member.second_factor, member.label)
    step = matching_step(secret, attempt.code, now)
    if step is None:
        raise AuthenticationError("another code is expected")
    # A step ahead of every code of now was taken under a wrong clock, and must not refuse codes until that time comes.
    free = Q(last_step__lt=step) | Q(last_step__gt=latest_step(now))
    # One statement takes the code, so that two logins at once with the same code can't both have it.
    if not await MemberRecord.filter(free, id=member.id).update(last_step=step):
        raise AuthenticationError("the code was taken before")
    return member, keyring, office


def _decoy_keyring(parameters: Parameters) -> bytes:
    """Bytes of the form of a keyring (docs/protocol.md §11) that cost the same and open with nothing."""
    costs = struct.pack(">III", parameters.memory_kib, parameters.passes, parameters.lanes)
    return label("keyring") + costs + secrets.token_bytes(16 + 24 + 96 + 16)
