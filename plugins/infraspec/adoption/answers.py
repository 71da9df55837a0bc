"""The answers that settle most of what is not known: lines of the contract, each tried before it is proposed.

What a line would settle is not guessed. The contract is given it with a value as people write it, the rules that could
not tell are asked again, and what they can tell then is what the line promises. A line that helps with another one
alone, such as an account that makes an ARN known with a region, is proposed together with it.
"""

from __future__ import annotations

import inspect
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, reduce
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.adoption.contract_text import quoted
from infraspec.contract.document import notation
from infraspec.contract.models import Contract
from infraspec.contract.paths import GivenPath
from infraspec.contract.waivers import apply
from infraspec.core.errors import InfraspecError, counted
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rule import Rule
from infraspec.core.rules import RULES, SOURCE
from infraspec.core.runtime import text_or_nothing
from infraspec.core.unknown import (
    Cause,
    MissingVariable,
    OtherStack,
    UnreadData,
    UnstatedAccount,
    UnstatedRegion,
    Value,
    sources,
    unknowns,
)
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.environments import Environments
from infraspec.terraform.language.types import (
    CollectionType,
    ObjectType,
    PrimitiveType,
    TupleType,
    TypeConstraint,
)
from infraspec.terraform.plan import COMMAND, Plan
from infraspec.terraform.provider.known_data import data_source_key
from infraspec.terraform.provider.schema import schema

MOST_TRIED = 12
"""How many lines are tried at most; those that most findings name come first."""
EFFORT = 20_000
"""How many resources are judged again in all, for the tries of a command."""

SNAPSHOT = "iam.json"
_PLACE = ("account_id", "region")
"""What is tried first: most other values hold it."""
_OFFERED = frozenset({"plan", "task_definitions", "contract", "environment"})


class EnvironmentVerdicts(Struct, frozen=True):
    """What rules say of an environment: how many verdicts there are, those UNDETERMINED, and what rules have failed."""

    total: int
    unknown: tuple[Finding, ...]
    failed: frozenset[str] = frozenset()


def judged(contract: Contract, plan: Plan, name: str) -> EnvironmentVerdicts:
    """Judge an environment by the rules of the static suite that look at its plan."""
    definitions = [*task_definitions(plan), *_files(contract, name)]
    given = {"plan": plan, "task_definitions": definitions, "contract": contract, "environment": name}
    findings: list[Finding] = []
    failed = set()
    for rule in RULES.values():
        if "static" in rule.suites and not rule.of_one_plan:
            try:
                findings += _found(rule, contract, name, given)
            except InfraspecError:
                failed.add(rule.id)
    unknown = tuple(finding for finding in findings if finding.verdict is Verdict.UNDETERMINED)
    return EnvironmentVerdicts(len(findings), unknown, frozenset(failed))


def _files(contract: Contract, name: str) -> Iterator[TaskDefinition]:
    """Yield the task definitions of files, those that can be read: of the others no line of the contract helps."""
    for path in contracts.task_definition_files(contract, contract.environments[name]):
        with suppress(InfraspecError, OSError, UnicodeDecodeError):
            yield TaskDefinition.from_json(text_or_nothing(path, contract.directory), contracts.display(contract, path))


def _found(rule: Rule, contract: Contract, name: str, given: Mapping[str, Any]) -> Sequence[Finding]:
    """Return what a rule finds and nobody waives; nothing where it asks for more than an environment."""
    tables = [reduce(getattr, table.split("."), contract) for table in rule.tables]
    if tables and not any(tables):
        return ()
    offered = {**given, "settings": next(iter(tables), None)}
    module = import_module(rule.module)
    check = getattr(module, f"check_{rule.module.rpartition('.')[2]}")
    signature = inspect.signature(check)
    asked = [one.name for one in signature.parameters.values() if one.default is one.empty or one.name in _OFFERED]
    if hasattr(module, "skip") or not offered.keys() >= set(asked):
        return ()
    bound = signature.bind_partial(**{one: offered[one] for one in asked})
    return apply(check(*bound.args, **bound.kwargs), contract.waivers, name, datetime.now(UTC).date(), [rule.id]).active


