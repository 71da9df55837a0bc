"""A contract for somebody else's repository: found, evaluated, inferred."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.adoption.conventions import PLACEHOLDERS, Guess, TagGuess, common_tags, names_of, patterns_of, tags_of
from infraspec.adoption.environments import EnvironmentCandidate
from infraspec.adoption.repository import RepositoryFiles, files_by_environment
from infraspec.adoption.roots import ENVIRONMENT_WORDS, RUNNING, environment_word, is_production
from infraspec.checks.conventions.names import check_names
from infraspec.checks.conventions.tags import check_tags, empty_selectors
from infraspec.checks.state.source import check_source
from infraspec.contract.loading import FILE_NAME
from infraspec.contract.models import Contract
from infraspec.conventions.placeholders import APPLICATION, ENVIRONMENT, facts_of
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import NAMES, SECRET_ACCESS, SOURCE, TAGS, TASK_DEFINITIONS
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan

T = TypeVar("T")
_WORD = re.compile(r"[A-Za-z0-9]+")
_SAYING_NOTHING = frozenset({"main", "this", "default", "terraform", "tf", "aws", "ecs", "fargate", "app", "alb", "my"})
_SHARE = 0.4
_EXTENDED = 0.8
_LEAST = 3


def application_of(names: Sequence[str], environments: Iterable[str]) -> tuple[str, int] | None:
    """Return what most names begin with, environments aside, and how many do; None if there is nothing such.

    It is extended by words as long as nearly all of these names go on alike.
    """
    aside = ENVIRONMENT_WORDS | {name.lower() for name in environments if _WORD.fullmatch(name)}
    beginnings = [beginning for name in names if (beginning := _beginning(name, aside))]
    if len(beginnings) < _LEAST:
        return None
    chosen, count = Counter(words[0] for words, _ in beginnings).most_common(1)[0]
    if count < max(_LEAST, _SHARE * len(names)):
        return None
    length, held = 1, [entry for entry in beginnings if entry[0][0] == chosen]
    while True:
        following = Counter(words[: length + 1] for words, _ in held if len(words) > length)
        longer, more = following.most_common(1)[0] if following else ((), 0)
        if not more or more < _EXTENDED * len(held) or more < _LEAST:
            break
        held = [entry for entry in held if entry[0][: length + 1] == longer]
        length += 1
    if set(held[0][0][:length]) <= _SAYING_NOTHING:
        return None
    written = Counter(_written(text, length) for _, text in held).most_common(1)[0][0]
    return written, len(held)


def _beginning(name: str, aside: set[str] | frozenset[str]) -> tuple[tuple[str, ...], str] | None:
    """Return the words of a name up to the first that an environment is called by, and the text from there."""
    words = [(match[0], match.start()) for match in _WORD.finditer(name)]
    while words and words[0][0].lower() in aside:
        words = words[1:]
    taken: list[str] = []
    for word, _ in words:
        if word.lower() in aside:
            break
        taken.append(word)
    return (tuple(taken), name[words[0][1] :]) if taken else None


def _written(text: str, length: int) -> str:
    """Return the first words of a text as they are written, with what parts them."""
    ends = [match.end() for match in _WORD.finditer(text)]
    return text[: ends[length - 1]]


MOST_ENVIRONMENTS = 20
"""How many environments a contract begins with; the others stand in it as comments."""

_NO_ENVIRONMENT = "by its name it is no environment, and nothing runs in it; uncomment what should be checked anyway"
_EMPTY = "it makes no resources, and root modules that do lie below it"
_STRANGER = "named and tagged unlike the rest, like another application; uncomment what should also be checked"
_A_SET = 2
_MOST_SELECTORS = 10
_ONE_OF_MANY = "there are more root modules than a contract should begin with"


class LeftOut(Struct, frozen=True):
    """An environment that the contract begins without, and why."""

    candidate: EnvironmentCandidate
    reason: str


def _first_problem(plan: Plan) -> str:
    return next((str(problem).splitlines()[0] for problem in plan.problems), "")


class Adoption(Struct, frozen=True):
    """What is known of a repository.

    `support` says how many of how many names begin with the application, `plans` are those of the environments;
    `fault` says why none can be evaluated, if so: then one of them is kept without a plan. `applications` are those by
    directory, where there are several: no pattern is of one of them then.
    """

    repository: RepositoryFiles
    application: str
    support: tuple[int, int]
    environments: tuple[EnvironmentCandidate, ...]
    task_definitions: Mapping[str, Sequence[str]]
    left_out: tuple[LeftOut, ...] = ()
    names: tuple[Guess, ...] = ()
    tags: tuple[TagGuess, ...] = ()
    allow_empty: tuple[str, ...] = ()
    fault: str = ""
    plans: Mapping[str, Plan] = field(default_factory=dict)
    applications: Mapping[str, str] = field(default_factory=dict)

    def fault_of(self, environment: str) -> str:
        """Return what is wrong with an environment first, empty if nothing is."""
        return _first_problem(self.plans[environment]) if environment in self.plans else self.fault

    def unreadable(self) -> list[tuple[str, str]]:
        """Return the directories that cannot be parsed and are no environments, each with its first error."""
        roots = {each.root.path for each in self.environments}
        return [each for each in self.repository.roots.broken if each[0] not in roots]

    def data(self) -> dict[str, Any]:
        """Return the contract as tomllib would read it."""
        contract: dict[str, Any] = {
            "project": {"application": self.application},
            "environments": {each.name: environment_table(each, self.task_definitions) for each in self.environments}
            or {name: {"task_definitions": list(files)} for name, files in self.task_definitions.items()},
            "suite": {"undetermined": "warn", "allow_empty": list(self.allow_empty)},
        }
        if self.names:
            contract["names"] = {
                "patterns": {guess.type: guess.written for guess in self.names},
                "placeholders": self.placeholders(),
            }
        common = {guess.key: guess.rule for guess in self.tags if guess.is_common}
        if common:
            contract["tags"] = {"common": common}
        return contract

    def placeholders(self) -> dict[str, str]:
        """Return the placeholders that the patterns need to have defined."""
        used = [pattern for guess in self.names for pattern in guess.patterns]
        return {name: regex for name, regex in PLACEHOLDERS.items() if any(f"{{{name}}}" in text for text in used)}

    def contract(self) -> Contract:
        """Return the contract as a model."""
        contract = Contract.model_validate(self.data())
        return contract.model_copy(update={"path": self.repository.directory / FILE_NAME})


def adopt(directory: Path) -> Adoption:
    """Read a repository and infer its contract. Raises RootMissingError if there is nothing to begin with."""
    repository = RepositoryFiles.read(directory)
    adoption = _evaluated(repository)
    strangers = _strangers(adoption)
    left = (*(LeftOut(each, _STRANGER) for each in strangers), *adoption.left_out)
    stay = [each for each in adoption.environments if each not in strangers]
    adoption = _inferred(replace(_only(adoption, stay), left_out=left))
    return replace(adoption, allow_empty=tuple(_empty(adoption)))


def _only(adoption: Adoption, environments: Sequence[EnvironmentCandidate]) -> Adoption:
    """Return it with some of its environments."""
    if not adoption.environments:
        return adoption
    plans = {each.name: adoption.plans[each.name] for each in environments if each.name in adoption.plans}
    return replace(adoption, environments=tuple(environments), plans=plans)


def _inferred(adoption: Adoption) -> Adoption:
    """Add application, patterns and tags to what was evaluated."""
    plans = adoption.plans
    names = [name for plan in plans.values() for name in _each(names_of(plan, {}))]
    found = application_of([named.name for named in names], [each.name for each in adoption.environments])
    several = _applications(adoption)
    found = None if several else found
    application, held = found or (adoption.application, 0)
    support = (held, len(names))
    adoption = replace(adoption, application=application, support=support, names=(), tags=(), applications=several)
    contract = adoption.contract()
    facts = {name: _facts(contract, name, plan, found=found is not None) for name, plan in plans.items()}
    roots = {each.name: each.root.path for each in adoption.environments}
    named = [each for name, plan in plans.items() for each in _each(names_of(plan, facts[name]))]
    carried = [each for name, plan in plans.items() for each in _each(tags_of(plan, facts[name], roots.get(name, "")))]
    return replace(adoption, names=tuple(patterns_of(named)), tags=tuple(common_tags(carried)))


def _applications(adoption: Adoption) -> dict[str, str]:
    """Return what most names begin with, by the directory of environments, where that is not the same in all."""
    groups: dict[str, list[str]] = {}
    for each in adoption.environments:
        above, _, last = each.root.path.rpartition("/")
        directory = above if last.lower() in ENVIRONMENT_WORDS else each.root.path
        if each.name in adoption.plans:
            own = [named.name for named in _each(names_of(adoption.plans[each.name], {}))]
            groups.setdefault(directory, []).extend(own)
    names = [each.name for each in adoption.environments]
    found = {directory: told[0] for directory, own in groups.items() if (told := application_of(own, names))}
    first = min(found.values(), key=len, default="")
    return {} if all(one.startswith(first) for one in found.values()) else found


def _facts(contract: Contract, name: str, plan: Plan, *, found: bool) -> dict[str, str]:
    """Return what names and tags are made of: no label that is of infraspec's making, or of the directory."""
    facts = facts_of(contract, name, region=plan.region, account=plan.account)
    synthetic = {APPLICATION: not found, ENVIRONMENT: environment_word(name) is None}
    return {fact: value for fact, value in facts.items() if not synthetic.get(fact)}


