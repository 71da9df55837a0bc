"""Whom the policy of a secret or a role lets in, beside the principals that are asked by what they have themselves."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from infraspec.checks.policies.reader_index import READ
from infraspec.core.finding import Location
from infraspec.core.truth import Truth, all_of, not_
from infraspec.core.unknown import Text, Unknown, Value, render
from infraspec.iam.evaluation.layers import ResourceLayer
from infraspec.iam.policy.context import Context, Request
from infraspec.iam.policy.document import Statement
from infraspec.iam.policy.partial_arn import PartialArn, shown
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import Hit, IdentityPolicy
from infraspec.terraform.aws_attributes import AwsAttributes

_ACCOUNT = re.compile(r"^(?:arn:[^:]*:(?:iam|sts)::)?(\d{12})(?::|$)")
CONTEXT = Context.of({"aws:SecureTransport": True})
"""What is known of a request of somebody of whom nothing else is."""


class SecretReader(Struct, frozen=True):
    """Somebody who may read a secret, or perhaps may.

    `name` is a Terraform address, an ARN, a service or `everybody`; `names` are all that it goes by. `outside` says
    that it is not of the account of the secret, `action` what it may do, `remedy` how to fix it, or to know what is
    not known of it.
    """

    name: str
    names: tuple[str, ...]
    certain: bool
    reason: str
    location: Location | None = None
    outside: bool = False
    action: str = READ
    remedy: str = ""

    def __str__(self) -> str:
        return self.name if self.certain else f"perhaps {self.name}"


class LetIn(Struct, frozen=True):
    """The principals that policies of one account's resources name; those with an ARN of `known` are passed over."""

    attributes: AwsAttributes
    known: Collection[str]

    def of(
        self, policies: Sequence[IdentityPolicy], action: str, subject: PartialArn, kind: str = ""
    ) -> Iterator[SecretReader]:
        """Yield whom policies of a resource let do something with it, as they name them; those of a kind, or all."""
        request = Request(action, subject, CONTEXT)
        for policy in policies:
            for clause, covered in policy.about(action):
                answer = all_of(covered, clause.applies(request), _allows(clause.statement.effect))
                for name, value, outside in self._named(clause.statement, kind) if answer is not Truth.NO else ():
                    principal = None if value is None else Principal.of(value)
                    denied = ResourceLayer.asked(policies, request, principal, bounded=False).denied
                    allowed = all_of(answer, not_(denied), Truth.MAYBE if isinstance(value, Unknown) else Truth.YES)
                    if allowed is not Truth.NO:
                        hit, certain = Hit(policy, clause), allowed is Truth.YES
                        reason = f"{'allowed by' if certain else 'depends on'} {hit}"
                        yield SecretReader(name, (name,), certain, reason, hit.location, outside)

    def _named(self, statement: Statement, wanted: str) -> Iterator[tuple[str, Value, bool]]:
        """Yield whom a statement names: a name, a value (None for everybody), and whether it is of another account.

        The resource's own account is passed over, as it leaves the decision to its policies, and so is who is asked.
        """
        if statement.not_principal is not None:
            yield "everybody else", None, True
            return
        account = self.attributes.plan.account
        for kind, entry in entries_of(statement.principal):
            if wanted not in {"", kind}:
                continue
            value = self.attributes.narrow(entry)
            text = shown(value) if isinstance(value, str | Text | Unknown) else render(value)
            number = account_in(text)
            own = number != "" and number == account
            if kind == "AWS" and entry == "*":
                yield "everybody", None, True
            elif not (own and text.endswith((":root", number))) and text not in self.known:
                yield text, value, number != "" and isinstance(account, str) and not own


def account_in(text: str) -> str:
    """Return the account of a principal, as a policy or a grant names it; nothing where it has none."""
    found = _ACCOUNT.match(text)
    return found[1] if found is not None else ""


def entries_of(principal: Value) -> Iterator[tuple[str, Value]]:
    """Yield each entry of a Principal with its kind."""
    if not isinstance(principal, Mapping):
        yield "AWS", principal
        return
    for kind, entries in principal.items():
        for entry in entries if isinstance(entries, list | tuple) else (entries,):
            yield kind, entry


def _allows(effect: Value) -> Truth:
    return Truth.YES if effect == "Allow" else Truth.NO if effect == "Deny" else Truth.MAYBE