class Answer(Struct, frozen=True):
    """A line of the contract: its `key` in a table of some environments, or in `[known]` if `environments` is empty.

    `table` is `known`, `variables` or empty, `value` what it was tried with. `is_certain` tells that the value is the
    usual one, and not just one of its kind.
    """

    environments: tuple[str, ...]
    table: str
    key: str
    value: Value
    question: str
    is_certain: bool = False

    def applied(self, contract: Contract, value: Value = None) -> Contract:
        """Return a contract that has the line, with another value if one is given."""
        given = self.value if value is None else value
        if not self.environments:
            return contract.model_copy(update={"known": {**contract.known, self.key: given}})
        changed = dict(contract.environments)
        for name in self.environments:
            environment = changed[name]
            if self.table:
                update: dict[str, Value] = {self.table: {**getattr(environment, self.table), self.key: given}}
            else:
                update = {self.key: [GivenPath(path) for path in given] if isinstance(given, list) else given}
            changed[name] = environment.model_copy(update=update)
        return contract.model_copy(update={"environments": changed})

    def given(self, text: str) -> list[tuple[Answer, Value]]:
        """Read a value as somebody types it, or one of each environment by commas. Raises ValueError.

        A list is written by commas too, and anything but text as JSON.
        """
        parts = [part.strip() for part in text.split(",")]
        if isinstance(self.value, list):
            return [(self, parts)]
        if not isinstance(self.value, str):
            return [(self, json.loads(text))]
        return self.of_each(parts) if len(parts) == len(self.environments) else [(self, text)]

    def of_each(self, values: Sequence[Value]) -> list[tuple[Answer, Value]]:
        """Return the line with the value of each of its environments: one line if it is the same in all."""
        if len(set(map(repr, values))) == 1:
            return [(self, values[0])]
        return [(replace(self, environments=(name,)), one) for name, one in zip(self.environments, values, strict=True)]

    def tables(self) -> list[tuple[str, ...]]:
        """Return the tables of the contract that the line belongs into."""
        inner = (self.table,) if self.table else ()
        return [("environments", name, *inner) for name in self.environments] or [("known",)]

    def line(self, value: Value = None) -> str:
        """Write the line as TOML; a value that is only one of its kind stands as `…`."""
        given = [SNAPSHOT] if self.key == "snapshots" else self.value if self.is_certain else _open(self.value)
        given = given if value is None else value
        return f"{notation((self.key,)) if self.table != 'known' else json.dumps(self.key)} = {quoted(given)}"


def _open(value: Value) -> Value:
    match value:
        case str():
            return "…"
        case list():
            return list(map(_open, value))
        case dict():
            return {key: _open(inner) for key, inner in value.items()}
    return value


class Step(Struct, frozen=True):
    """Lines that settle something together, and how many verdicts, with those of the steps before in the contract."""

    answers: tuple[Answer, ...]
    settles: int


