# SPDX-License-Identifier: AGPL-3.0-or-later
"""The charters that the portal knows: accepted by their signatures, held in memory, stored in the database."""

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date

import msgspec

from crypto.charter import CHAIN_MAX, Charter, check_signed, check_successor, read_charter
from crypto.errors import CryptoError
from crypto.ids import CharterHash
from crypto.note import NOTE_BYTES_MAX, Note, VerifierKey
from crypto.person_name import check_people
from portal.api.refusals import Refusal
from portal.charters.claim import Claim, read_claim
from portal.kit.quiet_logging import describe_error
from portal.kit.shared_work import SharedWork
from portal.kit.waiting_line import WaitingLine
from portal.storage.database import transaction
from portal.storage.errors import DuplicateError
from portal.storage.records import CharterRecord, InvitationRecord

LOG = logging.getLogger("portal")
_HASH = re.compile(r"[0-9a-f]{64}")
TOKEN_BYTES = 24
CHAIN_BYTES_MAX = 8 * 1024 * 1024
"""Of all charters of a commission: everybody reads them whole."""


async def _show_any(_: Charter) -> bool:
    """A portal without pages shows every charter as well as any other."""
    return True


class Charters:
    """All charters, by hash and by commission. ``refresh`` loads those that other processes accepted.

    ``origin``, ``realm`` and ``verifier`` are the portal's own: a new charter for another portal, or one that names
    another key for the acknowledgements, is refused. Those that were taken before may name an origin of then.
    ``on_change`` is called when there are new ones; a new one is refused unless it ``can_show`` it.
    """

    def __init__(self, origin: str, realm: str, verifier: VerifierKey) -> None:
        self.origin = origin
        self.realm = realm
        self._verifier = verifier
        self._by_hash: dict[CharterHash, Charter] = {}
        self._as_json: dict[CharterHash, bytes] = {}
        self._by_slug: dict[str, list[Charter]] = {}
        self._office: dict[str, tuple[Charter, VerifierKey]] = {}
        self._unreadable: set[str] = set()
        self._sequence = 0
        self._loading = SharedWork(self._load)
        self._work = WaitingLine()
        self.on_change: Callable[[], None] = lambda: None
        self.can_show: Callable[[Charter], Awaitable[bool]] = _show_any

    def all(self) -> list[Charter]:
        return list(self._by_hash.values())

    def check_realm(self) -> None:
        """Raise ValueError when a charter that was taken names another realm: receipt codes would open nothing."""
        for charter in self.all_newest():
            if charter.realm != self.realm:
                raise ValueError(f"secrets/realm is not the realm of the charters, {charter.realm}: bring it back")

    def newest(self, slug: str) -> Charter:
        """Return the newest charter of a commission. Raises Refusal ``not-found``."""
        if slug not in self._by_slug:
            raise Refusal("not-found")
        return self._by_slug[slug][-1]

    def all_newest(self) -> list[Charter]:
        return [chain[-1] for chain in self._by_slug.values()]

    def closed(self, today: date) -> frozenset[CharterHash]:
        """Those of the newest ones that nothing can be sealed under on a day: not begun, or over."""
        newest = self.all_newest()
        return frozenset(each.hash for each in newest if not each.valid_from <= today <= each.valid_until)

    async def get(self, charter_hash: CharterHash) -> Charter:
        """The charter of this hash, also one that another process took a moment ago. Refusal ``charter-unknown``."""
        # The database is asked for nothing that can't be a charter's.
        if charter_hash not in self._by_hash and _HASH.fullmatch(charter_hash):
            await self.refresh()
        if charter_hash not in self._by_hash:
            raise Refusal("charter-unknown")
        return self._by_hash[charter_hash]

    def as_json(self, charter: Charter) -> bytes:
        """Its note as a string of JSON: the same bytes for all who ask, so that who does not read costs no memory."""
        return self._as_json[charter.hash]

    def chain(self, slug: str) -> list[Charter]:
        """All charters of a commission, from number 1."""
        return list(self._by_slug[slug])

    async def successors(self, charter_hash: CharterHash) -> list[Charter]:
        """The chain after this charter, oldest first."""
        charter = await self.get(charter_hash)
        return self._by_slug[charter.slug][charter.number :]

    def office_key(self, key_id: str) -> tuple[Charter, VerifierKey] | None:
        """The office key of this id (``short_id``), and the newest charter of the commission that names it."""
        return self._office.get(key_id)

    async def refresh(self) -> None:
        """Load the charters that were stored since the last call, once for all who ask meanwhile.

        A commission of which one can't be read is not served at all: the charter before it is not the newest, and
        nothing may be sealed to it.
        """
        await self._loading.run()

    async def _load(self) -> None:
        rows = await CharterRecord.filter(sequence__gt=self._sequence).order_by("sequence")
        for row in rows:
            try:
                charter = await asyncio.to_thread(read_charter, row.note.encode("utf-8"))
            except (OSError, MemoryError, RuntimeError):
                # Lack of files, memory or threads: it is tried again.
                raise
            except Exception as error:
                LOG.error("a stored charter can't be read, its commission is not served: %s", describe_error(error))
                self._drop(row.slug)
            else:
                self._add(charter)
            self._sequence = row.sequence
        if rows:
            self.on_change()

    async def take(self, note: bytes, invitation: str | None) -> bool:
        """Accept and store a charter; return False when it is already stored, whoever has signed this copy.

        What is cheap to refuse is refused first: a note is read only if it comes with an invitation, or with the
        signatures of those who may follow the newest charter. Raises Refusal: ``charter-invalid``,
        ``charter-conflict``, ``invitation-invalid``; and LineFullError.
        """
        claim = read_claim(note)
        if claim.hash in self._by_hash:
            return False
        self._check_portal(claim.origin, claim.realm, claim.portal)
        await self.refresh()
        if claim.hash in self._by_hash:
            return False
        previous = await self._check_place(claim, invitation)
        charter = await self._work.run(_read, note, previous)
        # Of the whole: what it claimed may have stood in another place.
        self._check_portal(charter.origin, charter.realm, str(charter.portal))
        if (charter.slug, charter.number) != (claim.slug, claim.number):
            raise Refusal("charter-invalid")
        if not await self.can_show(charter):
            raise Refusal("charter-invalid", "pages")
        try:
            await _store(charter, invitation)
        except DuplicateError:
            await self.refresh()
            if charter.hash in self._by_hash:
                return False
            raise Refusal("charter-conflict") from None
        await self.refresh()
        return True

    def _check_portal(self, origin: str, realm: str, portal: str) -> None:
        own = {"origin": (origin, self.origin), "realm": (realm, self.realm), "portal": (portal, str(self._verifier))}
        for name, (given, expected) in own.items():
            if given != expected:
                raise Refusal("charter-invalid", name)

    async def _check_place(self, claim: Claim, invitation: str | None) -> Charter | None:
        """The charter that this one says it follows; None for a first one, which has an invitation."""
        chain = self._by_slug.get(claim.slug, [])
        if claim.number <= len(chain) or claim.slug in self._unreadable:
            raise Refusal("charter-conflict")
        size = sum(len(self.as_json(each)) for each in chain)
        if len(chain) >= CHAIN_MAX or size > CHAIN_BYTES_MAX - NOTE_BYTES_MAX:
            raise Refusal("too-large", "chain")
        if not chain:
            if claim.number != 1:
                raise Refusal("charter-invalid", "number")
            await _find_invitation(claim.slug, invitation)
            return None
        if (claim.number, claim.previous) != (len(chain) + 1, chain[-1].hash):
            raise Refusal("charter-invalid", "previous")
        return chain[-1]

    def _add(self, charter: Charter) -> None:
        if charter.slug in self._unreadable:
            return
        chain = self._by_slug.setdefault(charter.slug, [])
        for key in chain[-1].office if chain else ():
            del self._office[key.short_id]
        self._office.update({key.short_id: (charter, key) for key in charter.office})
        self._by_hash[charter.hash] = charter
        self._as_json[charter.hash] = msgspec.json.encode(charter.note.decode("utf-8"))
        chain.append(charter)

    def _drop(self, slug: str) -> None:
        self._unreadable.add(slug)
        for charter in self._by_slug.pop(slug, []):
            del self._by_hash[charter.hash], self._as_json[charter.hash]
            for key in charter.office:
                self._office.pop(key.short_id, None)


