"""What the contract knows about one environment: the values of {application}, {environment}, {region}, {account_id}."""

from __future__ import annotations

import re
from collections.abc import Mapping

from infraspec.contract.models import Contract
from infraspec.errors import UnknownEnvironmentError
from infraspec.unknown import Value

APPLICATION, ENVIRONMENT, REGION, ACCOUNT_ID = "application", "environment", "region", "account_id"

SHAPES: Mapping[str, str] = {
    APPLICATION: "[a-z0-9]+(-[a-z0-9]+)*",
    ENVIRONMENT: "[a-z0-9]+(-[a-z0-9]+)*",
    REGION: "[a-z]+(-[a-z]+)+-[0-9]+",
    ACCOUNT_ID: "[0-9]{12}",
}
"""The facts, and what one looks like whose value is not known."""

_GENERIC_ENDINGS = ("tool", "app", "application", "service")
_WORD = re.compile(r"[A-Za-z0-9]+")


def facts_of(contract: Contract, environment: str, *, region: Value, account: Value) -> dict[str, str]:
    """Return the facts of an environment; a region or account that is not known is left out.

    `region` and `account` are those of the plan and win over the contract's. Raises UnknownEnvironmentError.
    """
    if environment not in contract.environments:
        raise UnknownEnvironmentError(
            f"there is no environment {environment!r}",
            place=str(contract.path),
            expected=f"one of {', '.join(sorted(contract.environments))}",
            remedy=f"add [environments.{environment}] or ask for one that is there",
        )
    configured = contract.environments[environment]
    facts = {APPLICATION: contract.project.application, ENVIRONMENT: environment}
    for name, planned, written in (
        (REGION, region, configured.region),
        (ACCOUNT_ID, account, configured.account_id),
    ):
        value = planned if isinstance(planned, str) else written
        if value:
            facts[name] = value
    return facts


def spellings(name: str, value: str) -> tuple[str, ...]:
    """Return how the value of a fact is written for {Name}, with a capital.

    Every word capitalised, joined (`DailyReportTool`); for the application also without a last word that says
    nothing, such as "tool" (`DailyReport`); for the environment also as Terraform's `title` writes it (`Pre-Prod`).
    """
    words = _WORD.findall(value)
    found = [pascal_case(words)]
    if name == APPLICATION and len(words) > 1 and words[-1].lower() in _GENERIC_ENDINGS:
        found.append(pascal_case(words[:-1]))
    if name == ENVIRONMENT:
        found.append(_WORD.sub(lambda match: pascal_case([match[0]]), value))
    return tuple(dict.fromkeys(found))


def pascal_case(words: list[str]) -> str:
    """Join words, each with a capital first letter."""
    return "".join(word[0].upper() + word[1:] for word in words)
