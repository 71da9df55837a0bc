"""Condition keys that no request carries, or none of a statement's actions.

Sources: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference ("Condition keys").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from msgspec import Struct

from infraspec.iam import reference
from infraspec.iam.answer import Answer
from infraspec.iam.conditions import OperatorName, Quantifier
from infraspec.iam.document import Statement
from infraspec.iam.lint.actions import expand, names_one
from infraspec.iam.lint.fault import Fault
from infraspec.iam.operators import NULL
from infraspec.iam.reference import Action
from infraspec.unknown import Value

_GLOBAL_KEYS = """
    AssumedRoot CalledVia CalledViaAWSMCP CalledViaFirst CalledViaLast ChatbotSourceArn CurrentTime
    Ec2InstanceSourcePrivateIPv4 Ec2InstanceSourceVpc EpochTime FederatedProvider IsMcpServiceAction
    MultiFactorAuthAge MultiFactorAuthPresent PrincipalAccount PrincipalArn PrincipalIsAWSService PrincipalOrgID
    PrincipalOrgMasterAccountId PrincipalOrgPaths PrincipalServiceName PrincipalServiceNamesList PrincipalTag
    PrincipalType Referer RequestTag RequestedRegion ResourceAccount ResourceOrgID ResourceOrgPaths ResourceTag
    SecureTransport SignInSessionArn SourceAccount SourceArn SourceIdentity SourceIp SourceOrgID SourceOrgPaths
    SourceOwner SourceVpc SourceVpcArn SourceVpce TagKeys TokenIssueTime UserAgent Userid Username ViaAWSMCPService
    ViaAWSService VpcSourceIp VpceAccount VpceOrgID VpceOrgPaths
"""
_GLOBAL = {name.lower(): name for name in _GLOBAL_KEYS.split()}
_OF_THE_CALLER = frozenset({"glue:roleassumedby", "lambda:sourcefunctionarn", "ec2:sourceinstancearn"})
"""Keys of one service that requests to others carry too, because the role's credentials come from it."""
_INCOMPLETE = frozenset({"a4b", "aws-marketplace", "iottwinmaker", "catalog", "identitystore", "codebuild", "ssm"})
"""Services of whose keys the reference is known not to say all."""


class KeyTest(Struct, frozen=True):
    """One key under one operator, with the values that the policy lists."""

    name: OperatorName
    key: str
    values: tuple[Value, ...]

    @property
    def part(self) -> str:
        """Where it is in its statement."""
        return f"Condition.{self.name.written}.{self.key}"

    @property
    def about(self) -> str:
        """What tells it apart."""
        return f"{self.name.written} {self.key}"

    @property
    def negated(self) -> bool:
        """Tell whether it holds where the values differ."""
        return self.name.operator.negated


def unknown_key(statement: Statement, test: KeyTest) -> Fault | None:
    """Return the fault of a key that no request carries, as far as the key's owner is known."""
    prefix, colon, name = test.key.lower().partition(":")
    if prefix == "aws":
        if name.partition("/")[0] in _GLOBAL:
            return None
        near = [f"aws:{_GLOBAL[other]}" for other in get_close_matches(name, _GLOBAL, n=1, cutoff=0.8)]
        return _no_such_key(statement, test, near) if near else None
    service = reference.service(prefix)
    if not colon or service is None or prefix in _INCOMPLETE or service.has_key(test.key):
        return None
    known = {key.lower(): key for key in service.keys}
    near = [known[other] for other in get_close_matches(test.key.lower(), known, n=1, cutoff=0.7)]
    return _no_such_key(statement, test, near) if known else None


def _no_such_key(statement: Statement, test: KeyTest, near: list[str]) -> Fault:
    return Fault.of(
        "unknown-condition-key",
        statement,
        test.part,
        about=test.about,
        expected=f"a condition key of the Service Authorization Reference ({reference.version()})",
        found=test.key,
        reason=f"no request carries {test.key}: {_effect_when_missing(test)}",
        remedy=f"did you mean {near[0]}?" if near else "take it out, or look it up in the reference",
        certain=":resourcetag/" not in test.key.lower(),  # many services have such a key, not all of them documented
    )


def _effect_when_missing(test: KeyTest) -> str:
    if test.name.operator is NULL:
        return "the test never changes"
    return "the test never holds" if test.name.without_key is Answer.NO else "the test always holds"


def keys_of_others(statement: Statement, test: KeyTest) -> Iterator[Fault]:
    """Yield the actions whose requests do not carry a key that belongs to a service."""
    key = test.key.lower()
    prefix = key.partition(":")[0]
    if (
        prefix in _INCOMPLETE
        or key in _OF_THE_CALLER
        or test.name.operator is NULL
        or test.name.if_exists
        or test.name.quantifier is Quantifier.ALL
        or (prefix != "aws" and reference.service(prefix) is None)
        or prefix in {"aws", "saml"}
    ):
        return
    lacking = [entry for entry in statement.actions or () if _lacks(entry, test.key)]
    if lacking:
        certain = any(not entry.lower().startswith(f"{prefix}:") for entry in lacking)
        listed = ", ".join(lacking)
        verb = "allows" if statement.effect == "Allow" else "denies"
        outcome = f"{verb} {listed} always" if test.negated else f"never {verb} {listed}"
        yield Fault.of(
            "condition-key-mismatch",
            statement,
            test.part,
            about=f"{test.about} with {listed}",
            expected=f"a key that requests of {listed} carry",
            found=test.key,
            reason=f"requests of {listed} do not carry {test.key}: the statement {outcome}",
            remedy=f"give {listed} a statement of its own, without this condition",
            certain=certain,
        )


def _lacks(entry: Value, key: str) -> bool:
    if not isinstance(entry, str) or not names_one(entry):
        return False
    actions: Sequence[Action] = expand(entry)
    if not actions or entry.lower().partition(":")[0] in _INCOMPLETE:
        return False
    return not actions[0].has_key(key)
