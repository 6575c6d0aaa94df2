# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's own keys: sealed on disk to those who may open the office, open in memory while it runs.

``secrets/office.age`` is an age file to each member and, if the settings name one, to a start identity. With that
identity the office opens at its start, and collects unattended; without it, with the first member who logs in. What is
stolen with the disk alone signs nothing and opens nothing. docs/protocol.md §11.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from crypto.age import PqIdentity, PqRecipient, check_sealed_prefix, open_sealed, parse_identity_file, seal
from crypto.encoding import label
from crypto.errors import CryptoError, MalformedError
from crypto.note import SigningKey
from oversight.commission.charters import NotFoundedError, current_charter
from portal.kit.files import write_secret_file
from portal.kit.settings import SettingsError
from portal.kit.unwritable import why_unwritable

OFFICE_LABEL = "office"
KEY_BYTES = 32
_FILE = "office.age"
_FILE_OF_BEFORE = "office.key"


class OfficeLockedError(Exception):
    """The office's own keys are not open: no member has logged in since the office started."""


class OfficeKeysLostError(Exception):
    """``office.age`` is missing, is no such file, is not sealed to a member who should open it, or holds other keys."""


@dataclass(frozen=True)
class OfficeKeys:
    """Three secrets of 32 bytes: the seed of the key that signs for the office, the key of what it seals for itself,
    and the seed of the identity that reads how urgent a report is."""

    signing_seed: bytes = field(repr=False)
    record_key: bytes = field(repr=False)
    urgency_seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> "OfficeKeys":
        return cls(random(KEY_BYTES), random(KEY_BYTES), random(KEY_BYTES))

    @classmethod
    def from_bytes(cls, data: bytes) -> "OfficeKeys":
        """Read what ``to_bytes`` gives: the label ``office`` and 96 bytes. Raises MalformedError."""
        start = label(OFFICE_LABEL)
        if not data.startswith(start) or len(data) != len(start) + 3 * KEY_BYTES:
            raise MalformedError("the office's keys: not the label of an office and 96 bytes")
        return cls(*(data[place : place + KEY_BYTES] for place in range(len(start), len(data), KEY_BYTES)))

    def to_bytes(self) -> bytes:
        return label(OFFICE_LABEL) + self.signing_seed + self.record_key + self.urgency_seed

    def signing_key(self, slug: str) -> SigningKey:
        """The key that signs requests to the portal, and what the office says to it."""
        return SigningKey.from_seed(f"{slug}/{OFFICE_LABEL}", self.signing_seed)

    @property
    def urgency_identity(self) -> PqIdentity:
        """What opens ``urgency.age`` of a submission (docs/protocol.md §5.5), and nothing else."""
        return PqIdentity.from_seed(self.urgency_seed)


