"""Rule `secret-chain`: a task that starts now can read each value that its task definition names.

One finding for each value: the secret exists, is not being deleted and has the version that is asked for, its key can
be used, and the policies of role, boundary, secret and key let the execution role read it. What is PROVEN is so by our
own decision over all these documents. What IAM's simulator says stands beside it; where the two differ for a reason
that nothing explains, the finding is UNDETERMINED. docs/secret-chain.md has the table.

Sources: AWS Secrets Manager User Guide, "Delete an AWS Secrets Manager secret" and "Secret versions"; Amazon ECS
Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables"; AWS Secrets Manager API
Reference, "GetSecretValue" (partial ARNs); AWS KMS Developer Guide, "Key states of AWS KMS keys".

It shows no more than that. A later change may keep the next task from starting, so it is a proof only of what has not
changed since; attachments of policies, inline policies and policies of keys have no date in AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.aws.simulate import Simulated, SimulationQuestion
from infraspec.checks.access.missing_permission import conclusion, violated
from infraspec.checks.access.secret_links import ChainLink, ChainLinks, Judged, comparison
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import SECRET_CHAIN as RULE
from infraspec.core.truth import Truth
from infraspec.core.unknown import render
from infraspec.ecs.references import ValueStore
from infraspec.ecs.start import CURRENT, ChainFacts, Refusal, StoredSecret
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.evaluation.decision import why
from infraspec.terraform.plan import Plan

_ENABLED = "Enabled"
_USABLE = frozenset({_ENABLED, "Updating"})
"""The states in which a key can be used; AWS KMS API Reference, "UpdatePrimaryRegion", on the second."""


class ChainStep(Struct, frozen=True):
    """What is to be said of one step; with `advice` it holds so far as it was looked at.

    `is_refusal` is one that was not looked at because its policy keeps the runner out, `of_grants` one that hides its
    grants alone, which can only let in more.
    """

    answer: Truth
    expected: str = ""
    found: str = ""
    reason: str = ""
    remedy: str = ""
    advice: bool = False
    is_refusal: bool = False
    of_grants: bool = False

    def leaves_open(self, *, decided: bool) -> bool:
        """Tell whether the step leaves the verdict open where the policies have decided it, or have not."""
        return self.answer is Truth.MAYBE and not (decided and self.of_grants)


def steps_of(link: ChainLink, facts: ChainFacts) -> Iterator[ChainStep]:
    """Yield the steps of a value, in the order in which ECS takes them."""
    if link.value.problem:
        yield _malformed(link)
        return
    kind = "secret" if link.value.store is ValueStore.SECRETS_MANAGER else "parameter"
    if link.arn in facts.refused:
        yield _refusal(f"the {kind} {link.arn}", facts.refused[link.arn])
        return
    if link.arn not in facts.stored:
        reason = f"what AWS has there was not looked at: the {kind} is of another account, or its ARN is not known"
        remedy = "run the live suite in that account too, or waive the finding once a task has started with it"
        yield ChainStep(Truth.MAYBE, f"the {kind} {link.arn}", "not looked at", reason, remedy)
        return
    stored = facts.stored[link.arn]
    if stored is None:
        reason = f"ECS cannot start a task that reads a {kind} which does not exist"
        remedy = f"create the {kind}, or name one that exists; of a secret, the whole ARN with its suffix"
        yield ChainStep(Truth.NO, f"the {kind} {link.arn}", f"there is no such {kind} in the account", reason, remedy)
        return
    yield from _of_secret(link, stored)
    yield from _of_keys(link, facts)
    yield from _of_json_key(link, facts)


def _malformed(link: ChainLink) -> ChainStep:
    """Say what is wrong with a valueFrom. ECS hands on an ARN without its suffix, and Secrets Manager looks for it."""
    shown, value = render(link.need.named), link.value
    if value.partial:
        reason = f"{value.problem}: AWS asks for the whole ARN, and Secrets Manager may find the secret without it"
        return ChainStep(Truth.MAYBE, "the full ARN of a secret", shown, reason, value.remedy)
    return ChainStep(Truth.NO, "a valueFrom that ECS can read", shown, value.problem, value.remedy)


def _of_secret(link: ChainLink, stored: StoredSecret) -> Iterator[ChainStep]:
    if stored.deletion is not None:
        yield ChainStep(
            Truth.NO,
            f"the secret {stored.arn} stays",
            f"it is marked for deletion, DeletedDate {stored.deletion:%Y-%m-%d %H:%M} UTC",
            "Secrets Manager does not give out the value of a secret that is marked for deletion",
            f"aws secretsmanager restore-secret --secret-id {stored.arn}",
        )
    if link.value.store is not ValueStore.SECRETS_MANAGER:
        return
    _, stage, version = link.suffix
    wanted = stage or CURRENT
    if not stored.has(wanted, version):
        named = f"the version {version}" if version else f"a version with the stage {wanted}"
        stages = sorted({stage for stages in stored.stages.values() for stage in stages})
        yield ChainStep(
            Truth.NO,
            f"{named} of {stored.arn}",
            f"the stages {', '.join(stages)}" if stages else "a secret without a value",
            "ECS asks for that version when it starts a task",
            f"put a value with aws secretsmanager put-secret-value --secret-id {stored.arn}"
            if wanted == CURRENT and not version
            else "name a stage or a version that exists, or leave it out for AWSCURRENT",
        )


def _of_keys(link: ChainLink, facts: ChainFacts) -> Iterator[ChainStep]:
    for one in link.judged:
        key = render(one.requirement.resource)
        state = facts.keys.get(key, _ENABLED)
        if one.requirement.action != "kms:Decrypt":
            continue
        if key in facts.refused:
            yield _refusal(f"the key {key}", facts.refused[key])
        if state not in _USABLE:
            mend = {
                "PendingDeletion": f"aws kms cancel-key-deletion --key-id {key}\naws kms enable-key --key-id {key}",
                "Disabled": f"aws kms enable-key --key-id {key}",
            }
            yield ChainStep(
                Truth.NO,
                f"the key {key} is {_ENABLED}",
                f"it is {state}",
                "what is encrypted with a key cannot be read while the key is in that state",
                mend.get(state, f"bring the key into the state {_ENABLED}, or encrypt the secret with another one"),
            )


def _refusal(named: str, refusal: Refusal) -> ChainStep:
    return ChainStep(
        Truth.MAYBE,
        f"{named} lets the runner look at it",
        refusal.found,
        "what its policy says of the execution role is not known: it may keep that out as well",
        refusal.remedy,
        is_refusal=True,
        of_grants=refusal.of_grants,
    )


def _of_json_key(link: ChainLink, facts: ChainFacts) -> Iterator[ChainStep]:
    key, _, _ = link.suffix
    if not key:
        return
    read = facts.values.get((link.arn, key))
    expected = f"the value of {link.arn} is a JSON object with the key {key}"
    if read is not None and read.has_key is False:
        reason = "ECS cannot start a task that asks for a JSON key which the value does not have"
        yield ChainStep(
            Truth.NO, expected, read.problem or f"it has no key {key}", reason, f"put the key {key} into it"
        )
    elif read is None or read.has_key is None:
        yield ChainStep(
            Truth.YES,
            expected,
            "the value was not looked at",
            f"whether it has the JSON key {key} is not known from what was read",
            "let the suite read it where that is allowed: read_secrets in the contract's [environments.NAME.live]",
            advice=True,
        )


_DATE = "update_date"


class RunningReader(Struct, frozen=True):
    """A task that read the value, for the finding; `proves` if all that leaves the decision open is older than it."""

    text: str = ""
    proves: bool = False


def running_reader(link: ChainLink, judged: Iterable[Judged], facts: ChainFacts, plan: Plan) -> RunningReader:
    """Return the newest running task of the revision, if it started after the last change of the secret."""
    resource = link.definition.resource
    arn = resource.get("arn") if resource is not None else None
    tasks = [task for task in facts.tasks if task.task_definition == arn]
    stored = facts.stored.get(link.arn)
    if not tasks or stored is None or stored.changed is None:
        return RunningReader()
    newest = max(tasks, key=lambda task: task.started)
    if newest.started <= stored.changed:
        return RunningReader()
    text = f"the task {newest.arn.rpartition('/')[2]} read it when it started, {newest.started:%Y-%m-%d %H:%M} UTC"
    dates = list(_dates(judged, plan))
    proves = bool(dates) and all(date is not None and date < newest.started for date in dates)
    return RunningReader(f"{text}, after the last change of secret and policies" if proves else text, proves)


def _dates(judged: Iterable[Judged], plan: Plan) -> Iterator[datetime | None]:
    """Yield when each policy that leaves a decision open last changed; None of one that has no date."""
    dates = {policy.address: policy.get(_DATE) for policy in plan.managed("aws_iam_policy")}
    for one in judged:
        if one.judgement.answer is not Truth.MAYBE:
            continue
        doubts = one.judgement.decision.doubts
        if one.judgement.doubt is not None or not doubts:
            yield None
        for doubt in doubts:
            date = dates.get(doubt.hit.policy.name)
            yield date if isinstance(date, datetime) else None


class ChainEvidence(Struct, frozen=True):
    """What AWS says beside the documents that the live Plan has."""

    facts: ChainFacts = field(default_factory=ChainFacts)
    simulated: Mapping[SimulationQuestion, Simulated] = field(default_factory=dict)


def questions(
    plan: Plan, definitions: Iterable[TaskDefinition], contract: Contract, environment: str
) -> list[SimulationQuestion]:
    """List what IAM's simulator is to be asked about the task definitions."""
    links = ChainLinks(plan, contract, environment).of(definitions)
    return [one.question for link in links for one in link.judged if one.question is not None]


