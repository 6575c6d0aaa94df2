# SPDX-License-Identifier: AGPL-3.0-or-later
"""Serves only the reporter's pages, on loopback; refuses everything that they send."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from crypto.questionnaire import Questionnaire, read_questionnaire
from portal.kit.assets import load_assets
from portal.kit.headers import REPORTER_CSP, SecurityHeaders
from portal.pages import SiteEndpoint, build_site
from tests.conftest import ROOT
from tests.people import LANGUAGES, found_test_commission

LEAVE_PATH = "/elsewhere"


@dataclass(frozen=True)
class PageSettings:
    origin: str
    leave_url: str


def full_questionnaire() -> Questionnaire:
    """The questionnaire that an office begins with."""
    value = json.loads((ROOT / "oversight" / "questionnaires" / "default.json").read_text())
    return read_questionnaire(value, LANGUAGES)


@contextmanager
def serve_pages(dist: Path = ROOT / "static" / "dist") -> Iterator[str]:
    """Serve the pages of one commission with the full questionnaire; gives the origin."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        world = found_test_commission(origin, questionnaire=full_questionnaire())
        settings = PageSettings(origin, "https://www.wikipedia.org/")
        site = build_site([world.charter], settings, load_assets(dist), world.charter.realm)
        app = SecurityHeaders(SiteEndpoint(site), REPORTER_CSP, https=False)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.01)
        try:
            yield origin
        finally:
            server.should_exit = True
            thread.join(10)