class OfficeSafe:
    """The office's keys, sealed in a folder (the settings' ``secrets``), and open or not in this process.

    Raises SettingsError for the folder of an earlier version, whose keys lie there in the clear.
    """

    def __init__(self, folder: Path, start: PqIdentity | None = None) -> None:
        self._path = folder / _FILE
        if (folder / _FILE_OF_BEFORE).exists():
            raise SettingsError(
                f"{folder / _FILE_OF_BEFORE} is of an earlier version, whose foundings left keys on the disk. This one "
                "does not work with that data. Found the commission anew, with OVERSIGHT_DATA in an empty folder and "
                "OVERSIGHT_DATABASE, if it is set, an empty database; what the old data holds is read with the version "
                "that made it"
            )
        self._start = start
        self._keys: OfficeKeys | None = None
        self._sealed_to: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return self._keys is not None

    @property
    def is_there(self) -> bool:
        """Whether there are sealed keys at all; without them nobody logs in."""
        return self._path.is_file()

    @property
    def is_damaged(self) -> bool:
        """Whether what is there is no sealed file. Raises OSError."""
        return not is_sealed(self._path.read_bytes())

    @property
    def keys(self) -> OfficeKeys:
        """The keys. Raises OfficeLockedError as long as nobody has opened them."""
        if self._keys is None:
            raise OfficeLockedError
        return self._keys

    def read_at_start(self) -> OfficeKeys | None:
        """The keys, if there is a start identity and they were sealed to it; whose they are is not checked."""
        if self._start is None:
            return None
        with suppress(OfficeKeysLostError):
            return self._read(self._start)
        return None

    def read_with(self, identity: PqIdentity) -> OfficeKeys:
        """The keys, as this member can open them; nothing is opened for others by it. Raises OfficeKeysLostError."""
        return self._keys or self._read(identity)

    def keep(self, keys: OfficeKeys) -> None:
        """Have these keys open from now on."""
        self._keys = keys

    def write(self, keys: OfficeKeys, members: Iterable[PqRecipient]) -> None:
        """Seal keys to these members and the start identity. Whoever could open what stood there before no longer can.

        Raises OSError.
        """
        recipients = list(members)
        start = [] if self._start is None else [self._start.recipient()]
        write_secret_file(self._path, seal(keys.to_bytes(), [*recipients, *start]))
        self._sealed_to = frozenset(str(recipient) for recipient in recipients)

    def seal_to(self, members: Iterable[PqRecipient]) -> None:
        """``write`` the open keys, unless they are sealed to these already. Raises OSError, OfficeLockedError."""
        recipients = list(members)
        if self._sealed_to != {str(recipient) for recipient in recipients}:
            self.write(self.keys, recipients)

    def forget(self) -> None:
        """Delete the keys, open and sealed: a founding that is dropped begins with others."""
        self._keys = None
        self._sealed_to = frozenset()
        self._path.unlink(missing_ok=True)

    def _read(self, identity: PqIdentity) -> OfficeKeys:
        try:
            return OfficeKeys.from_bytes(open_sealed(self._path.read_bytes(), [identity]))
        except (OSError, CryptoError) as error:
            if why_unwritable(error) is not None:
                # It is there, and can't be opened at this moment.
                raise
            raise OfficeKeysLostError from None


def is_sealed(data: bytes) -> bool:
    """Whether these bytes can be an ``office.age``. To whom it is sealed, and whether it is whole, nobody can say who
    does not open it."""
    try:
        check_sealed_prefix(data)
    except CryptoError:
        return False
    return True


async def read_office(safe: OfficeSafe, identity: PqIdentity) -> OfficeKeys:
    """``read_with``, of the keys that the charter names for the office, once there is one. Raises OfficeKeysLostError.

    An age file does not say who sealed it: whoever writes into its folder can seal keys of their own to the members.
    """
    keys = safe.read_with(identity)
    await _check_named(keys)
    return keys


async def open_at_start(safe: OfficeSafe) -> None:
    """Open with the start identity, if that can be done; the office waits for a member otherwise."""
    keys = safe.read_at_start()
    with suppress(OfficeKeysLostError):
        if keys is not None:
            await _check_named(keys)
            safe.keep(keys)


async def open_office(safe: OfficeSafe, keys: OfficeKeys) -> None:
    """Open the office, with what a member opened. The keys are sealed to the members that the charter has now.

    A disk that can't take that in stops nobody from working: it is done at the next login.
    """
    safe.keep(keys)
    with suppress(OSError, NotFoundedError):
        charter = await current_charter()
        await asyncio.to_thread(safe.seal_to, [member.recipient for member in charter.members])


async def _check_named(keys: OfficeKeys) -> None:
    with suppress(NotFoundedError):
        charter = await current_charter()
        named = keys.signing_key(charter.slug).verifier in charter.office
        if not (named and keys.urgency_identity.recipient() in charter.urgency):
            raise OfficeKeysLostError


def load_start_identity(path: Path | None) -> PqIdentity | None:
    """The start identity, from a file as ``python -m crypto keygen`` writes it. Raises SettingsError."""
    if path is None:
        return None
    try:
        identities = parse_identity_file(path.read_text(encoding="ascii"))
    except OSError as error:
        raise SettingsError(f"OVERSIGHT_START_KEY can't be read: {error.strerror}") from None
    except (ValueError, CryptoError):
        raise SettingsError("OVERSIGHT_START_KEY names no file of an identity") from None
    if len(identities) != 1 or not isinstance(identities[0], PqIdentity):
        raise SettingsError("OVERSIGHT_START_KEY must hold one identity that begins with AGE-SECRET-KEY-PQ-1")
    return identities[0]
