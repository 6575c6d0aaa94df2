# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follow-ups on their way to an office, and the receipts after which they go (docs/protocol.md §9.3, §10)."""

from collections.abc import Sequence

from crypto.ids import MessageId
from crypto.mailbox_change import MailboxChange
from crypto.message import message_id
from crypto.note import SigningKey
from portal.storage.records import FollowUpRecord
from tests.people import found_test_commission
from tests.portal.threads import receipt, start_thread, waiting
from tests.portal.world import RunningPortal, another, error_code, publish, sealed_report

PATH = "/follow-ups/collection"
GRACE_DAYS = 7


async def confirm(portal: RunningPortal, messages: Sequence[MessageId]) -> None:
    answer = await portal.office("POST", PATH, receipt(list(messages), portal.world.office_key))
    assert answer.status_code == 200, answer.text


def sent(change: MailboxChange) -> MessageId:
    assert change.follow_up is not None
    return message_id(change.follow_up)


async def pass_grace(portal: RunningPortal) -> None:
    portal.clock.pass_days(GRACE_DAYS)
    await portal.sweep()


async def test_a_confirmed_follow_up_goes_after_the_grace_and_no_other(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    first, second, third = [sent(await thread.send(str(number))) for number in range(3)]
    await confirm(portal_on, [second])
    portal_on.clock.pass_days(GRACE_DAYS - 1)
    await portal_on.sweep()
    assert await waiting(portal_on) == [first, second, third]
    portal_on.clock.pass_days(1)
    await portal_on.sweep()
    assert await waiting(portal_on) == [first, third]


async def test_a_receipt_that_comes_again_does_not_prolong_the_grace(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    message = sent(await thread.send())
    await confirm(portal, [message])
    portal.clock.pass_days(GRACE_DAYS)
    await confirm(portal, [message])
    await portal.sweep()
    assert await waiting(portal) == []
    await confirm(portal, [message])


async def test_no_receipt_deletes_what_it_does_not_name(portal: RunningPortal) -> None:
    """A request with ``up_to`` once deleted everything up to a number, a waiting message about retaliation too."""
    thread = await start_thread(portal)
    message = sent(await thread.send("They threatened my brother."))
    refused = [
        b'{"up_to":9007199254740992}',
        b'{"messages":["*"]}',
        b"",
        b"not a note",
        receipt([MessageId("00" * 16)], portal.world.office_key).replace(b"00" * 16, b"*"),
    ]
    for body in refused:
        assert error_code(await portal.office("POST", PATH, body)) == (400, "malformed-request")
    await confirm(portal, [MessageId("00" * 16), MessageId("ff" * 16)])
    await pass_grace(portal)
    assert await waiting(portal) == [message]


async def test_a_receipt_by_another_key_or_for_another_portal_is_refused(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    message = sent(await thread.send())
    stranger = SigningKey.generate(f"{portal.world.slug}/office")
    for note in (
        receipt([message], stranger),
        receipt([message], portal.world["amina"].signing_key),
        receipt([message], portal.world.office_key, realm="ab" * 16),
    ):
        assert error_code(await portal.office("POST", PATH, note)) == (400, "malformed-request")
    await pass_grace(portal)
    assert await waiting(portal) == [message]


async def test_a_receipt_that_names_another_commissions_follow_up_leaves_it(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    await portal.submit(another(sealed_report(), charter=other.charter.hash).bundle())
    thread = await start_thread(portal)
    message = sent(await thread.send())
    answer = await portal.office("POST", PATH, receipt([message], other.office_key), other.office_key)
    assert answer.status_code == 200
    await pass_grace(portal)
    assert await waiting(portal) == [message]
    assert (await portal.office("GET", "/follow-ups?after=0", key=other.office_key)).json()["follow_ups"] == []


async def test_a_sequence_is_not_given_again_after_a_deletion(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    message = sent(await thread.send())
    (first,) = (await portal_on.office("GET", "/follow-ups?after=0")).json()["follow_ups"]
    await confirm(portal_on, [message])
    await pass_grace(portal_on)
    with portal_on.database.use():
        assert await FollowUpRecord.all().count() == 0
    await thread.send("another")
    page = await portal_on.office("GET", f"/follow-ups?after={first['sequence']}")
    assert len(page.json()["follow_ups"]) == 1