class Ranking(Struct, frozen=True):
    """What settles what is not known: `unknown` of `total` verdicts, the steps in the order they were tried in.

    `left` are the verdicts that no line settles.
    """

    total: int
    unknown: int
    steps: tuple[Step, ...] = ()
    left: tuple[Finding, ...] = ()

    @property
    def settled(self) -> int:
        """How many verdicts all the lines settle."""
        return sum(step.settles for step in self.steps)

    @property
    def answers(self) -> list[Answer]:
        """The lines in order."""
        return [answer for step in self.steps for answer in step.answers]

    def __str__(self) -> str:
        """Say how much the lines settle: "3 lines settle 660 of 813 verdicts that cannot be decided"."""
        verdicts = f"{self.settled} of {counted(self.unknown, 'verdict')} that cannot be decided"
        return f"{counted(len(self.answers), 'line')} settle{'s' if len(self.answers) == 1 else ''} {verdicts}"

    def lines(self) -> str:
        """Write the lines for the contract, each table once, with what each settles."""
        tables: dict[tuple[str, ...], list[str]] = {}
        for step in sorted(self.steps, key=lambda one: -one.settles):
            for answer in step.answers:
                others = [one.key for one in step.answers if one is not answer]
                note = f"  # settles {step.settles}" + (f", with {' and '.join(others)}" if others else "")
                for table in answer.tables():
                    tables.setdefault(table, []).append(answer.line() + note)
        exported = any(answer.key == "snapshots" for answer in self.answers)
        command = [f"{COMMAND} > {SNAPSHOT}  # in the account of the roles"] if exported else []
        return "\n".join(
            [*command, *(line for table, own in tables.items() for line in (f"[{notation(table)}]", *own))]
        )


def ranking(environments: Environments, names: Iterable[str], effort: int = EFFORT) -> Ranking:
    """Find the lines that settle most of what is not known in some environments, by trying as many as effort allows."""
    contract = environments.contract
    plans: dict[str, Plan] = {}
    for name in names:
        with suppress(InfraspecError):
            plans[name] = environments.plan(name)
    most = min(MOST_TRIED, effort // max(1, sum(len(plan.resources) for plan in plans.values())))
    if not most:
        return Ranking(0, 0)
    found: dict[str, EnvironmentVerdicts] = {}
    for name, plan in plans.items():
        with suppress(InfraspecError):
            found[name] = judged(contract, plan, name)
    total, unknown = sum(each.total for each in found.values()), _unknown(found)
    if not unknown:
        return Ranking(total, 0)
    trial = _Trial(contract, {name: plans[name] for name in found}, found)
    tried: list[tuple[tuple[str, ...], str]] = []
    with TemporaryDirectory() as scratch, suppress(InfraspecError):  # of an attribute without a value, which is told
        while len(tried) < most:
            given = (one for one in _candidates(trial, Path(scratch)) if (one.environments, one.key) not in tried)
            answer = next(given, None)
            if answer is None:
                break
            tried.append((answer.environments, answer.key))
            trial.give(answer)
    left = tuple(finding for each in trial.settled.values() for finding in each.unknown)
    return Ranking(total, unknown, tuple(trial.steps), left)


def _unknown(found: Mapping[str, EnvironmentVerdicts]) -> int:
    return sum(len(each.unknown) for each in found.values())


class _Trial:
    """A contract that is given one line after the other, each kept as long as it settles something.

    `plans` and `found` are what is there with the lines that wait too, `settled` what is left without them.
    """

    def __init__(self, contract: Contract, plans: Mapping[str, Plan], found: Mapping[str, EnvironmentVerdicts]) -> None:
        self.contract, self.plans, self.found = contract, dict(plans), dict(found)
        self.before, self.settled = self.plans, self.found
        self.waiting: list[Answer] = []
        self.steps: list[Step] = []

    def give(self, answer: Answer) -> None:
        """Try a line; one that settles nothing waits for another one that it helps."""
        given = [*self.waiting, answer]
        plans, left = self._left(given)
        gained = _unknown(self.settled) - _unknown(left)
        if not left or gained < 0:
            return
        self.plans, self.found = plans, left
        if not gained:
            self.waiting = given
            return
        for each in self.waiting:
            without = [one for one in given if one is not each]
            plans, fewer = self._left(without)
            if fewer and _unknown(fewer) <= _unknown(left):
                given, self.plans, self.found = without, plans, fewer
        self.steps.append(Step(tuple(given), _unknown(self.settled) - _unknown(self.found)))
        self.waiting, self.contract = [], _with(self.contract, given)
        self.before, self.settled = self.plans, self.found

    def _left(self, answers: Sequence[Answer]) -> tuple[dict[str, Plan], dict[str, EnvironmentVerdicts]]:
        """Return what is not known with some lines; nothing if something is wrong with them."""
        contract = _with(self.contract, answers)
        environments = Environments(contract, lenient=True)
        plans, left = dict(self.before), dict(self.settled)
        try:
            for name in {one for answer in answers for one in answer.environments or self.found} & self.found.keys():
                plans[name] = environments.plan(name)
                left[name] = judged(contract, plans[name], name)
        except InfraspecError:
            return {}, {}
        is_sound = all(left[name].failed <= self.settled[name].failed for name in left)
        return (plans, left) if is_sound else ({}, {})


def _with(contract: Contract, answers: Iterable[Answer]) -> Contract:
    return reduce(lambda given, answer: answer.applied(given), answers, contract)


_INSTANCE = re.compile(r"\[[^\]]*\]")
_ACCOUNT = re.compile(r"(?<=:)(\d{12})(?=:)|\b(\d{12})(?=\.dkr\.ecr\.)")
_REGION = re.compile(r"(?<=[:.])([a-z]{2}-[a-z]+-\d)(?=[:.])")
_KEY_OF = re.compile(
    r'"(?:[^"]*\.)?(aws_secretsmanager_secret|aws_ssm_parameter)(?:\.[^".]+)?\.(kms_key_id|key_id)" = ""'
)
_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):(role|policy)/((?:[\w+=,.@-]+/)*)([\w+=,.@-]+)")


