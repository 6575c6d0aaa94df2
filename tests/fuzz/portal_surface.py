# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every route of the portal, asked as reporters, offices and strangers ask, and as nobody should."""

import hashlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from random import Random

from starlette.routing import BaseRoute, Mount, Route

from crypto.bundle import MEDIA_TYPE, write_bundle
from crypto.collection import Collection
from crypto.encoding import encode_base64, encode_json
from crypto.finding import read_finding
from crypto.manifest import STATE_FILE, SealedFile
from crypto.message import message_id
from crypto.publication import Publication
from tests.conftest import ROOT
from tests.findings import draft_finding, sign_finding
from tests.fuzz.alterations import Alter, alter_bytes, alter_json, alter_lines, signed_again, swell
from tests.fuzz.asgi import Call, alter_call, fault_of
from tests.people import NOW, PORTAL_ORIGIN, REALM, portal_key
from tests.portal.office_api.request_signer import RequestSigner
from tests.portal.threads import Thread, announcement, follow_up_change, newest_note, receipt, reply_body, start_thread
from tests.portal.world import API, RunningPortal, digest_header, fresh_report, running_portal

OFFICE = f"{API}/office"
JSON: tuple[Alter, ...] = (alter_json(), alter_json(), alter_json(), alter_bytes, swell)
NOTE: tuple[Alter, ...] = (alter_lines, alter_bytes, swell)
BUNDLE: tuple[Alter, ...] = (alter_bytes, swell)


@dataclass(frozen=True)
class Way:
    """One way to ask: a valid request, how its body may be altered, and whether an office signs it."""

    make: Callable[[Random], Call]
    alter: Sequence[Alter] = (alter_bytes,)
    is_signed: bool = False


