"""Make a run of this suite a live one: whoever collects it means to ask AWS."""

import pytest

from infraspec.pytest_plugin.options import SETTINGS


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set --infraspec-live before the plugin reads its settings; where it has, a run that is not guarded ends."""
    if SETTINGS in config.stash and not config.stash[SETTINGS].is_live:
        raise pytest.Collector.CollectError("the live suite came in beside other tests: add --infraspec-live")
    config.option.infraspec_live = "yes"