class _Asked(Struct, frozen=True):
    """What a cause asks of the contract, and by which text findings name it."""

    table: str
    key: str
    named: str
    output: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """What findings say that ask for it: they name it, or the line of the contract."""
        line = "" if self.table else rf"|\bset {self.key} in\b"
        return re.compile(rf"{re.escape(self.named)}(?![\w-]){line}")


def _asked(cause: Cause | None) -> _Asked | None:
    """Return what would remove a cause; None if no line of the contract does."""
    match cause:
        case MissingVariable(name, ""):
            return _Asked("variables", name, f"var.{name}")
        case UnreadData(source, attribute):
            key = f"{data_source_key(source)}.{attribute}"
            return _Asked("known", key, key)
        case OtherStack(source, attribute, output):
            return _Asked("known", f"{data_source_key(source)}.{attribute}", data_source_key(source), output)
        case UnstatedAccount("aws"):
            return _Asked("", "account_id", "aws_caller_identity.account_id")
        case UnstatedRegion("aws"):
            return _Asked("", "region", "aws_region.region")
    return None


def _candidates(trial: _Trial, scratch: Path) -> list[Answer]:
    """Return the lines that findings name: account and region, then those that most of them name."""
    found = trial.found
    uses: Counter[_Asked] = Counter()
    of: dict[_Asked, dict[str, set[str]]] = {}
    texts: list[str] = []
    for name, plan in trial.plans.items():
        own = [_INSTANCE.sub("", str(finding)) for finding in found[name].unknown]
        texts += own
        missing = {
            one.address for one in found[name].unknown if one.rule == SOURCE.id and one.address.startswith("var.")
        }
        variables = {_Asked("variables", address.removeprefix("var."), address) for address in missing}
        for asked in _all_asked(plan, own) | variables:
            outputs = of.setdefault(replace(asked, output=""), {}).setdefault(name, set())
            outputs.update(filter(None, (asked.output,)))
        for asked, environments in of.items():
            if name in environments:
                uses[asked] += sum(1 for text in own if asked.pattern.search(text))
    values = _Values(trial.contract, texts)
    answers = [(uses[asked], values.answer(asked, environments)) for asked, environments in of.items() if uses[asked]]
    keys = Counter(f"{type_}.{attribute}" for text in texts for type_, attribute in set(_KEY_OF.findall(text)))
    answers += [(count, _own_key(key)) for key, count in keys.items()]
    if snapshot := _snapshot(trial, scratch):
        answers.append(snapshot)
    told = [(count, answer) for count, answer in answers if answer is not None]
    return [one for _, one in sorted(told, key=lambda pair: (pair[1].key not in _PLACE, -pair[0]))]


