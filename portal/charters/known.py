# SPDX-License-Identifier: AGPL-3.0-or-later
"""The charters that the portal knows: accepted by their signatures, held in memory, stored in the database."""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from crypto.charter import Charter, check_successor, read_charter
from crypto.errors import CryptoError
from crypto.ids import CharterHash
from crypto.note import VerifierKey
from crypto.person_name import MemberNameError, check_people
from portal.api.refusals import Refusal
from portal.storage.database import transaction
from portal.storage.errors import DuplicateError
from portal.storage.records import CharterRecord, InvitationRecord

TOKEN_BYTES = 24


class Charters:
    """All charters, by hash and by commission. ``refresh`` loads those that other processes accepted.

    ``origin``, ``realm`` and ``verifier`` are the portal's own: a new charter for another portal, or one that names
    another key for the acknowledgements, is refused. Those that were taken before may name an origin of then.
    """

    def __init__(self, origin: str, realm: str, verifier: VerifierKey) -> None:
        self.origin = origin
        self.realm = realm
        self._verifier = verifier
        self._by_hash: dict[CharterHash, Charter] = {}
        self._by_slug: dict[str, list[Charter]] = {}
        self._sequence = 0
        self.on_change: Callable[[], None] = lambda: None

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

    async def get(self, charter_hash: CharterHash) -> Charter:
        """The charter of this hash, also one that another process took a moment ago. Refusal ``charter-unknown``."""
        if charter_hash not in self._by_hash:
            await self.refresh()
        if charter_hash not in self._by_hash:
            raise Refusal("charter-unknown")
        return self._by_hash[charter_hash]

    def chain(self, slug: str) -> list[Charter]:
        """All charters of a commission, from number 1."""
        return list(self._by_slug[slug])

    async def successors(self, charter_hash: CharterHash) -> list[Charter]:
        """The chain after this charter, oldest first."""
        charter = await self.get(charter_hash)
        return self._by_slug[charter.slug][charter.number :]

    async def refresh(self) -> None:
        """Load the charters that were stored since the last call."""
        rows = await CharterRecord.filter(sequence__gt=self._sequence).order_by("sequence")
        for row in rows:
            self._add(read_charter(row.note.encode("utf-8")))
            self._sequence = row.sequence
        if rows:
            self.on_change()

    async def take(self, note: bytes, invitation: str | None) -> bool:
        """Accept and store a charter; return False when it is already stored.

        Raises Refusal: ``charter-invalid``, ``charter-conflict``, ``invitation-invalid``.
        """
        charter = self._read(note)
        await self.refresh()
        if charter.hash in self._by_hash:
            return False
        chain = self._by_slug.get(charter.slug, [])
        if charter.number <= len(chain):
            raise Refusal("charter-conflict")
        if charter.number > 1:
            self._check_chain(chain, charter)
        try:
            await _store(charter, invitation)
        except DuplicateError:
            await self.refresh()
            if charter.hash in self._by_hash:
                return False
            raise Refusal("charter-conflict") from None
        await self.refresh()
        return True

    def _read(self, note: bytes) -> Charter:
        try:
            charter = read_charter(note)
        except CryptoError:
            raise Refusal("charter-invalid") from None
        try:
            check_people(charter.names)
        except MemberNameError:
            raise Refusal("charter-invalid", "members") from None
        if charter.origin != self.origin:
            raise Refusal("charter-invalid", "origin")
        if charter.realm != self.realm:
            raise Refusal("charter-invalid", "realm")
        if charter.portal != self._verifier:
            raise Refusal("charter-invalid", "portal")
        return charter

    def _check_chain(self, chain: list[Charter], charter: Charter) -> None:
        if not chain:
            raise Refusal("charter-invalid", "number")
        try:
            check_successor(chain[-1], charter)
        except CryptoError:
            raise Refusal("charter-invalid", "previous") from None

    def _add(self, charter: Charter) -> None:
        self._by_hash[charter.hash] = charter
        self._by_slug.setdefault(charter.slug, []).append(charter)


async def _store(charter: Charter, invitation: str | None) -> None:
    row = CharterRecord(hash=charter.hash, slug=charter.slug, number=charter.number, note=charter.note.decode("utf-8"))
    async with transaction() as client:
        if charter.number == 1:
            await _spend(charter.slug, invitation)
        await row.save(using_db=client)


async def _spend(slug: str, token: str | None) -> None:
    """Use up an invitation in the running transaction. Raises Refusal ``invitation-invalid``."""
    given = hashlib.sha256((token or "").encode("utf-8")).hexdigest()
    for row in await InvitationRecord.filter(slug=slug):
        if hmac.compare_digest(row.token_sha256, given) and await InvitationRecord.filter(token_sha256=given).delete():
            return
    raise Refusal("invitation-invalid")


async def invite(slug: str) -> str:
    """Return a new invitation for a commission's first charter. The database stores only its hash."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    async with transaction() as client:
        row = InvitationRecord(token_sha256=hashlib.sha256(token.encode("utf-8")).hexdigest(), slug=slug)
        await row.save(using_db=client, force_create=True)
    return token
