"""What moto leaves out of AWS, put over its backends in the sandbox process alone; nothing else imports moto."""

from __future__ import annotations

from infraspec.sandbox.child import Settings


def install(_settings: Settings) -> None:
    """Put everything over moto; once, before the first request."""
    from infraspec.sandbox.overlay import alarms, balancers, services, subscriptions  # noqa: PLC0415 - they import moto

    for part in (alarms, balancers, services, subscriptions):
        part.install()
