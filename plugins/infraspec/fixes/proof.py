"""Which patches hold what they promise: the source is judged with them, and no verdict may be worse.

A patch is offered only if its finding is PROVEN then, and no rule says in any environment that something which was
PROVEN is not, that something which was UNDETERMINED is VIOLATED, or that something new is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct, field

from infraspec import contract as contracts
from infraspec.core.errors import InfraspecError, listing
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import OF_ROLES, RULES, SOURCE
from infraspec.fixes.judgement import EnvironmentJudgement, Infrastructure, rank, worst
from infraspec.fixes.patch_builder import PatchBuilder, Wanted, applied
from infraspec.fixes.patches import patch_builder
from infraspec.fixes.text_edits import Edit, OverlapError, edited
from infraspec.hcl.parser import parse
from infraspec.reporting.run.recorder import REPOSITORY

_FEW = 3
_HELD = frozenset({Verdict.PROVEN, Verdict.UNDETERMINED})
_ROUNDS = 2
"""How often what a patch adds is changed by what rules say of it."""


class Unfixed(Struct, frozen=True):
    """A finding without a patch, and why."""

    environment: str
    finding: Finding
    reason: str


class Fixes(Struct, frozen=True):
    """What can be fixed: the findings, the texts of files before and after, and what cannot be."""

    fixed: tuple[Wanted, ...] = ()
    before: Mapping[Path, str] = {}
    after: Mapping[Path, str] = {}
    unfixed: tuple[Unfixed, ...] = ()
    awaited: tuple[tuple[str, str], ...] = ()
    """What has to be written for the variables that patches add, by environment."""
    unread: tuple[str, ...] = ()
    """What could not be read or judged, and is not among the findings."""


class Prover(Struct):
    """Finds the findings whose patches can be applied together."""

    infrastructure: Infrastructure
    _before: Mapping[str, EnvironmentJudgement] = field(default_factory=dict)
    _accepted: list[Wanted] = field(default_factory=list)
    _texts: dict[Path, str] = field(default_factory=dict)
    _patched: Infrastructure | None = None
    _refused: dict[tuple[str, str, str], Unfixed] = field(default_factory=dict)
    _awaited: tuple[tuple[str, str], ...] = ()

    def run(self, rules: Collection[str] = (), sought: Collection[str] = ()) -> Fixes:
        """Return the fixes of what is VIOLATED, of some rules alone, and of what some texts are a part of.

        What these leave, and would be changed otherwise with them, such as what names something that has another name
        then, is tried once more on top.
        """
        fixes = self._run(rules, sought)
        others = self._changed()
        if self._patched is None or not others:
            return fixes
        more = Prover(self._patched)._run(rules, sought, others)  # noqa: SLF001 - one of its own
        fixed = {_identity(one.environment, one.finding) for one in more.fixed}
        after = {**fixes.after, **more.after}
        return msgspec.structs.replace(
            fixes,
            fixed=(*fixes.fixed, *more.fixed),
            before={path: self.infrastructure.text(path) for path in after},
            after=after,
            unfixed=tuple(one for one in fixes.unfixed if _identity(one.environment, one.finding) not in fixed),
            awaited=tuple(dict.fromkeys((*fixes.awaited, *more.awaited))),
        )

    def _changed(self) -> set[_Identity]:
        """Return what is refused and has another change in the patched source."""
        before = {key: one.finding.changes for key, one in self._refused.items()}
        patched = self._patched.judged() if self._patched else {}
        found = ((_identity(name, one), one) for name, now in patched.items() for one in now.findings)
        return {key for key, one in found if one.changes and before.get(key, one.changes) != one.changes}

    def _run(
        self, rules: Collection[str], sought: Collection[str], among: Collection[_Identity] | None = None
    ) -> Fixes:
        self._before = self.infrastructure.judged()
        wanted: list[Wanted] = []
        chosen = [*self.infrastructure.chosen, REPOSITORY]
        places: set[object] = set()
        for name in dict.fromkeys([*chosen, *self.infrastructure.names]):
            for finding in self._before[name].findings:
                place = finding.rule, finding.location
                if among is not None and _identity(name, finding) not in among:
                    continue
                if not _is_sought(finding, rules, sought) or (name not in chosen and place not in places):
                    continue  # of other environments, what the same place of the source makes
                places.add(place)
                if finding.changes:
                    wanted.append(Wanted(name, finding))
                else:
                    self._refuse(Wanted(name, finding), no_change(finding))
        self._add(wanted)
        others = self._fixed_with_others()
        before = {path: self.infrastructure.text(path) for path in self._texts}
        unread = tuple(dict.fromkeys(_unread(self._before.values(), rules, sought)))
        return Fixes(
            (*self._accepted, *others), before, dict(self._texts), tuple(self._refused.values()), self._awaited, unread
        )

    def _fixed_with_others(self) -> list[Wanted]:
        """Return what has no patch of its own, and nothing is open of it with those of others."""
        if self._patched is None:
            return []
        after = self._patched.judged()
        open_ = {
            (name, finding.rule, finding.address)
            for name, now in after.items()
            for finding in now.findings
            if finding.verdict is not Verdict.PROVEN
        }
        fixed = [
            key
            for key, one in self._refused.items()
            if (one.environment, one.finding.rule, one.finding.address) not in open_
            and one.finding.rule not in after[one.environment].failed
        ]
        refused = [self._refused.pop(key) for key in fixed]
        return [Wanted(one.environment, one.finding) for one in refused]

    def _add(self, group: Sequence[Wanted]) -> None:
        """Accept a group, or the halves of it that hold; one that does not is tried in its other way."""
        if not group:
            return
        reasons, texts, patched = self._tried(group)
        refused = [one for one in group if one in reasons]
        if refused and len(refused) < len(group):
            self._add([one for one in group if one not in reasons])
            self._again(refused, reasons)
        elif refused:
            self._again(refused, reasons)
        elif texts is not None:
            self._accepted += group
            self._texts, self._patched = texts, patched
        else:
            for half in _halves(group):
                self._add(half)

    def _again(self, refused: Sequence[Wanted], reasons: Mapping[Wanted, str]) -> None:
        for one in refused:
            if one.following is None:
                self._refuse(one, reasons[one])
        self._add([one.following for one in refused if one.following is not None])

    def _refuse(self, one: Wanted, reason: str) -> None:
        self._refused[_identity(one.environment, one.finding)] = Unfixed(one.environment, one.finding, reason)

    def _tried(
        self, group: Sequence[Wanted]
    ) -> tuple[dict[Wanted, str], dict[Path, str] | None, Infrastructure | None]:
        """Return why some of a group cannot be built or fixed, or the texts with all; neither if halves are to be.

        With the texts comes the infrastructure that has them.
        """
        infrastructure = self.infrastructure
        built = _builder(infrastructure).build([*self._accepted, *group])
        reasons = {one: built.refused[one] for one in group if one in built.refused}
        if reasons:
            return reasons, None, None
        if any(one in built.refused for one in self._accepted):
            return self._alone(group, "it cannot be fixed together with another finding"), None, None
        try:
            texts = _texts(infrastructure, applied(built))
            texts, patched = self._followed(texts, [*self._accepted, *group])
            after = patched.judged()
        except (OverlapError, InfraspecError) as error:
            return self._alone(group, f"the patched source cannot be read: {str(error).splitlines()[0]}"), None, None
        problem = next(self._problems(after, [*self._accepted, *group]), "")
        if problem:
            return self._alone(group, problem), None, None
        asked = ((name, one) for name, now in after.items() for one in awaited(self._before[name], now))
        self._awaited = tuple((name, one.remedy) for name, one in asked)
        return {}, texts, patched

    def _followed(self, texts: dict[Path, str], tried: Sequence[Wanted]) -> tuple[dict[Path, str], Infrastructure]:
        """Return texts and the infrastructure with them, with changes of what they make VIOLATED, such as a new name.

        What is still VIOLATED for another reason, which has a change of its own, gets that too.
        """
        known = {_identity(one.environment, one.finding): one.finding.changes for one in tried}
        was = {name: worst(judged.findings) for name, judged in self._before.items()}
        patched = self.infrastructure.edited(texts)
        for _ in range(_ROUNDS):
            following = [
                Wanted(name, finding)
                for name, now in patched.judged().items()
                for finding in now.findings
                if finding.verdict is Verdict.VIOLATED
                and finding.changes
                and (
                    finding.key not in self._keys(name)
                    or (finding.changes[0].kind == "items" and was[name].get((finding.rule, finding.key)) in _HELD)
                    or finding.changes != known.get(_identity(name, finding), finding.changes)
                )
            ]
            if not following:
                break
            built = _builder(patched).build(following)
            while others := [one.following for one in built.refused if one.following is not None]:
                following = [one for one in following if one not in built.refused] + others
                built = _builder(patched).build(following)
            texts = {**texts, **_texts(patched, applied(built))}
            patched = self.infrastructure.edited(texts)
        return texts, patched

    def _keys(self, environment: str) -> set[str]:
        return {finding.key for finding in self._before[environment].findings}

    @staticmethod
    def _alone(group: Sequence[Wanted], reason: str) -> dict[Wanted, str]:
        return {group[0]: reason} if len(group) == 1 else {}

    def _problems(self, after: Mapping[str, EnvironmentJudgement], wanted: Sequence[Wanted]) -> Iterator[str]:
        """Yield what is worse than before, or not fixed."""
        for one in wanted:
            if left := _left(one, self._before[one.environment], after[one.environment]):
                yield left
        for name, now in after.items():
            yield from worse(self._before[name], now, name)


_Identity: TypeAlias = tuple[str, str, str]


def _identity(environment: str, finding: Finding) -> _Identity:
    """Return what tells a finding from all others."""
    return environment, finding.rule, finding.key


def _halves(group: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """Yield the halves of a group: what comes from one place of the source stays together as long as it can."""
    keys: tuple[Callable[[Wanted], object], ...] = (
        lambda one: (one.finding.rule, one.finding.location),
        lambda one: (one.finding.rule, one.finding.location, _need(one.finding)),
        lambda one: one,
    )
    for key in keys:
        clusters: dict[object, list[Wanted]] = {}
        for one in group:
            clusters.setdefault(key(one), []).append(one)
        if len(clusters) > 1:
            middle, parts = len(clusters) // 2, list(clusters.values())
            yield from ([one for part in half for one in part] for half in (parts[:middle], parts[middle:]))
            return


def _unread(before: Iterable[EnvironmentJudgement], rules: Collection[str], sought: Collection[str]) -> Iterator[str]:
    """Yield the errors that keep others from being found, where they are not asked for themselves."""
    for judged in before:
        for finding in judged.findings:
            is_violated = finding.rule == SOURCE.id and finding.verdict is Verdict.VIOLATED
            if is_violated and not _is_sought(finding, rules, sought):
                yield f"{finding.location or finding.address}: {finding.key.rpartition(' . ')[2] or finding.reason}"
        yield from (error for rule, error in judged.failed.items() if not rules or rule in rules)


def _is_sought(finding: Finding, rules: Collection[str], texts: Collection[str]) -> bool:
    if finding.verdict is not Verdict.VIOLATED or (rules and finding.rule not in rules):
        return False
    return not texts or any(text in f"{finding.rule}: {finding.key}" for text in texts)


def _builder(infrastructure: Infrastructure) -> PatchBuilder:
    directory = infrastructure.contract.directory.absolute()
    contract = infrastructure.contract
    given = contract.environments.items()
    files = {name: contracts.resolve(contract, one.var_files[-1]) for name, one in given if one.var_files}
    plans = infrastructure.environments.plan
    by_role = "aws_iam_role_policy" in contract.names.patterns
    return patch_builder(plans, infrastructure.names, directory, by_role=by_role, value_files=files)


def _texts(infrastructure: Infrastructure, edits: Sequence[Edit]) -> dict[Path, str]:
    """Return the texts of files with edits made. Raises OverlapError, or the syntax error that an edit makes."""
    texts: dict[Path, str] = {}
    for path in dict.fromkeys(edit.file for edit in edits):
        before = infrastructure.text(path)
        texts[path] = edited(before, [one for one in edits if one.file == path])
        if not _errors(before, path) and (errors := _errors(texts[path], path)):
            raise errors[0]
    return texts


def _errors(text: str, path: Path) -> list[InfraspecError]:
    errors: list[InfraspecError] = []
    parse(text, path.name, errors)
    return errors


_REASONS = msgspec.json.decode(Path(__file__).with_name("reasons.json").read_bytes(), type=dict[str, str])
"""Why the findings of a rule that have no change have none."""


def no_change(finding: Finding) -> str:
    """Say why a finding has no change to try."""
    if finding.rule in RULES and RULES[finding.rule].room == "process":
        return "it is about documents and workflows: `infraspec fix` edits Terraform"
    if finding.rule in OF_ROLES and finding.reason and finding.remedy and "\n" not in finding.remedy:
        return f"{finding.reason.splitlines()[0]}; by hand: {finding.remedy}"
    return _REASONS.get(finding.rule, "what to write instead is a choice; `infraspec check` says what it has to be")


def _left(one: Wanted, before: EnvironmentJudgement, after: EnvironmentJudgement) -> str:
    """Return what is left of a finding; nothing if it is proven, of itself or of a resource that is new."""
    finding = one.finding
    own = [other for other in after.findings if other.rule == finding.rule and other.address == finding.address]
    need = _need(finding)
    same = [other for other in own if _need(other) == need]
    own_actions = _actions(finding)
    open_ = [one for one in same if one.verdict is not Verdict.PROVEN and own_actions & _actions(one)]
    if open_:
        why = " ".join(text.partition("\n")[0] for text in (open_[0].found, open_[0].reason))
        return f"the change would leave it {open_[0].verdict.name}: {why}"
    known = {other.key for other in before.findings if other.rule == finding.rule}
    new = [other for other in after.findings if other.rule == finding.rule and other.key not in known]
    same = same or [other for other in new if other.verdict is Verdict.PROVEN and _need(other) == need]
    if not same and finding.rule != SOURCE.id:
        return "nothing would say that it is fixed"
    return ""


def _need(finding: Finding) -> str:
    """Return what a finding is about without the actions, of which those that are missing alike are told together."""
    return finding.subject.rpartition(": ")[0] if finding.rule in OF_ROLES else finding.subject


def _actions(finding: Finding) -> set[str]:
    """Return the actions that a finding about access is about, or a word that stands for all."""
    return set(finding.subject.rpartition(": ")[2].split(", ")) if finding.rule in OF_ROLES else {""}


def awaited(before: EnvironmentJudgement, after: EnvironmentJudgement) -> list[Finding]:
    """Return what asks for values of variables that a patch adds: an address to tell is nobody's but the owner's."""
    known = {one.key for one in before.findings if one.rule == SOURCE.id and one.verdict is not Verdict.PROVEN}
    found = (one for one in after.findings if one.rule == SOURCE.id and one.verdict is Verdict.UNDETERMINED)
    return [one for one in found if one.subject == _VARIABLES and one.key not in known]


_VARIABLES = "variables"
"""What a finding is about that asks for values of variables."""


def worse(before: EnvironmentJudgement, after: EnvironmentJudgement, environment: str) -> Iterator[str]:
    """Yield what is worse in an environment than before."""
    failed = [rule for rule in after.failed if rule not in before.failed]
    if failed:
        yield f"rule {failed[0]} could not judge {environment}: {after.failed[failed[0]]}"
    known, now = worst(before.findings), worst(after.findings)
    needs = {(one.rule, one.address, _need(one)) for one in before.findings if one.verdict is Verdict.VIOLATED}
    open_ = {(one.rule, one.key): one for one in after.findings}
    for key, verdict in now.items():
        finding = open_[key]
        if verdict is Verdict.VIOLATED and (finding.rule, finding.address, _need(finding)) not in needs:
            if known.get(key) is not Verdict.VIOLATED:
                yield f"it would make {key[0]} VIOLATED in {environment}: {key[1]}"
        elif key in known and rank(verdict) > rank(known[key]):
            yield f"it would make {key[0]} {verdict.name} in {environment}: {key[1]}"
    advised = {(one.rule, one.key) for one in before.findings if one.advice}
    asked = {(SOURCE.id, one.key) for one in awaited(before, after)}
    told = asked == {key for key in now.keys() - known.keys() if key[0] == SOURCE.id} and bool(asked)
    keys = {(one.rule, one.key) for one in before.findings}
    elsewise = {(one.rule, one.address) for one in after.findings if (one.rule, one.key) not in keys}
    places = {(one.rule, one.key): (one.rule, one.address) for one in before.findings}
    lost = [
        key
        for key in known.keys() - now.keys() - advised
        if known[key] is Verdict.PROVEN and not (told and key[0] == SOURCE.id) and places[key] not in elsewise
    ]
    if lost:
        yield f"nothing would say any more in {environment}: {listing([f'{rule} {key}' for rule, key in lost], _FEW)}"
