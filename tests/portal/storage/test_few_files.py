# SPDX-License-Identifier: AGPL-3.0-or-later
"""A process that may open no more files: who sends is asked to come back, and pages are served."""

from pathlib import Path

from tests.few_files import no_more_files
from tests.portal.register.test_register import portal_with_styles, until_manifest
from tests.portal.world import error_code, fresh_report

FILE = "attachment-1.age"


async def test_whatever_opens_a_file_is_asked_to_come_back_while_none_can_be_opened(tmp_path: Path) -> None:
    before, sealed = fresh_report(1000), fresh_report(1000)
    part = before.files[FILE]
    async with portal_with_styles(tmp_path) as portal:
        assert (await portal.submit(before.bundle())).status_code == 201
        fetched = f"/submissions/{before.manifest.submission}/files/{FILE}"
        # From here on nothing beside the requests opens files, or closes any.
        await until_manifest(portal)
        page = await portal.client.get("/en/findings/")
        with no_more_files():
            for answer in (
                await portal.submit(sealed.bundle()),
                await portal.put_part(sealed.manifest.submission, FILE, 0, part),
                await portal.office("GET", fetched),
            ):
                assert error_code(answer) == (503, "unavailable")
                assert int(answer.headers["retry-after"]) > 0
            assert (await portal.client.get("/en/findings/")).content == page.content
            # What opens none goes on.
            assert (await portal.submit(fresh_report().bundle())).status_code == 201
        assert (await portal.submit(sealed.bundle())).status_code == 201
        assert (await portal.office("GET", fetched)).content == part
