# SPDX-License-Identifier: AGPL-3.0-or-later
"""A process that may open no more files: who sends is asked to come back, and pages are served."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.portal.register.test_register import portal_with_styles
from tests.portal.world import error_code, fresh_report


async def test_a_report_is_asked_to_come_back_while_no_file_can_be_opened(tmp_path: Path) -> None:
    sealed = fresh_report(1000)
    async with portal_with_styles(tmp_path) as portal:
        # From here on nothing beside the requests opens files.
        page = await portal.client.get("/en/findings/")
        with no_more_files():
            assert error_code(await portal.submit(sealed.bundle())) == (503, "unavailable")
            assert (await portal.client.get("/en/findings/")).content == page.content
        assert (await portal.submit(sealed.bundle())).status_code == 201


@contextmanager
def no_more_files() -> Iterator[None]:
    """Every file that this process may open is open."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    taken = []
    try:
        with pytest.raises(OSError, match="Too many"):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