def _all_asked(plan: Plan, texts: Sequence[str]) -> set[_Asked]:
    """Return what the unknowns of a plan ask of the contract, as far as findings may name it."""
    whole = "\n".join(texts)
    found: set[_Asked] = set()
    for resource in plan.resources:
        for attribute in resource.values:
            try:
                origins = [each for one in unknowns(resource.values[attribute]) for each in sources(one)]
            except InfraspecError:
                continue
            found |= {asked for each in origins if (asked := _asked(each.cause)) and asked.named in whole}
    for unknown in (plan.account, plan.region):
        for each in unknowns(unknown):
            found |= {asked for asked in (_asked(each.cause),) if asked}
    return found


def _own_key(key: str) -> Answer:
    own = "aws/ssm" if key.startswith("aws_ssm") else "aws/secretsmanager"
    kind = "parameters" if key.startswith("aws_ssm") else "secrets"
    asked = f"the ARN of the KMS key of {kind} that are not in the source; empty: AWS's own key {own}"
    return Answer((), "known", key, "", asked, is_certain=True)


def _snapshot(trial: _Trial, scratch: Path) -> tuple[int, Answer] | None:
    """Return the line for a snapshot of IAM, tried with one that has what findings name and lets it do all."""
    count, names = 0, list[str]()
    entries: dict[str, re.Match[str]] = {}
    for name, each in trial.found.items():
        own = [finding for finding in each.unknown if "--infraspec-snapshot" in finding.remedy]
        if own:
            count, names = count + len(own), [*names, name]
            texts = [*map(str, own), *_read_arns(trial.plans[name])]
            entries |= {match[0]: match for text in texts for match in _ROLE_ARN.finditer(text)}
    if not entries:
        return None
    accounts = sorted({match[2] for match in entries.values()})
    usual = (f"arn:aws:iam::{account}:{kind}/app" for account in accounts for kind in ("role", "policy"))
    entries |= {match[0]: match for arn in usual if (match := _ROLE_ARN.match(arn))}
    files = []
    for account in accounts:
        path = scratch / f"{account}.json"
        path.write_text(json.dumps(_export(one for one in entries.values() if one[2] == account)), encoding="utf-8")
        files.append(str(path))
    question = f"the file that `{COMMAND}` printed in account {', '.join(accounts)}"
    return count, Answer(tuple(names), "", "snapshots", files, question)


def _read_arns(plan: Plan) -> Iterator[str]:
    """Yield the ARNs of the roles and policies that data sources read by their names."""
    for resource in plan.data("aws_iam_role", "aws_iam_policy"):
        name = resource.stated("name")
        if isinstance(name, str) and isinstance(plan.account, str):
            yield f"arn:{plan.partition}:iam::{plan.account}:{resource.type.removeprefix('aws_iam_')}/{name}"


def _export(named: Iterable[re.Match[str]]) -> dict[str, Any]:
    """Return what AWS would print of roles and policies that may do everything."""
    found: dict[str, list[dict[str, Any]]] = {
        "UserDetailList": [],
        "GroupDetailList": [],
        **{each: [] for each in _LISTS},
    }
    for match in named:
        own = {"Arn": match[0], "Path": f"/{match[4]}"}
        if match[3] == "role":
            found["RoleDetailList"].append({**own, "RoleName": match[5], **_plausible().role})
        else:
            found["Policies"].append({**own, "PolicyName": match[5], **_plausible().policy})
    return found


_LISTS = ("RoleDetailList", "Policies")


class _Plausible(Struct, frozen=True, forbid_unknown_fields=True):
    """Values as people give them: by a pattern of what they are of, and of an export of IAM."""

    values: tuple[tuple[str, str], ...]
    role: dict[str, Any]
    policy: dict[str, Any]


@cache
def _plausible() -> _Plausible:
    return msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=_Plausible)


