"""Rule `secret-readers`: the secrets of the plan are read by nobody but whom the contract names.

A secret that `[policies] secret_readers` does not name may be read by the principals of its own account.
"""

from __future__ import annotations

from collections.abc import Iterable

from infraspec.checks.access.secret_access import placed
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent
from infraspec.checks.policies.let_in import SecretReader
from infraspec.checks.policies.reader_index import READ
from infraspec.checks.policies.readers import SECRET, SecretReaders
from infraspec.contract.models import Contract
from infraspec.contract.waivers import matches
from infraspec.conventions.placeholders import facts_of, filled
from infraspec.core.errors import EmptySelectionError, ErrorCollector
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.core.unknown import Unknown, render
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["secret-readers"]

_FEW = 12


@of_what_may_be_absent
def check_secret_readers(plan: Plan, contract: Contract, environment: str) -> list[Finding]:
    """Judge who may read each secret: one finding for each reader too many, or one that names the readers.

    Raises PolicyError if a policy that matters is malformed, EmptySelectionError if the contract names a secret that
    does not exist, InputErrorGroup with several of these.
    """
    plan = placed(plan, contract, environment)
    facts = facts_of(contract, environment, region=plan.region, account=plan.account)
    expected = [
        (filled(secret, facts), [filled(reader, facts) for reader in readers])
        for secret, readers in contract.policies.secret_readers.items()
    ]
    whole = plan.with_principals() if plan.managed(SECRET) else plan
    unseen = whole if isinstance(whole, Unknown) else None
    readers, errors = SecretReaders(plan if isinstance(whole, Unknown) else whole), ErrorCollector()
    secrets = {secret: (secret.address, render(readers.attributes.name(secret))) for secret in plan.managed(SECRET)}
    with errors.collect():
        _check_patterns([pattern for pattern, _ in expected], secrets.values(), plan, contract)
    findings: list[Finding] = []
    for secret, names in secrets.items():
        with errors.collect():
            lists = [allowed for pattern, allowed in expected if any(matches(pattern, name) for name in names)]
            allowed = [pattern for patterns in lists for pattern in patterns] if lists else None
            findings += _judge(secret, readers.of(secret), allowed, readers.known, unseen)
    errors.finalize()
    return findings


def _check_patterns(patterns: list[str], secrets: Iterable[tuple[str, ...]], plan: Plan, contract: Contract) -> None:
    """Raise EmptySelectionError if a pattern matches no secret, as a misspelt one does."""
    allowed = set(contract.suite.allow_empty)
    known = [name for names in secrets for name in names]
    for pattern in patterns:
        if any(matches(pattern, name) for name in known) or {RULE.id, f"{RULE.id}:{pattern}"} & allowed:
            continue
        raise EmptySelectionError(
            f"no secret in {plan.origin} matches {pattern}",
            place=f"{contract.path}: policies.secret_readers",
            expected="the address or name of a secret; * matches any text",
            found=", ".join(known) or "no secrets",
            remedy=f'correct it, or allow it:\n[suite]\nallow_empty = ["{RULE.id}:{pattern}"]',
        )


def _judge(
    secret: Resource, readers: list[SecretReader], allowed: list[str] | None, known: str, unseen: Unknown | None
) -> list[Finding]:
    unwanted = [reader for reader in readers if not _is_expected(reader, allowed)]
    if unwanted:
        return [_report(secret, reader, allowed) for reader in unwanted]
    more = f" and {len(readers) - _FEW} more" if readers[_FEW:] else ""
    shown = f"{', '.join(map(str, readers[:_FEW]))}{more}" if readers else f"nobody {known}"
    if unseen is None:
        return [RULE.about(secret).proven(f"read by {shown}")]
    return [
        RULE.about(secret).undetermined(
            expected=f"readers: {_wanted(allowed)}",
            found=f"{unseen.address} may be allowed to perform {READ}",
            reason=f"of the environment it is read by {shown}",
            remedy=how_to_know(unseen),
        )
    ]


def _is_expected(reader: SecretReader, allowed: list[str] | None) -> bool:
    if allowed is None:
        return not reader.outside
    return any(matches(pattern, name) for pattern in allowed for name in reader.names)


def _report(secret: Resource, reader: SecretReader, allowed: list[str] | None) -> Finding:
    subject = RULE.about(secret, reader.name, reader.location)
    entries = ", ".join(f"'{entry}'" for entry in [*(allowed or ()), reader.name])
    fix = "remove it from that statement" if reader.certain else "make sure that the statement does not allow it"
    table = f"[policies.secret_readers]\n'{secret.address}' = [{entries}]"
    return (subject.violated if reader.certain else subject.undetermined)(
        expected=f"readers: {_wanted(allowed)}",
        found=f"{reader.name} {'is' if reader.certain else 'may be'} allowed to perform {reader.action}",
        reason=reader.reason,
        remedy=reader.remedy or f"{fix}, or name it in the contract:\n{table}",
    )


def _wanted(allowed: list[str] | None) -> str:
    return "only principals of this account" if allowed is None else ", ".join(allowed) or "nobody"
