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
from infraspec.checks.access.missing_permission import explain_denial, explain_doubt
from infraspec.checks.access.secret_links import ChainLink, ChainLinks, Judged, comparison
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import render
from infraspec.ecs.references import ValueStore
from infraspec.ecs.start import CURRENT, TASKS, ChainFacts, Refusal, StoredSecret
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.evaluation.decision import why
from infraspec.terraform.plan import Plan

RULE = RULES["secret-chain"]

_ENABLED = "Enabled"
_USABLE = frozenset({_ENABLED, "Updating"})
"""The states in which a key can be used; AWS KMS API Reference, "UpdatePrimaryRegion", on the second."""


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
    return [_judge(link, links, secret_evidence) for link in links.of(live_task_definitions)]


def _judge(link: ChainLink, links: ChainLinks, evidence: ChainEvidence) -> Finding:
    need, role, facts = link.need, link.role, evidence.facts
    subject = RULE.about(link.definition.address, str(need), link.definition.locate(need.path))
    expected = f"the task can read {link.arn} when it starts"
    if role is None:
        return subject.violated(
            expected=expected,
            found="the task definition has no execution role",
            reason="ECS reads the values of secrets and parameters with the execution role",
            remedy="set execution_role_arn to a role that ecs-tasks.amazonaws.com is allowed to assume",
        )
    if role.resource is None and f":iam::{links.plan.account}:role/" in role.address:
        found, reason = f"there is no role {role.address}", "ECS cannot assume a role that does not exist"
        remedy = "create the role, or name one that exists"
        return subject.violated(expected=expected, found=found, reason=reason, remedy=remedy)
    steps = list(_judge_steps(link, facts, subject))
    broken = next((step.finding for step in steps if step.finding.verdict is Verdict.VIOLATED), None)
    if broken is not None:
        return broken
    judged = [_let_in_by_grants(permission, facts) for permission in link.judged]
    compared = [comparison(one, evidence.simulated.get(one.question)) for one in judged if one.question]
    lines = [one.text for one in compared if one.text]
    contested = next((one for one in compared if one.opens), None)
    if contested is not None:
        remedy = "run the simulation again in a minute, IAM changes reach it late; then compare the statements"
        reason = "\n".join(lines)
        return subject.undetermined(expected=expected, found=contested.found, reason=reason, remedy=remedy)
    denied = next((one for one in judged if one.judgement.answer is Truth.NO), None)
    if denied is not None:
        finding = explain_denial(subject, denied.requirement, role, denied.judgement, links.owners)
        return replace(finding, reason="\n".join([finding.reason, *lines]))
    read, proves = _find_reader(link, judged, facts, links.plan)
    doubtful = next((one for one in judged if one.judgement.answer is Truth.MAYBE), None)
    unknown = next((step for step in steps if step.leaves_open(decided=doubtful is None)), None)
    comes_first = link.value.partial or doubtful is None or (unknown is not None and unknown.is_refusal)
    if unknown is not None and comes_first and not proves:
        return unknown.finding
    if doubtful is not None and not proves:
        finding = explain_doubt(subject, doubtful.requirement, role, doubtful.judgement, links.owners)
        said = "SIMULATED" if compared and all(one.allows for one in compared) else "UNDETERMINED"
        return replace(finding, found=f"{said}: {finding.found}", reason="\n".join([finding.reason, *lines]))
    reasons = [] if proves else [one.judgement.reason or why(one.judgement.decision) for one in judged]
    reason = "; ".join(dict.fromkeys(part for part in [*reasons, read, *lines] if part))
    advice = None if read else next((step.finding for step in steps if step.finding.advice), None)
    hidden = facts.refused.get(TASKS) if advice else None
    proof = replace(advice, reason=f"{reason}; {advice.reason}") if advice else subject.proven(reason)
    for one in judged:
        proof = links.decisions.proof(proof, role, one.requirement, one.judgement.decision)
    return subject.unseen(hidden.found, hidden.remedy) if hidden else proof


class ChainStep(Struct, frozen=True):
    """What is to be said of one step if it is the one that decides.

    `is_refusal` is one that was not looked at because its policy keeps the runner out, `of_grants` one that hides its
    grants alone, which can only let in more.
    """

    finding: Finding
    is_refusal: bool = False
    of_grants: bool = False

    def leaves_open(self, *, decided: bool) -> bool:
        """Tell whether the step leaves the verdict open where the policies have decided it, or have not."""
        return self.finding.verdict is Verdict.UNDETERMINED and not (decided and self.of_grants)


