"""Cases of `infraspec simulate`: one JSON object each, with the policies, the request, and nothing left unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from infraspec.errors import CaseError, ErrorCollector
from infraspec.iam.context import Context
from infraspec.iam.decision import Decision, decide
from infraspec.iam.document import PolicyDocument
from infraspec.iam.policy import IdentityPolicy
from infraspec.iam.principal import Principal
from infraspec.iam.why import why

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
    errors, answers = ErrorCollector(), []
    for place, line in _placed(lines, file):
        with errors.collect():
            case = _read(line, place)
            decision = case.decide(place)
            answers.append({"id": case.id, "decision": decision.outcome.value, "why": why(decision)})
    errors.finalize()
    return [msgspec.json.encode(answer).decode() for answer in answers]


def read_cases(lines: Iterable[bytes], file: str) -> Iterator[tuple[str, Case]]:
    """Read one case from each line that is not blank, with its place. Raises CaseError."""
    for place, line in _placed(lines, file):
        yield place, _read(line, place)


def _placed(lines: Iterable[bytes], file: str) -> Iterator[tuple[str, bytes]]:
    return ((f"{file}:{number}", line) for number, line in enumerate(lines, 1) if line.strip())


def _read(line: bytes, place: str) -> Case:
    try:
        return msgspec.json.decode(line, type=Case)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        wanted = re.search(r"[Ee]xpected `(?P<expected>[^`]*)`, got `(?P<found>[^`]*)`", message)
        raise CaseError(
            "the case is not what its schema says",
            place=f"{place}: {path.strip('`') or '$'}",
            expected=wanted["expected"] if wanted else "an object of id, request and policies",
            found=wanted["found"] if wanted else message,
            remedy="see infraspec simulate --help",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = "values nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise CaseError(
            "the line is not JSON", place=f"{place}: $", expected="one JSON object", found=found,
            remedy="write one case a line, as in JSON Lines",
        ) from None  # fmt: skip