def _strangers(adoption: Adoption) -> list[EnvironmentCandidate]:
    """Return what is no environment by name, and follows the names and tags of those that are in less than half."""
    worded = [each for each in adoption.environments if environment_word(each.name)]
    others = [each for each in adoption.environments if each not in worded]
    if len(worded) < _A_SET or not others:
        return []
    inferred = _inferred(_only(adoption, worded))
    contract = replace(inferred, environments=adoption.environments).contract()
    found = []
    for each in others:
        findings = _judged(adoption.plans[each.name], contract, each.name)
        if sum(2 if finding.verdict is Verdict.VIOLATED else 0 for finding in findings) > len(findings):
            found.append(each)
    return found


def _judged(plan: Plan, contract: Contract, name: str) -> list[Finding]:
    findings: list[Finding] = []
    with suppress(InfraspecError):
        findings += check_names(plan, contract, name) if contract.names.patterns else []
    with suppress(InfraspecError):
        findings += check_tags(plan, contract, name) if contract.tags.common else []
    return findings


def _evaluated(repository: RepositoryFiles) -> Adoption:
    """Evaluate the environments; what has errors is left out, with the first."""
    application = repository.directory.absolute().name or "my-application"
    names = [candidate.name for candidate in repository.candidates]
    files = files_by_environment(list(repository.task_definitions), names)
    if not names:
        alone = Adoption(repository, application, (0, 0), (), {"main": repository.task_definitions})
        return replace(alone, plans={"main": Environments(alone.contract(), environ={}, lenient=True).plan("main")})
    chosen = _most_wanted(repository.candidates)
    adoption = Adoption(repository, application, (0, 0), chosen, files)
    plans: dict[str, Plan] = {}
    kept: list[EnvironmentCandidate] = []
    left = [LeftOut(each, _ONE_OF_MANY) for each in repository.candidates if each not in chosen]
    without = [replace(candidate, region=None) for candidate in adoption.environments]
    first = Environments(replace(adoption, environments=tuple(without)).contract(), environ={}, lenient=True)
    second = Environments(adoption.contract(), environ={}, lenient=True)
    for candidate in adoption.environments:
        try:
            plan, stays = first.plan(candidate.name), replace(candidate, region=None)
            if candidate.region and not isinstance(plan.region, str):
                plan, stays = second.plan(candidate.name), candidate
        except InfraspecError as error:
            left.append(LeftOut(candidate, str(error).splitlines()[0]))
        else:
            plans[candidate.name] = plan
            kept.append(stays)
    empty = _holding_others(kept, plans, files)
    kept = [each for each in kept if each not in empty]
    aside = _no_environments(kept, plans)
    kept = [each for each in kept if each not in aside]
    left = [*(LeftOut(each, _first_problem(plans[each.name]) or _NO_ENVIRONMENT) for each in aside), *left]
    left += [LeftOut(candidate, _EMPTY) for candidate in empty]
    if not kept:  # a contract has an environment: the suite will say all that is wrong with it
        faulty, *left = sorted(left, key=lambda each: each.reason == _ONE_OF_MANY)
        return replace(adoption, environments=(faulty.candidate,), left_out=tuple(left), fault=faulty.reason)
    plans = {candidate.name: plans[candidate.name] for candidate in kept}
    return replace(adoption, environments=tuple(kept), left_out=tuple(left), plans=plans)