def check_secret_chain(
    live_plan: Plan,
    live_task_definitions: Iterable[TaskDefinition],
    secret_evidence: ChainEvidence,
    contract: Contract,
    environment: str,
) -> list[Finding]:
    """Judge every value that the containers read: one finding each. `live_plan` is what exists."""
    links = ChainLinks(live_plan, contract, environment)
    check = _Check(links, secret_evidence)
    return [check.finding(link) for link in links.of(live_task_definitions)]


class _Check(Struct):
    links: ChainLinks
    evidence: ChainEvidence

    def finding(self, link: ChainLink) -> Finding:
        blank = Finding(
            RULE.id,
            Verdict.UNDETERMINED,
            link.definition.address,
            str(link.need),
            link.definition.locate(link.need.path),
            expected=f"the task can read {link.arn} when it starts",
        )
        if link.role is None:
            return replace(
                blank,
                verdict=Verdict.VIOLATED,
                found="the task definition has no execution role",
                reason="ECS reads the values of secrets and parameters with the execution role",
                remedy="set execution_role_arn to a role that ecs-tasks.amazonaws.com may assume",
            )
        if link.role.resource is None and f":iam::{self.links.plan.account}:role/" in link.role.address:
            return replace(
                blank,
                verdict=Verdict.VIOLATED,
                found=f"there is no role {link.role.address}",
                reason="ECS cannot assume a role that does not exist",
                remedy="create the role, or name one that exists",
            )
        steps = list(steps_of(link, self.evidence.facts))
        broken = next((step for step in steps if step.answer is Truth.NO), None)
        if broken is not None:
            return _of_step(blank, broken, Verdict.VIOLATED)
        judged = [self._granted(one) for one in link.judged]
        denied = next((one for one in judged if one.judgement.answer is Truth.NO), None)
        compared = [comparison(one, self.evidence.simulated.get(one.question)) for one in judged if one.question]
        lines = [one.text for one in compared if one.text]
        open_ = next((one for one in compared if one.opens), None)
        if denied is not None and open_ is None:
            text = violated(denied.requirement, link.role, denied.judgement.decision, self.links.owners)
            return _with(blank, text, Verdict.VIOLATED, lines)
        reader = running_reader(link, judged, self.evidence.facts, self.links.plan)
        if open_ is not None:
            remedy = "run the simulation again in a minute, IAM changes reach it late; then compare the statements"
            return replace(blank, found=open_.found, reason="\n".join(lines), remedy=remedy)
        doubtful = next((one for one in judged if one.judgement.answer is Truth.MAYBE), None)
        unknown = next((step for step in steps if step.leaves_open(decided=doubtful is None)), None)
        comes_first = link.value.partial or doubtful is None or (unknown is not None and unknown.is_refusal)
        if unknown is not None and comes_first and not reader.proves:
            return _of_step(blank, unknown, Verdict.UNDETERMINED)
        if doubtful is not None and not reader.proves:
            text = conclusion(doubtful.requirement, link.role, doubtful.judgement, self.links.owners)
            said = "SIMULATED" if compared and all(one.allows for one in compared) else "UNDETERMINED"
            found = f"{said}: {text.found}"
            return _with(blank, replace(text, found=found), Verdict.UNDETERMINED, lines)
        return self._proven(blank, judged, lines, steps, reader)

    def _granted(self, one: Judged) -> Judged:
        """Take grants of the key into account: they let in a role that no policy does."""
        if one.requirement.action != "kms:Decrypt" or one.question is None or one.judgement.answer is Truth.YES:
            return one
        prefix = "kms:EncryptionContext:"
        context = {key.removeprefix(prefix): text for key, text in one.question.context if key.startswith(prefix)}
        role, key = one.question.role, one.question.resource
        granted = any(grant.lets(role, key, context) for grant in self.evidence.facts.grants)
        may_be = key in self.evidence.facts.refused and one.judgement.answer is Truth.NO
        if not (granted or may_be) or any(answer is not Truth.NO for answer, _ in _denies(one)):
            return one
        if not granted:
            return replace(one, judgement=replace(one.judgement, answer=Truth.MAYBE))
        return replace(one, judgement=replace(one.judgement, answer=Truth.YES, reason="a grant of the key lets it in"))

    @staticmethod
    def _proven(
        blank: Finding, judged: list[Judged], lines: list[str], steps: list[ChainStep], reader: RunningReader
    ) -> Finding:
        reasons = [] if reader.proves else [one.judgement.reason or why(one.judgement.decision) for one in judged]
        said = "; ".join(dict.fromkeys(part for part in [*reasons, reader.text, *lines] if part))
        found = replace(blank, verdict=Verdict.PROVEN, reason=said, expected="")
        advice = next((step for step in steps if step.advice), None)
        if advice is None or reader.text:
            return found
        reason = f"{said}; {advice.reason}"
        return replace(
            found, expected=advice.expected, found=advice.found, reason=reason, remedy=advice.remedy, advice=True
        )


def _denies(one: Judged) -> Iterator[tuple[Truth, object]]:
    layers = one.judgement.decision.layers
    for layer in layers.all() if layers else ():
        yield from layer.denies


def _of_step(blank: Finding, step: ChainStep, verdict: Verdict) -> Finding:
    return replace(
        blank, verdict=verdict, expected=step.expected, found=step.found, reason=step.reason, remedy=step.remedy
    )


def _with(blank: Finding, text: Finding, verdict: Verdict, lines: list[str]) -> Finding:
    """Take over what the check of access says, with what the simulator says below it."""
    return replace(
        blank,
        verdict=verdict,
        expected=text.expected,
        found=text.found,
        reason="\n".join([text.reason, *lines]),
        remedy=text.remedy,
        related=text.related,
    )
