# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much work is asked follows what is in use: not at all at first, step by step while it lasts, slowly back."""

from datetime import timedelta

import pytest

from portal.api.pressure import CALM, PERIOD, STEPS, THRESHOLD, Pressure
from tests.portal.world import Clock

INSTANT = timedelta(microseconds=1)


class Flood:
    """A gauge in our hands."""

    def __init__(self) -> None:
        self.share = 0.0

    def __call__(self) -> float:
        return self.share


@pytest.fixture
def flood() -> Flood:
    return Flood()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pressure(flood: Flood, clock: Clock) -> Pressure:
    return Pressure([lambda: 0.0, flood], clock)


def test_below_the_threshold_nothing_is_asked(pressure: Pressure, flood: Flood, clock: Clock) -> None:
    flood.share = THRESHOLD - 0.01
    for _ in range(100):
        assert (pressure.bits(), pressure.bits_min()) == (None, None)
        clock.now += PERIOD


def test_without_a_gauge_nothing_is_asked(clock: Clock) -> None:
    assert Pressure([], clock).bits() is None


def test_it_begins_at_once_and_rises_while_it_lasts(pressure: Pressure, flood: Flood, clock: Clock) -> None:
    flood.share = THRESHOLD
    assert pressure.bits() == STEPS[0]
    clock.now += PERIOD - INSTANT
    assert pressure.bits() == STEPS[0]
    clock.now += INSTANT
    assert pressure.bits() == STEPS[1]
    clock.now += 10 * PERIOD
    assert pressure.bits() == STEPS[2]
    clock.now += 10 * PERIOD
    assert pressure.bits() == STEPS[-1]


def test_what_was_begun_before_a_rise_is_enough_for_a_period(pressure: Pressure, flood: Flood, clock: Clock) -> None:
    flood.share = 1.0
    assert (pressure.bits(), pressure.bits_min()) == (STEPS[0], STEPS[0])
    clock.now += PERIOD
    assert (pressure.bits(), pressure.bits_min()) == (STEPS[1], STEPS[0])
    flood.share = 0.0
    clock.now += PERIOD
    assert (pressure.bits(), pressure.bits_min()) == (STEPS[1], STEPS[1])


def test_a_flood_that_pauses_does_not_find_the_door_open(pressure: Pressure, flood: Flood, clock: Clock) -> None:
    flood.share = 1.0
    assert pressure.bits() == STEPS[0]
    for _ in range(20):
        flood.share = 0.0
        clock.now += CALM - INSTANT
        assert pressure.bits() is not None
        flood.share = 1.0
        assert pressure.bits() is not None


def test_it_falls_step_by_step_and_ends(pressure: Pressure, flood: Flood, clock: Clock) -> None:
    flood.share = 1.0
    for bits in STEPS:
        assert pressure.bits() == bits
        clock.now += PERIOD
    flood.share = 0.0
    clock.now += CALM - PERIOD
    for bits in (*STEPS[-2::-1], None):
        assert pressure.bits() == bits
        clock.now += CALM
    flood.share = 1.0
    assert pressure.bits() == STEPS[0]


def test_a_clock_that_is_put_back_by_a_month_changes_nothing(pressure: Pressure, flood: Flood, clock: Clock) -> None:
    flood.share = 1.0
    assert pressure.bits() == STEPS[0]
    clock.pass_days(-31)
    assert pressure.bits() == STEPS[0]
    clock.now += PERIOD
    assert pressure.bits() == STEPS[1]
    clock.pass_days(-31)
    flood.share = 0.0
    assert pressure.bits() == STEPS[1]
    clock.now += 2 * CALM
    assert pressure.bits() is None


def test_a_long_silence_ends_it_whoever_asks_first(pressure: Pressure, flood: Flood, clock: Clock) -> None:
    flood.share = 1.0
    assert pressure.bits() == STEPS[0]
    flood.share = 0.0
    clock.pass_days(1)
    assert pressure.bits_min() is None