async def _store(charter: Charter, invitation: str | None) -> None:
    row = CharterRecord(hash=charter.hash, slug=charter.slug, number=charter.number, note=charter.note.decode("utf-8"))
    async with transaction() as client:
        if charter.number == 1:
            await _spend(charter.slug, invitation)
        await row.save(using_db=client)


def _read(note: bytes, previous: Charter | None) -> Charter:
    """Read a charter that follows ``previous``, or is the first. Raises Refusal ``charter-invalid``."""
    if previous is not None:
        with _refused("previous"):
            # Signatures take a fraction of the time that all the rest does, and nobody else can make them.
            check_signed(Note.parse(note), previous.governors)
    with _refused(None):
        charter = read_charter(note)
    with _refused("members"):
        check_people(charter.names)
    if previous is not None:
        with _refused("previous"):
            check_successor(previous, charter)
    return charter


@contextmanager
def _refused(field: str | None) -> Iterator[None]:
    try:
        yield
    except CryptoError:
        raise Refusal("charter-invalid", field) from None


async def _find_invitation(slug: str, token: str | None) -> str:
    """The hash of an invitation that is good for this name. Raises Refusal ``invitation-invalid``."""
    given = hashlib.sha256((token or "").encode("utf-8")).hexdigest()
    for row in await InvitationRecord.filter(slug=slug):
        if hmac.compare_digest(row.token_sha256.encode(), given.encode()):
            return given
    raise Refusal("invitation-invalid")


async def _spend(slug: str, token: str | None) -> None:
    """Use up an invitation in the running transaction. Raises Refusal ``invitation-invalid``."""
    given = await _find_invitation(slug, token)
    if not await InvitationRecord.filter(token_sha256=given).delete():
        raise Refusal("invitation-invalid")


async def invite(slug: str) -> str:
    """Return a new invitation for a commission's first charter. The database stores only its hash."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    async with transaction() as client:
        row = InvitationRecord(token_sha256=hashlib.sha256(token.encode("utf-8")).hexdigest(), slug=slug)
        await row.save(using_db=client, force_create=True)
    return token