def _judge_steps(link: ChainLink, facts: ChainFacts, subject: Subject) -> Iterator[ChainStep]:
    """Yield the steps of a value, in the order in which ECS takes them."""
    value = link.value
    kind = "secret" if value.store is ValueStore.SECRETS_MANAGER else "parameter"
    stored, named = facts.stored.get(link.arn), f"the {kind} {link.arn}"
    if value.problem:
        yield ChainStep(_report_malformed(link, subject))
    elif link.arn in facts.refused:
        yield _report_refusal(subject, named, facts.refused[link.arn])
    elif link.arn not in facts.stored:
        finding = subject.undetermined(
            expected=named,
            found="not checked",
            reason=f"it was not checked in AWS: the {kind} is in another account, or its ARN is unknown",
            remedy="run the live suite in that account too, or waive the finding once a task has started with it",
        )
        yield ChainStep(finding)
    elif stored is None:
        finding = subject.violated(
            expected=named,
            found=f"there is no such {kind} in the account",
            reason=f"ECS cannot start a task that reads a {kind} which does not exist",
            remedy=f"create the {kind}, or name one that exists; of a secret, the whole ARN with its suffix",
        )
        yield ChainStep(finding)
    else:
        yield from map(ChainStep, _judge_secret(link, stored, subject))
        yield from _judge_keys(link, facts, subject)
        yield from map(ChainStep, _judge_json_key(link, facts, subject))


def _report_malformed(link: ChainLink, subject: Subject) -> Finding:
    """Say what is wrong with a valueFrom. ECS hands on an ARN without its suffix, and Secrets Manager looks for it."""
    found, value = render(link.need.named), link.value
    if value.partial:
        reason = f"{value.problem}: AWS requires the whole ARN, although Secrets Manager may find the secret without it"
        expected = "the full ARN of a secret"
        return subject.undetermined(expected=expected, found=found, reason=reason, remedy=value.remedy)
    expected = "a valueFrom that ECS can read"
    return subject.violated(expected=expected, found=found, reason=value.problem, remedy=value.remedy)


def _judge_secret(link: ChainLink, stored: StoredSecret, subject: Subject) -> Iterator[Finding]:
    if stored.deletion is not None:
        yield subject.violated(
            expected=f"the secret {stored.arn} stays",
            found=f"it is marked for deletion, DeletedDate {stored.deletion:%Y-%m-%d %H:%M} UTC",
            reason="Secrets Manager does not return the value of a secret that is marked for deletion",
            remedy=f"aws secretsmanager restore-secret --secret-id {stored.arn}",
        )
    _, stage, version = link.value.suffix
    wanted = stage or CURRENT
    if link.value.store is ValueStore.SECRETS_MANAGER and not stored.has(wanted, version):
        named = f"the version {version}" if version else f"a version with the stage {wanted}"
        stages = sorted({stage for stages in stored.stages.values() for stage in stages})
        yield subject.violated(
            expected=f"{named} of {stored.arn}",
            found=f"the stages {', '.join(stages)}" if stages else "a secret without a value",
            reason="ECS requests that version when it starts a task",
            remedy=f"put a value with aws secretsmanager put-secret-value --secret-id {stored.arn}"
            if wanted == CURRENT and not version
            else "name a stage or a version that exists, or leave it out for AWSCURRENT",
        )


def _judge_keys(link: ChainLink, facts: ChainFacts, subject: Subject) -> Iterator[ChainStep]:
    for permission in link.judged:
        key = render(permission.requirement.resource)
        state = facts.keys.get(key, _ENABLED)
        if permission.requirement.action != "kms:Decrypt":
            continue
        if key in facts.refused:
            yield _report_refusal(subject, f"the key {key}", facts.refused[key])
        if state not in _USABLE:
            fix = {
                "PendingDeletion": f"aws kms cancel-key-deletion --key-id {key}\naws kms enable-key --key-id {key}",
                "Disabled": f"aws kms enable-key --key-id {key}",
            }
            otherwise = f"bring the key into the state {_ENABLED}, or encrypt the secret with another one"
            finding = subject.violated(
                expected=f"the key {key} is {_ENABLED}",
                found=f"it is {state}",
                reason="what is encrypted with a key cannot be read while the key is in that state",
                remedy=fix.get(state, otherwise),
            )
            yield ChainStep(finding)