def _holding_others(
    kept: Sequence[EnvironmentCandidate], plans: Mapping[str, Plan], files: Mapping[str, Sequence[str]]
) -> list[EnvironmentCandidate]:
    """Return root modules that hold no more than files for those below them: no resources, no modules, no tasks."""
    paths = [f"{each.root.path}/" for each in kept]
    return [
        each
        for each, own in zip(kept, paths, strict=True)
        if not plans[each.name].managed()
        and not plans[each.name].diagnostics
        and not files.get(each.name)
        and any(path.startswith(own) and path != own for path in paths)
    ]


def _most_wanted(candidates: Sequence[EnvironmentCandidate]) -> tuple[EnvironmentCandidate, ...]:
    """Return as many as a contract should begin with, in their order.

    What runs something comes first, then production, then what has a word.
    """
    ranked = sorted(
        candidates,
        key=lambda each: (not each.root.runs, not is_production(each.name), environment_word(each.name) is None),
    )
    return tuple(each for each in candidates if each in ranked[:MOST_ENVIRONMENTS])


def _no_environments(kept: Sequence[EnvironmentCandidate], plans: Mapping[str, Plan]) -> list[EnvironmentCandidate]:
    """Return root modules that are no environments, such as a bootstrap: beside `dev` and `prod` names tell."""
    if sum(1 for candidate in kept if environment_word(candidate.name)) < _A_SET:
        return []
    return [each for each in kept if not environment_word(each.name) and not _runs(plans[each.name])]


