"""`infraspec simulate`: IAM requests decided offline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, BinaryIO, TypeAlias

import click
import msgspec

from infraspec.cli.common import reported
from infraspec.cli.terminal import is_terminal, show_document
from infraspec.core.errors import CaseError, collected
from infraspec.core.visible_text import visible_json
from infraspec.iam.evaluation.decision import Decision, decide, why
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.reporting.explanation import decisions_document

ContextValue: TypeAlias = str | bool | int | float | list[str | bool | int | float] | None


class CaseRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What is asked. Without `resource_account` the account is that of the resource's ARN, or the principal's."""

    principal: str
    action: str
    resource: str
    resource_account: str | None = None
    context: dict[str, ContextValue] = {}


class Case(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One case. A policy is a document, or an object of `name` and `policy`; the annotations are not read."""

    id: str
    request: CaseRequest
    policies: list[Any] = []
    boundary: Any = None
    session_policy: Any = None
    resource_policy: Any = None
    scps: list[list[Any]] | None = None
    rcps: list[list[Any]] | None = None
    expected: Any = None
    aws: Any = None
    tags: Any = None
    why: Any = None
    ambiguous: Any = None
    note: Any = None

    def decide(self, place: str) -> Decision:
        """Decide the case; a context key it does not give is absent. `place` stands in the PolicyError it raises."""
        request = self.request
        layers = _Policies(place)
        return decide(
            layers.all(self.policies, "policies"),
            request.action,
            request.resource,
            boundary=layers.optional(self.boundary, "boundary"),
            session=layers.optional(self.session_policy, "sessionPolicy"),
            resource_policies=layers.optional(self.resource_policy, "resourcePolicy", with_principals=True) or (),
            scps=[layers.all(level, f"scps[{index}]") for index, level in enumerate(self.scps or ())],
            rcps=[
                layers.all(level, f"rcps[{index}]", with_principals=True) for index, level in enumerate(self.rcps or ())
            ],
            principal=Principal.of(request.principal),
            resource_account=request.resource_account or None,
            context=Context.of(request.context, complete=True),
        )


class _Policies(msgspec.Struct, frozen=True):
    """The policies of one case, which stands at `place`."""

    place: str

    def optional(self, value: Any, path: str, *, with_principals: bool = False) -> list[IdentityPolicy] | None:
        """Compile a policy that may be missing."""
        return None if value is None else [self.one(value, path, path, with_principals=with_principals)]

    def all(self, values: Iterable[Any], path: str, *, with_principals: bool = False) -> list[IdentityPolicy]:
        """Compile the policies of a list."""
        paths = ((value, f"{path}[{index}]") for index, value in enumerate(values))
        return [self.one(value, path, path, with_principals=with_principals) for value, path in paths]

    def one(self, value: Any, name: str, path: str, *, with_principals: bool) -> IdentityPolicy:
        """Compile a policy, which stands alone or under a name."""
        if isinstance(value, dict) and "policy" in value:
            name, value, path = str(value.get("name") or name), value["policy"], f"{path}.policy"
        document = PolicyDocument.from_value(value, place=f"{self.place}: $.{path}", with_principals=with_principals)
        return IdentityPolicy.of(name, document)


def decided(lines: Iterable[bytes], file: str) -> list[str]:
    """Return the decision of each case as a line of JSON: `id`, `decision` and `why`.

    Raises CaseError, PolicyError, or InputErrorGroup with all of them.
    """
    placed = [(f"{file}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    return [msgspec.json.encode(answer).decode() for answer in collected(_answer, placed)]


def _answer(placed: tuple[str, bytes]) -> dict[str, str]:
    place, line = placed
    case = _read(line, place)
    decision = case.decide(place)
    return {"id": case.id, "decision": decision.outcome.value, "why": why(decision)}


def _read(line: bytes, place: str) -> Case:
    try:
        return msgspec.json.decode(line, type=Case)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        wanted = re.search(r"[Ee]xpected `(?P<expected>[^`]*)`, got `(?P<found>[^`]*)`", message)
        raise CaseError(
            "the case does not match the schema",
            place=f"{place}: {path.strip('`') or '$'}",
            expected=wanted["expected"] if wanted else "an object with id, request and policies",
            found=wanted["found"] if wanted else message,
            remedy="see infraspec simulate --help",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = "values nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise CaseError(
            "the line is not JSON", place=f"{place}: $", expected="one JSON object", found=found,
            remedy="write one case per line, as in JSON Lines",
        ) from None  # fmt: skip


@click.command()
@click.option(
    "--cases",
    "source",
    type=click.File("rb"),
    required=True,
    metavar="FILE",
    help="File in JSON Lines, one case per line; - reads standard input.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "text"]),
    help="JSON Lines or a table.  [default: text on a terminal, else json]",
)
@reported
def simulate(source: BinaryIO, form: str | None) -> None:
    """Decide IAM requests offline, as AWS would: one line of output per case.

    \b
    infraspec simulate --cases cases.jsonl --format json
    {"id": "read", "decision": "Allowed", "why": "allowed by policies[0] Statement.0"}

    A case is one line, shown here on several. A policy that is null or omitted does not apply, and a condition key that
    is not in the context is absent:

    \b
    {"id": "read",
     "policies": [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}],
     "boundary": null, "sessionPolicy": null, "resourcePolicy": null,
     "scps": [[{…}], [{…}]], "rcps": null,
     "request": {"principal": "arn:aws:sts::111122223333:assumed-role/app/1",
        "action": "secretsmanager:GetSecretValue",
        "resource": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf",
        "resourceAccount": "111122223333",
        "context": {"aws:SecureTransport": "true", "aws:TagKeys": ["team"]}}}

    \b
    policies        the principal's own: documents, or {"name": …, "policy": document}
    scps, rcps      a list of policies for each level, from the organization's root to the account
    resourcePolicy  of the secret, KMS key, bucket or topic; the trust policy of a role
    principal       ARN of a role, a role's session or a user, or a service: ecs-tasks.amazonaws.com
    decision        Allowed, ExplicitlyDenied, ImplicitlyDenied, or Undetermined where AWS does not
                    document the outcome; why says what decides

    An invalid line is an error with its number and JSON path. Nothing is decided then, and the exit code is 2.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    lines = decided(source, str(getattr(source, "name", "<stdin>")))
    if form == "json" or (form is None and not is_terminal()):
        click.echo(visible_json("\n".join(lines)), nl=bool(lines))
        return
    if lines or is_terminal():
        show_document(decisions_document(map(json.loads, lines)), "text")
