# SPDX-License-Identifier: AGPL-3.0-or-later
"""A stranger in front of a portal under pressure, who does the work that it asks for (docs/protocol.md §7.4)."""

import hashlib

import httpx

from crypto.bundle import MEDIA_TYPE
from crypto.work import HEADER, AskedWork, do_work, read_asked_work
from tests.chance import fresh_bytes
from tests.portal.world import API, RunningPortal, digest_header


async def asked(portal: RunningPortal) -> AskedWork | None:
    answer = await portal.client.get(f"{API}/work")
    assert answer.status_code == 200
    return read_asked_work(answer.content)


async def work_for(portal: RunningPortal, path: str, body: bytes) -> dict[str, str]:
    """The headers of a request with the work that the portal asks for now."""
    wanted = await asked(portal)
    assert wanted is not None
    work = do_work(wanted, path, hashlib.sha256(body).digest(), fresh_bytes)
    return {HEADER: work.encode(), "content-digest": digest_header(body)}


async def post_bundle(portal: RunningPortal, bundle: bytes, headers: dict[str, str]) -> httpx.Response:
    more = {"content-type": MEDIA_TYPE, **headers}
    return await portal.client.post(f"{API}/submissions", content=bundle, headers=more)