def _report_refusal(subject: Subject, named: str, refusal: Refusal) -> ChainStep:
    finding = subject.undetermined(
        expected=f"{named} allows the runner to read it",
        found=refusal.found,
        reason="what its policy says of the execution role is unknown: it may deny that role as well",
        remedy=refusal.remedy,
    )
    return ChainStep(finding, is_refusal=True, of_grants=refusal.of_grants)


def _judge_json_key(link: ChainLink, facts: ChainFacts, subject: Subject) -> Iterator[Finding]:
    key, _, _ = link.value.suffix
    read = facts.values.get((link.arn, key))
    has_key = read.has_key if read else None
    expected = f"the value of {link.arn} is a JSON object with the key {key}"
    if key and has_key is False:
        yield subject.violated(
            expected=expected,
            found=(read.problem if read else "") or f"it has no key {key}",
            reason="ECS cannot start a task that references a JSON key missing from the value",
            remedy=f"put the key {key} into it",
        )
    elif key and has_key is None:
        yield subject.advice(
            expected=expected,
            found="the value was not read",
            reason=f"it cannot be decided whether the value has the JSON key {key}",
            remedy="let the suite read it where that is allowed: "
            "read_secrets in the contract's [environments.NAME.live]",
        )


def _find_reader(link: ChainLink, judged: Iterable[Judged], facts: ChainFacts, plan: Plan) -> tuple[str, bool]:
    """Return the newest running task of the revision, if it started after the last change of the secret, in words.

    With it comes whether all that leaves the decision open is older than the task, so that it proves the decision.
    """
    arn = link.definition.resource.stated("arn") if link.definition.resource is not None else None
    tasks = [task for task in facts.tasks if task.task_definition == arn]
    stored = facts.stored.get(link.arn)
    newest = max(tasks, key=lambda task: task.started, default=None)
    if newest is None or stored is None or stored.changed is None or newest.started <= stored.changed:
        return "", False
    text = f"the task {newest.arn.rpartition('/')[2]} read it when it started, {newest.started:%Y-%m-%d %H:%M} UTC"
    dates = list(_dates(judged, plan))
    proves = bool(dates) and all(date is not None and date < newest.started for date in dates)
    return (f"{text}, after the last change of secret and policies" if proves else text), proves


def _dates(judged: Iterable[Judged], plan: Plan) -> Iterator[datetime | None]:
    """Yield when each policy that leaves a decision open last changed; None of one that has no date."""
    dates = {policy.address: policy.stated("update_date") for policy in plan.managed("aws_iam_policy")}
    for judgement in (one.judgement for one in judged if one.judgement.answer is Truth.MAYBE):
        doubts = judgement.decision.doubts
        if judgement.doubt is not None or not doubts:
            yield None
        for doubt in doubts:
            date = dates.get(doubt.hit.policy.name)
            yield date if isinstance(date, datetime) else None


def _let_in_by_grants(permission: Judged, facts: ChainFacts) -> Judged:
    """Take grants of the key into account: they let in a role that no policy does."""
    judgement, question = permission.judgement, permission.question
    if permission.requirement.action != "kms:Decrypt" or question is None or judgement.answer is Truth.YES:
        return permission
    prefix = "kms:EncryptionContext:"
    context = {key.removeprefix(prefix): text for key, text in question.context if key.startswith(prefix)}
    role, key, layers = question.role, question.resource, judgement.decision.layers
    denies = [answer for layer in (layers.all() if layers else ()) for answer, _ in layer.denies]
    if any(answer is not Truth.NO for answer in denies):
        return permission
    if any(grant.lets(role, key, context) for grant in facts.grants):
        let_in = replace(judgement, answer=Truth.YES, reason="a grant of the key allows the role")
        return replace(permission, judgement=let_in)
    may_be = key in facts.refused and judgement.answer is Truth.NO
    return replace(permission, judgement=replace(judgement, answer=Truth.MAYBE)) if may_be else permission
