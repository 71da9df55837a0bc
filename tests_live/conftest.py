"""Make a run of this suite a live one: whoever collects it means to ask AWS."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set --infraspec-live before the plugin reads its settings."""
    config.option.infraspec_live = "yes"
