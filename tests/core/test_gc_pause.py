"""The collector is paused and restored, and never looks again at what lives as long as a run."""

import gc
from collections.abc import Callable

import pytest

from infraspec.core.runtime import paused_collector
from tests.plugin.project import MINIMAL, run_suite

COUNTING = """
import gc

def test_of_a_user({fixture}):
    assert gc.isenabled() is {enabled}

def test_after_it():
    assert (gc.get_freeze_count() > 0) is {frozen}
"""


@pytest.mark.parametrize("switch", [gc.enable, gc.disable])
def test_collector_is_as_it_was(switch: Callable[[], None]) -> None:
    """The collector rests inside, and is as it was afterwards."""
    before = gc.isenabled()
    try:
        switch()
        wanted = gc.isenabled()
        with paused_collector():
            assert not gc.isenabled()
        assert wanted is gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize(
    ("fixture", "enabled", "frozen"), [("plan", "False", "True"), ("contract", "True", "False"), ("", "True", "False")]
)
def test_plans_are_out_of_the_collectors_sight(
    pytester: pytest.Pytester, fixture: str, enabled: str, frozen: str
) -> None:
    """What a run has read is never collected; a run that reads no plan leaves the collector alone."""
    suite = pytester.makepyfile(COUNTING.format(fixture=fixture, enabled=enabled, frozen=frozen))
    run_suite(pytester, MINIMAL, suite=suite).assert_outcomes(passed=2)
