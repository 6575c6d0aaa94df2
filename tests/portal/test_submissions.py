# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bundles in, acknowledgements out (docs/protocol.md §7.2)."""

from crypto.acknowledgement import read_acknowledgement
from tests.people import PORTAL_ORIGIN, portal_key
from tests.portal.world import RunningPortal, fresh_report


async def test_a_bundle_is_accepted_and_acknowledged(portal_on: RunningPortal) -> None:
    sealed = fresh_report()
    answer = await portal_on.submit(sealed.bundle())
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "accepted"
    acknowledgement = read_acknowledgement(answer.json()["acknowledgement"].encode(), portal_key().verifier)
    acknowledgement.check(
        origin=PORTAL_ORIGIN,
        submission=sealed.manifest.submission,
        manifest_hash=sealed.manifest_hash,
        commitment=sealed.commitment,
    )
    assert acknowledgement.received == portal_on.clock().date()
