# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was used is known for two periods, in memory that does not grow."""

import tracemalloc

from portal.api.used_work import BITS, UsedWork
from tests.chance import fresh_bytes

PERIOD = 14_000_000


def test_work_is_used_once() -> None:
    used, seed = UsedWork(), fresh_bytes(32)
    assert used.use(PERIOD, seed)
    assert not used.use(PERIOD, seed)
    assert used.use(PERIOD - 1, seed)
    assert not used.use(PERIOD - 1, seed)


def test_work_that_was_given_back_is_used_once_more() -> None:
    used, seed = UsedWork(), fresh_bytes(32)
    assert used.use(PERIOD, seed)
    used.give_back(PERIOD, seed)
    assert used.use(PERIOD, seed)
    assert not used.use(PERIOD, seed)


def test_the_period_before_is_still_known_after_the_next_has_begun() -> None:
    used, seed = UsedWork(), fresh_bytes(32)
    assert used.use(PERIOD, seed)
    assert used.use(PERIOD + 1, seed)
    assert not used.use(PERIOD, seed)
    # Its challenge counts no more.
    assert used.use(PERIOD + 2, seed)
    used.give_back(PERIOD, seed)


def test_memory_does_not_grow_with_the_works_nor_with_the_periods() -> None:
    used = UsedWork()
    tracemalloc.start()
    for number in range(20_000):
        used.use(PERIOD + number // 100, fresh_bytes(32))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2 * BITS // 8 + 100_000


def test_few_works_pass_for_used_at_the_most_that_the_portal_can_take_in() -> None:
    used = UsedWork()
    works = 100_000
    refused = sum(not used.use(PERIOD, fresh_bytes(32)) for _ in range(works))
    assert refused / works < 0.03
