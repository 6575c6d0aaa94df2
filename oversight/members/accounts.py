# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging in: username, passphrase and a code of the second factor, judged together.

- One answer for every failure: it does not reveal which usernames exist.
- An unknown username costs the same derivation as a known one.
- After a few failures in a row a username has to wait, twice as long each time and never longer than five minutes;
  unknown ones too. The wait ends by itself, so that no stranger can lock a member out permanently.
"""

import asyncio
import hashlib
import secrets
import struct
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crypto.encoding import label
from crypto.errors import AuthenticationError, CryptoError, LimitError, MalformedError
from crypto.keyring import DEFAULT, Keyring, Parameters, needs_upgrade, open_keyring, seal_keyring
from oversight.commission.keys import OfficeKeys, OfficeSafe, open_office
from oversight.members.records import FailedLoginRecord, MemberRecord
from oversight.members.second_factor import matching_step, open_secret

DERIVATIONS_MAX = 2
FAILURES_FREE = 3
WAIT_SECONDS_MAX = 300
FAILURES_KEPT = timedelta(days=1)
PASSPHRASE_CHARS_MIN = 16


class LoginRefused(Exception):
    """Username, passphrase and code do not match."""


class LoginMustWait(LoginRefused):
    """Too many failures in a row; the attempt was not looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True)
class Derivations:
    """Argon2 off the event loop, few at a time: each takes tens of megabytes and a core."""

    parameters: Parameters = DEFAULT
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DERIVATIONS_MAX))

    async def open(self, sealed: bytes, passphrase: str, member_label: str) -> Keyring:
        """As ``crypto.keyring.open_keyring``; an empty or endless passphrase is a wrong one."""
        async with self.slots:
            try:
                return await asyncio.to_thread(open_keyring, sealed, passphrase, member_label)
            except (MalformedError, LimitError) as error:
                raise AuthenticationError(str(error)) from None

    async def seal(self, keyring: Keyring, passphrase: str, member_label: str) -> bytes:
        async with self.slots:
            return await asyncio.to_thread(self.seal_here, keyring, passphrase, member_label)

    def seal_here(self, keyring: Keyring, passphrase: str, member_label: str) -> bytes:
        """Seal in the running thread, for a ceremony without an event loop."""
        return seal_keyring(keyring, passphrase, member_label, self.parameters)


@dataclass(frozen=True)
class Attempt:
    """The fields of the login form."""

    username: str
    passphrase: str = field(repr=False)
    code: str = field(repr=False)


async def log_in(
    attempt: Attempt, derivations: Derivations, safe: OfficeSafe, now: datetime
) -> tuple[MemberRecord, Keyring]:
    """The member and the opened keyring; with a login the office's own keys are open too.

    Raises LoginRefused, LoginMustWait before anything was looked at, and OfficeKeysLostError.
    """
    username = fold_username(attempt.username)
    await _count_attempt(username, now)
    try:
        member, keyring, office = await _check(username, attempt, derivations, safe, now)
    except CryptoError:
        raise LoginRefused from None
    await open_office(safe, office)
    await FailedLoginRecord.filter(username_hash=_hash(username)).delete()
    if needs_upgrade(member.keyring):
        member.keyring = await derivations.seal(keyring, attempt.passphrase, member.label)
        await member.save(update_fields=["keyring"])
    return member, keyring


async def change_passphrase(member: MemberRecord, keyring: Keyring, passphrase: str, derivations: Derivations) -> None:
    """Seal the keyring again. Old backups can still be opened with the old passphrase."""
    member.keyring = await derivations.seal(keyring, passphrase, member.label)
    await member.save(update_fields=["keyring"])


def fold_username(text: str) -> str:
    """Usernames are compared without case, spaces around, or the difference of composed characters."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


async def _check(
    username: str, attempt: Attempt, derivations: Derivations, safe: OfficeSafe, now: datetime
) -> tuple[MemberRecord, Keyring, OfficeKeys]:
    member = await MemberRecord.filter(username=username).first()
    if member is None:
        await derivations.open(_decoy_keyring(derivations.parameters), attempt.passphrase, "nobody")
        raise AuthenticationError("unreachable: a decoy opens with no passphrase")
    keyring = await derivations.open(member.keyring, attempt.passphrase, member.label)
    office = safe.read_with(keyring.identity)
    secret = open_secret(office.record_key, member.second_factor, member.label)
    step = matching_step(secret, attempt.code, now)
    if step is None:
        raise AuthenticationError("another code is expected")
    # One statement takes the code, so that two logins at once with the same code can't both have it.
    if not await MemberRecord.filter(id=member.id, last_step__lt=step).update(last_step=step):
        raise AuthenticationError("the code was taken before")
    return member, keyring, office


async def _count_attempt(username: str, now: datetime) -> None:
    """Count a failure before the attempt is looked at; a success takes it back. Raises LoginMustWait.

    Counted afterwards, a thousand attempts made at once would all be looked at before the first one counted.
    """
    await FailedLoginRecord.filter(retry_at__lt=now - FAILURES_KEPT).delete()
    key = _hash(username)
    while True:
        row, _ = await FailedLoginRecord.get_or_create({"failures": 0, "retry_at": now}, username_hash=key)
        if row.retry_at > now:
            raise LoginMustWait(max(1, round((row.retry_at - now).total_seconds())))
        failures = row.failures + 1
        counted = {"failures": failures, "retry_at": now + timedelta(seconds=_wait_seconds(failures))}
        # One statement, which finds nothing when another attempt was counted in between.
        if await FailedLoginRecord.filter(username_hash=key, failures=row.failures).update(**counted):
            return


def _wait_seconds(failures: int) -> int:
    return 0 if failures < FAILURES_FREE else min(WAIT_SECONDS_MAX, 2 ** min(failures - FAILURES_FREE, 16))


def _decoy_keyring(parameters: Parameters) -> bytes:
    """Bytes of the form of a keyring (docs/protocol.md §11) that cost the same and open with nothing."""
    costs = struct.pack(">III", parameters.memory_kib, parameters.passes, parameters.lanes)
    return label("keyring") + costs + secrets.token_bytes(16 + 24 + 96 + 16)


def _hash(username: str) -> str:
    return hashlib.sha256(username.encode("utf-8", "surrogatepass")).hexdigest()
