"""Rule `secret-readers`: the secrets of the plan are read by nobody but whom the contract names.

A secret that `[policies] secret_readers` does not name may be read by the principals of its own account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infraspec.checks.access.secret_access import placed
from infraspec.checks.common.unknown_remedies import of_what_may_be_absent
from infraspec.checks.policies.readers import READ, SECRET, SecretReader, SecretReaders
from infraspec.contract.models import Contract
from infraspec.contract.waivers import matches
from infraspec.conventions.placeholders import facts_of
from infraspec.core.errors import EmptySelectionError, ErrorCollector
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import SECRET_READERS as RULE
from infraspec.core.unknown import render
from infraspec.terraform.plan import Plan, Resource

_FEW = 12


@of_what_may_be_absent
def check_secret_readers(plan: Plan, contract: Contract, environment: str) -> list[Finding]:
    """Judge who may read each secret: one finding for each reader too many, or one that names the readers.

    Raises PolicyError if a policy that matters is malformed, EmptySelectionError if the contract names a secret that
    there is not, InputErrorGroup with several of these.
    """
    plan = placed(plan, contract, environment)
    facts = facts_of(contract, environment, region=plan.region, account=plan.account)
    expected = [
        (_filled(secret, facts), [_filled(reader, facts) for reader in readers])
        for secret, readers in contract.policies.secret_readers.items()
    ]
    readers, errors = SecretReaders(plan), ErrorCollector()
    secrets = {secret: (secret.address, render(readers.attributes.name(secret))) for secret in plan.managed(SECRET)}
    with errors.collect():
        _check_patterns([pattern for pattern, _ in expected], secrets.values(), plan, contract)
    findings: list[Finding] = []
    for secret, names in secrets.items():
        with errors.collect():
            lists = [allowed for pattern, allowed in expected if any(matches(pattern, name) for name in names)]
            allowed = [pattern for patterns in lists for pattern in patterns] if lists else None
            findings += _judged(secret, readers.of(secret), allowed, readers.known)
    errors.finalize()
    return findings


def _check_patterns(patterns: list[str], secrets: Iterable[tuple[str, ...]], plan: Plan, contract: Contract) -> None:
    """Raise EmptySelectionError if a pattern matches no secret, as a misspelt one does."""
    allowed = contract.suite.allow_empty
    known = [name for names in secrets for name in names]
    for pattern in patterns:
        if any(matches(pattern, name) for name in known) or {RULE.id, f"{RULE.id}:{pattern}"} & set(allowed):
            continue
        raise EmptySelectionError(
            f"no secret in {plan.origin} matches {pattern}",
            place=f"{contract.path}: policies.secret_readers",
            expected="the address or name of a secret; * matches any text",
            found=", ".join(known) or "no secrets",
            remedy=f'correct it, or allow it:\n[suite]\nallow_empty = ["{RULE.id}:{pattern}"]',
        )


def _judged(secret: Resource, readers: list[SecretReader], allowed: list[str] | None, known: str) -> list[Finding]:
    bad = [_too_many(secret, reader, allowed) for reader in readers if not _expected(reader, allowed)]
    return bad or [
        Finding(RULE.id, Verdict.PROVEN, secret.address, "", secret.location, reason=_listed(readers, known))
    ]


def _expected(reader: SecretReader, allowed: list[str] | None) -> bool:
    if allowed is None:
        return not reader.outside
    return any(matches(pattern, name) for pattern in allowed for name in reader.names)


def _listed(readers: list[SecretReader], known: str) -> str:
    if not readers:
        return f"read by nobody {known}"
    more = f" and {len(readers) - _FEW} more" if readers[_FEW:] else ""
    return f"read by {', '.join(map(str, readers[:_FEW]))}{more}"


def _too_many(secret: Resource, reader: SecretReader, allowed: list[str] | None) -> Finding:
    expected = "principals of this account alone" if allowed is None else ", ".join(allowed) or "nobody"
    verdict = Verdict.VIOLATED if reader.certain else Verdict.UNDETERMINED
    name = f"{reader.name} may {READ}" if reader.certain else f"{reader.name} perhaps may {READ}"
    entries = ", ".join(f"'{entry}'" for entry in [*(allowed or ()), reader.name])
    accept = f"or name it in the contract:\n[policies.secret_readers]\n'{secret.address}' = [{entries}]"
    mend = "take it out of that statement" if reader.certain else "make certain that the statement does not allow it"
    return Finding(
        RULE.id,
        verdict,
        secret.address,
        reader.name,
        reader.location or secret.location,
        expected=f"readers: {expected}",
        found=name,
        reason=reader.reason,
        remedy=f"{mend}, {accept}",
    )


def _filled(pattern: str, facts: dict[str, str]) -> str:
    """Fill the placeholders of a pattern that the contract knows: {application}, {environment}, {region}."""
    for name, value in _placeholders(facts):
        pattern = pattern.replace(name, value)
    return pattern


def _placeholders(facts: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in facts.items():
        yield f"{{{name}}}", value