def _empty(adoption: Adoption) -> list[str]:
    """Return what matches nothing in some environment that is evaluated as a whole, for `allow_empty`."""
    contract = adoption.contract()
    found: dict[str, None] = {}
    for name, plan in adoption.plans.items():
        if plan.problems:
            continue
        found |= dict.fromkeys(empty_selectors(plan, contract))
        checks: dict[str, Callable[[], Sequence[Finding]]] = {SOURCE.id: partial(check_source, plan)}
        if contract.names.patterns:
            checks[NAMES.id] = partial(check_names, plan, contract, name)
        if contract.tags.common:
            checks[TAGS.id] = partial(check_tags, plan, contract, name)
        for rule, check in checks.items():
            with suppress(InfraspecError):
                if not check():
                    found[rule] = None
        if not adoption.task_definitions[name] and not _has_task_definitions(plan):
            found |= dict.fromkeys((TASK_DEFINITIONS.id, SECRET_ACCESS.id))
    if sum(1 for entry in found if entry.startswith(f"{NAMES.id}:")) > _MOST_SELECTORS:
        found[NAMES.id] = None
    return [entry for entry in found if ":" not in entry or entry.partition(":")[0] not in found]


def _runs(plan: Plan) -> bool:
    return bool(plan.managed(*RUNNING)) or _has_task_definitions(plan)


def _has_task_definitions(plan: Plan) -> bool:
    try:
        return bool(task_definitions(plan))
    except InfraspecError:
        return True


def _each(items: Iterator[T]) -> Iterator[T]:
    """Yield what can be read; an attribute that has no value ends it, and the suite will say so."""
    with suppress(InfraspecError):
        yield from items


def environment_table(candidate: EnvironmentCandidate, files: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return what the contract says of an environment, with the files of task definitions by environment."""
    table: dict[str, Any] = {"root": candidate.root.path}
    if candidate.account and candidate.account.certain:
        table["account_id"] = candidate.account.value
    if candidate.region:
        table["region"] = candidate.region.value
    if candidate.workspace != "default":
        table["workspace"] = candidate.workspace
    if candidate.var_files:
        table["var_files"] = list(candidate.var_files)
    if candidate.variables:
        table["variables"] = dict(candidate.variables)
    if files.get(candidate.name):
        table["task_definitions"] = list(files[candidate.name])
    return table