_SEVERAL = ("L", "S", "[", "{")
"""What the codes of lists, sets and nested blocks begin with."""
_SECRETS = re.compile(r"password|passwd|secret(_string|_key|_value)?$|token|private_key|credential", re.IGNORECASE)


class _Values:
    """Values as people would give them: of the account and region that the source itself names."""

    def __init__(self, contract: Contract, texts: Sequence[str]) -> None:
        self.contract = contract
        accounts = Counter(one or other for text in texts for one, other in _ACCOUNT.findall(text))
        regions = Counter(region for text in texts for region in _REGION.findall(text))
        self.account = max(accounts, key=lambda one: accounts[one], default="111122223333")
        self.region = max(regions, key=lambda one: regions[one], default="eu-west-1")
        self._library = Library()

    def answer(self, asked: _Asked, environments: Mapping[str, set[str]]) -> Answer | None:
        """Return the line for what is asked in some environments; None for a secret, which no contract may hold."""
        names, where = tuple(environments), ", ".join(environments)
        if asked.table != "" and _SECRETS.search(asked.key.rpartition(".")[2]):
            return None
        if asked.key == "account_id" and not asked.table:
            return Answer(names, "", asked.key, self.account, f"the AWS account of {where}")
        if asked.key == "region" and not asked.table:
            return Answer(names, "", asked.key, self.region, f"the AWS region of {where}")
        if asked.table == "variables":
            value = self._variable(asked.key, names[0])
            return (
                None if value is None else Answer(names, "variables", asked.key, value, f"var.{asked.key} of {where}")
            )
        outputs = sorted(set().union(*environments.values()))
        if outputs:
            told: Value = {output: self._like(output) for output in outputs}
        else:
            told = self._data(asked.key)
        return Answer(names, "known", asked.key, told, f"{asked.key} of {where}")

    def _like(self, name: str) -> str:
        kinds = _plausible().values
        kind = next((text for pattern, text in kinds if re.search(pattern, name, re.IGNORECASE)), "app")
        return kind.replace("ACCOUNT", self.account).replace("REGION", self.region)

    def _variable(self, name: str, environment: str) -> Value:
        root = contracts.resolve(self.contract, self.contract.environments[environment].root)
        try:
            body = self._library.read(root).variables[name]
        except (InfraspecError, KeyError):
            return self._like(name)
        if "sensitive" in body.attributes:
            return None
        listed = re.search(
            rf"contains\(\s*\[\s*\"([^\"]*)\"[^\]]*\]\s*,\s*var\.{re.escape(name)}\s*\)", body.source.text
        )
        if listed:
            return listed[1]
        if "type" not in body.attributes:
            return self._like(name)
        return self._of_type(
            name, TypeConstraint.from_expression(body.attributes["type"][0].expression, lambda _: None)
        )

    def _of_type(self, name: str, type_: TypeConstraint) -> Value:
        """Return a value of a type with one element in each collection, and what an object has to have."""
        match type_:
            case PrimitiveType("number"):
                return 1
            case PrimitiveType("bool"):
                return True
            case CollectionType("map", element):
                return {"app": self._of_type(name, element)}
            case CollectionType(_, element):
                return [self._of_type(name, element)]
            case TupleType(elements):
                return [self._of_type(name, each) for each in elements]
            case ObjectType(attributes):
                return {each.name: self._of_type(each.name, each.type) for each in attributes if not each.optional}
        return self._like(name)

    def _data(self, key: str) -> Value:
        """Return a value for the attribute of a data source, of the type that the provider gives it."""
        type_ = next((part for part in key.split(".") if part.startswith(("aws_", "terraform_"))), "")
        attribute = key.rpartition(".")[2]
        known = schema(type_, "data")
        code = known.code(attribute) if known else ""
        value = self._like(f"{type_}.{attribute}" if attribute in ("arn", "id") else attribute)
        return [value] if code.startswith(_SEVERAL) else value
