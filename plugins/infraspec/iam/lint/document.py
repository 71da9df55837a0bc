"""All faults of one policy document.

Sources: IAM User Guide, "Security best practices in IAM", "AWS JSON policy elements: Principal", "NotPrincipal",
"NotAction", "Grant a user permissions to pass a role to an AWS service"; GitHub, "Configuring OpenID Connect in Amazon
Web Services".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from infraspec.core.unknown import Unknown, Value, is_known, parts_of, render
from infraspec.iam.lint.actions import action_faults
from infraspec.iam.lint.conditions import condition_faults
from infraspec.iam.lint.faults import PolicyFault, Resolve
from infraspec.iam.lint.reference import KNOWN
from infraspec.iam.lint.refusals import empty_element, refusals
from infraspec.iam.lint.resources import resource_faults
from infraspec.iam.policy.document import PolicyDocument, Statement, principals_in, tests_of
from infraspec.iam.policy.partial_arn import as_it_is
from infraspec.resource_types import Policy, PolicyKind

_EVERYTHING = ("*", "*:*")
_PASS_ROLE = re.compile(r"iam:(passrole|pass\*|p\*|\*)$", re.IGNORECASE)
_AUDIENCE = frozenset({"aud", "oaud", "azp", "amr"})
_WHOEVER = re.compile(r"^(\*|repo:\*.*|project_path:\*.*|organization:\*.*)$")


def grant_faults(statement: Statement, use: Policy) -> Iterator[PolicyFault]:
    """Yield what a statement grants too widely, or that it grants nothing."""
    if use.names_principals:
        yield from _wildcard_principals(statement)
    if statement.effect != "Allow" or empty_element(statement):
        return
    if use.kind is PolicyKind.IDENTITY:
        yield from _wide(statement)
    if use.kind in (PolicyKind.RESOURCE, PolicyKind.TRUST):
        yield from _public(statement, use)


def _wide(statement: Statement) -> Iterator[PolicyFault]:
    """Yield what is allowed on every resource, without a condition, and should not be."""
    everywhere = statement.resources is not None and any(entry == "*" for entry in statement.resources)
    if not everywhere or statement.condition is not None:
        return
    if statement.not_actions is not None:
        listed = ", ".join(render(entry) for entry in statement.not_actions[:3])
        yield PolicyFault.say("not-action-allow", statement, "", about=f"NotAction {listed}")
        return
    actions = [entry for entry in statement.actions or () if isinstance(entry, str)]
    if any(entry in _EVERYTHING for entry in actions):
        yield PolicyFault.say("full-access", statement, "", about='"*"')
        return
    if passing := next((entry for entry in actions if _PASS_ROLE.match(entry)), ""):
        yield PolicyFault.say("pass-any-role", statement, "", about=passing)
    for entry in actions:
        if entry.endswith(":*") and entry.count("*") == 1 and entry != passing:
            yield PolicyFault.say("service-wide", statement, "", about=entry, service=entry[:-2])


def _wildcard_principals(statement: Statement) -> Iterator[PolicyFault]:
    principal = statement.principal if statement.not_principal is None else statement.not_principal
    for kind, entry in _principals(principal):
        if kind == "AWS" and isinstance(entry, str) and entry != "*" and set("*?") & set(entry):
            yield PolicyFault.say("wildcard-in-principal", statement, "Principal", about=entry)


def _public(statement: Statement, use: Policy) -> Iterator[PolicyFault]:
    if statement.not_principal is not None:
        listed = render(statement.not_principal)
        yield PolicyFault.say("not-principal-allow", statement, "NotPrincipal", listed=listed)
    elif any(kind == "AWS" and entry == "*" for kind, entry in _principals(statement.principal)):
        if not _limited(statement.condition):
            yield _everybody(statement, use, 'Principal "*"', "anyone, even without credentials of your accounts,")
    elif use.kind is PolicyKind.TRUST:
        for kind, entry in _principals(statement.principal):
            issuer = _issuer(entry) if kind == "Federated" else ""
            if issuer and not _subject_limited(statement.condition, issuer):
                yield _everybody(
                    statement, use, f"{issuer} without its subject", f"every {KNOWN.shared_issuers[issuer]}"
                )


def _everybody(statement: Statement, use: Policy, found: str, who: str) -> PolicyFault:
    may = "may assume the role" if use.kind is PolicyKind.TRUST else "can perform the actions of the statement"
    subject = found.partition(" ")[0]
    remedy = "name the principals, or add a condition on aws:PrincipalOrgID, aws:SourceAccount or aws:SourceArn"
    if use.kind is PolicyKind.TRUST and found.endswith("subject"):
        remedy = f'add a condition StringLike on "{subject}:sub"'
    elif use.arguments is not None:
        arguments = [name for name, (_, key) in use.arguments.conditions.items() if key.startswith("aws:")]
        remedy = f"name the principal, or set {' or '.join(arguments or [use.arguments.block])}"
    tested = dict.fromkeys(key or "an unknown" for _, key, _ in tests_of(statement.condition))
    keys = f"conditions on {', '.join(tested)} only" if tested else "no condition"
    return PolicyFault.say(
        "public-access", statement, "Principal", about=found, keys=keys, who=who, may=may, remedy=remedy
    )


def _principals(principal: Value) -> Iterator[tuple[str, Value]]:
    if isinstance(principal, (str, Mapping)):
        for kind, entry in principals_in(principal):
            yield ("AWS" if kind == "*" else kind), entry


def _limited(condition: Value) -> bool:
    """Tell whether a condition may limit who is meant. What is not known may."""
    if condition is None:
        return False
    if not isinstance(condition, Mapping):
        return True
    return any(key.lower() not in KNOWN.harmless_keys and values != ("*",) for _, key, values in tests_of(condition))


def _subject_limited(condition: Value, issuer: str) -> bool:
    """Tell whether a condition says whose tokens of an issuer are meant."""
    if isinstance(condition, Unknown):
        return True
    for _, key, values in tests_of(condition):
        provider, _, claim = key.lower().rpartition(":")
        if "${" in key or (provider == issuer and claim not in _AUDIENCE):
            texts = [value for value in values if isinstance(value, str)]
            if not is_known(values) or not any(map(_WHOEVER.match, texts)):
                return True
        if issuer == "accounts.google.com" and claim in _AUDIENCE:
            return True
    return False


def _issuer(provider: Value) -> str:
    """Return the shared identity provider that the ARN of an OIDC provider names."""
    name = render(provider).rpartition("oidc-provider/")[2].lower() if provider is not None else ""
    return name if name in KNOWN.shared_issuers else ""


def document_faults(document: PolicyDocument, use: Policy, resolve: Resolve = as_it_is) -> list[PolicyFault]:
    """Return what is found in a document; `resolve` narrows the unknown parts of resources.

    A part that is not known is not accused: the document is judged by what is certain of it.
    """
    refused = list(refusals(document, use, resolve))
    faults: list[PolicyFault] = []
    for statement in document.statements:
        if not document.variables:
            faults += _variables(statement)
        faults += action_faults(statement, use)
        faults += resource_faults(statement, use, resolve)
        faults += condition_faults(statement)
        faults += grant_faults(statement, use)
    told = {(fault.finding, fault.path) for fault in refused}
    entries = {fault.path for fault in refused if "Action." in fault.path}  # one that is refused has no other fault
    return [*refused, *(one for one in faults if (one.finding, one.path) not in told and one.path not in entries)]


def is_opaque(statement: Statement) -> bool:
    """Tell whether nothing is known of a statement."""
    entries = (*(statement.actions or ()), *(statement.resources or ()))
    return not isinstance(statement.effect, str) and all(isinstance(entry, Unknown) for entry in entries)


def _variables(statement: Statement) -> Iterator[PolicyFault]:
    """Yield policy variables in a document of a version that has none."""
    for element, entries in (("Resource", statement.resources), ("NotResource", statement.not_resources)):
        for index, entry in enumerate(entries or ()):
            if any(isinstance(part, str) and "${aws:" in part for part in parts_of(entry)):
                part = f"{element}.{index}"
                yield PolicyFault.say("variables-without-version", statement, part, about=render(entry))