@dataclass
class PortalSurface:
    """A running portal with a report and its thread; ``asked`` are the routes that were."""

    portal: RunningPortal
    thread: Thread
    state: bytes
    acknowledgement: str
    asked: set[str] = field(default_factory=set)

    @cached_property
    def ways(self) -> dict[str, Way]:
        submission = self.thread.sealed.manifest.submission
        world, path = self.portal.world, f"{OFFICE}{self.thread.path}"
        notes = [{"submission": submission, "number": 1, "sealed": encode_base64(self.thread.note(1))}]
        reply = self.thread.reply()
        body = reply_body(self.thread.posting(1, reply), reply, 1, self.thread.note(1), 0)
        manifest = self.thread.sealed.manifest_hash
        collection = Collection(REALM, submission, manifest, NOW.date()).sign(world.office_key).encode()
        finding = signed_again(alter_json(), [person.signing_key for person in world.people])
        held = receipt([message_id(b"a follow-up")], world.office_key)
        visit = {"process": "ab" * 16, "mark": None}
        control = follow_up_change(self.thread.secrets, self.state, "again").control.encode()
        return {
            "POST /submissions": Way(self._submission, BUNDLE),
            "PUT /uploads/{submission}/{file}/{index}": Way(self._part),
            "GET /uploads/{submission}": Way(lambda chance: _get(f"{API}/uploads/{submission}")),
            "DELETE /uploads/{submission}": Way(lambda chance: Call(b"DELETE", f"{API}/uploads/{submission}".encode())),
            "POST /mailbox": Way(self._ask, JSON),
            "POST /mailbox/changes": Way(self._change, JSON),
            "GET /portal": Way(lambda chance: _get(f"{API}/portal")),
            "GET /work": Way(lambda chance: _get(f"{API}/work")),
            "POST /charters": Way(lambda chance: _post(f"{API}/charters", world.charter.note), NOTE),
            "GET /charters/{hash}": Way(lambda chance: _get(f"{API}/charters/{world.charter.hash}")),
            "GET /charters/{hash}/chain": Way(lambda chance: _get(f"{API}/charters/{world.charter.hash}/chain")),
            "GET /charters/{hash}/successors": Way(lambda _: _get(f"{API}/charters/{world.charter.hash}/successors")),
            "GET /commissions/{slug}/charter": Way(lambda chance: _get(f"{API}/commissions/{world.slug}/charter")),
            "GET /office/submissions": _signed(_get(f"{OFFICE}/submissions?after=0")),
            "GET /office/submissions/{submission}/files/{name}": _signed(_get(f"{path}/files/report.age")),
            "POST /office/submissions/{submission}/collection": _signed(_post(f"{path}/collection", collection), NOTE),
            "POST /office/submissions/{submission}/replies": _signed(_post(f"{path}/replies", body), JSON),
            "GET /office/submissions/{submission}/thread": _signed(_get(f"{path}/thread")),
            "POST /office/submissions/{submission}/control": _signed(_post(f"{path}/control", control), NOTE),
            "POST /office/threads": _signed(_post(f"{OFFICE}/threads", encode_json({"threads": notes})), JSON),
            "GET /office/follow-ups": _signed(_get(f"{OFFICE}/follow-ups?after=0")),
            "POST /office/follow-ups/collection": _signed(_post(f"{OFFICE}/follow-ups/collection", held), NOTE),
            "POST /office/visits": _signed(_post(f"{OFFICE}/visits", encode_json(visit)), JSON),
            "POST /office/visits/end": _signed(_post(f"{OFFICE}/visits/end", encode_json(visit)), JSON),
            "GET /office/holdings": _signed(_get(f"{OFFICE}/holdings?after=0")),
            "GET /office/submissions/{submission}/mailbox": _signed(_get(f"{path}/mailbox")),
            "POST /office/submissions/{submission}/announcement": _signed(
                _post(f"{path}/announcement", encode_json(announcement(self.thread, self.acknowledgement))), JSON
            ),
            "GET /office/problems": _signed(_get(f"{OFFICE}/problems")),
            "GET /office/controls": _signed(_get(f"{OFFICE}/controls?after=0")),
            "POST /office/newest-charter": _signed(_post(f"{OFFICE}/newest-charter", newest_note(self.portal)), NOTE),
            "GET /office/findings": _signed(_get(f"{OFFICE}/findings")),
            "POST /office/findings/again": _signed(_post(f"{OFFICE}/findings/again", self._again()), JSON),
            "POST /office/findings": _signed(_post(f"{OFFICE}/findings", self._finding()), (*NOTE, finding, finding)),
            "GET a page": Way(lambda chance: _get(chance.choice(PAGES))),
        }

    async def fault(self, name: str, chance: Random) -> tuple[bytes, str] | None:
        """Ask in this way, altered; return what was asked and what is wrong with the answer."""
        way = self.ways[name]
        call = alter_call(chance, way.make(chance), way.alter)
        if way.is_signed and chance.random() < 0.8:
            call = self.sign(call)
        found = await fault_of(self.portal.app, call, stays=chance.random() < 0.95)
        self.asked.add(name)
        return found and (call.encode(), found)

    async def again(self, data: bytes) -> str | None:
        """The same request once more, signed anew where it has a signature."""
        call = Call.decode(data)
        return await fault_of(self.portal.app, self.sign(call) if _has_signature(call) else call)

    async def still_serves(self) -> bool:
        """Whether a reporter's report is still taken, and its office still told."""
        report = fresh_report()
        taken = await self.portal.submit(report.bundle())
        listed = await self.portal.office("GET", "/submissions?after=0")
        return taken.status_code == 201 and listed.status_code == 200

    def sign(self, call: Call) -> Call:
        signer = RequestSigner(self.portal.world.office_key, self.portal.clock)
        body = None if call.method == b"GET" else call.body
        target = PORTAL_ORIGIN + call.target.decode("latin-1")
        try:
            headers = signer.headers(call.method.decode("latin-1").upper(), target, body)
        except Exception:  # what the library does not sign goes out unsigned
            return call
        for name, value in headers.items():
            call = call.with_header(name.lower().encode(), value.encode())
        return call

    def _submission(self, chance: Random) -> Call:
        """A bundle in whose files something is altered, with hashes and sizes that are right again."""
        sealed = fresh_report()
        files = dict(sealed.files)
        if chance.random() < 0.5:
            name = chance.choice([*files])
            files[name] = chance.choice((alter_bytes, swell))(chance, files[name])
        entries = tuple(
            SealedFile(name, len(data), hashlib.sha256(data).hexdigest())
            for name, data in files.items()
            if name != STATE_FILE
        )
        body = sealed.bundle()
        if files != sealed.files:
            try:
                manifest = replace(sealed.manifest, files=entries).encode()
                state_first = [(STATE_FILE, files[STATE_FILE]), *((each.name, files[each.name]) for each in entries)]
                body = write_bundle(manifest, sealed.commitment, state_first)
            except Exception:  # what can't be written is sent as it was
                body = sealed.bundle()
        return _post(f"{API}/submissions", body).with_header(b"content-type", MEDIA_TYPE.encode())

    def _part(self, chance: Random) -> Call:
        data = b"p" * chance.choice((0, 1, 100, 70_000))
        path = f"{API}/uploads/{self.thread.sealed.manifest.submission}/attachment-1.age/{chance.randrange(3)}"
        return Call(b"PUT", path.encode(), ((b"content-digest", digest_header(data).encode()),), data)

    def _ask(self, chance: Random) -> Call:
        secrets = self.thread.secrets
        ask = {"mailbox": secrets.mailbox_id, "token": secrets.token.hex(), "after": chance.choice((0, 1, 2**31))}
        return _post(f"{API}/mailbox", encode_json(ask))

    def _change(self, chance: Random) -> Call:
        what = chance.choice(("once", "more", "\0", "e\u0301"))
        return _post(f"{API}/mailbox/changes", follow_up_change(self.thread.secrets, self.state, what).encode())

    def _finding(self) -> bytes:
        return sign_finding(self.portal.world, draft_finding(self.portal.world))

    def _again(self) -> bytes:
        note = self._finding()
        finding = read_finding(note, self.portal.world.charter)
        taken = Publication(REALM, finding.id, finding.revision, finding.hash).sign(portal_key()).encode()
        return encode_json({"finding": note.decode(), "receipt": taken.decode()})


STATIC = ROOT / "static" / "dist"
PAGES = (*("/", "/report", "/return", "/findings", "/findings/x", "/assets/x.js", "/en/", "/ar/report", "/x"),)


def routes_of(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[str]:
    """The routes of an application as ``GET /path``."""
    for route in routes:
        if isinstance(route, Route):
            yield from (f"{method} {prefix}{route.path}" for method in sorted(route.methods or ()) if method != "HEAD")
        elif isinstance(route, Mount):
            yield from routes_of(route.routes, prefix + route.path)


@asynccontextmanager
async def portal_surface(folder: Path, database: str = "") -> AsyncIterator[PortalSurface]:
    if STATIC.is_dir():
        shutil.copytree(STATIC, folder / "nothing")
    async with running_portal(folder, database) as portal:
        thread = await start_thread(portal)
        shown = await thread.read()
        assert shown.acknowledgement is not None
        yield PortalSurface(portal, thread, shown.state, shown.acknowledgement)


def _get(path: str) -> Call:
    return Call(b"GET", path.encode())


def _post(path: str, body: bytes) -> Call:
    return Call(b"POST", path.encode(), (), body)


def _signed(call: Call, alter: Sequence[Alter] = (alter_bytes,)) -> Way:
    return Way(lambda chance: call, alter, is_signed=True)


def _has_signature(call: Call) -> bool:
    return any(name == b"signature" for name, _ in call.headers)
