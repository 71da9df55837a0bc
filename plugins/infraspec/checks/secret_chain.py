"""Rule `secret-chain`: a task that starts now can read each value that its task definition names.

One finding for each value: the secret exists, is not being deleted and has the version that is asked for, its key can
be used, and the policies of role, boundary, secret and key let the execution role read it. What is PROVEN is so by our
own decision over all these documents. What IAM's simulator says stands beside it; where the two differ for a reason
that nothing explains, the finding is UNDETERMINED. docs/secret-chain.md has the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.aws.simulate import Question, Simulated
from infraspec.checks.chain_steps import Step, steps_of
from infraspec.checks.chain_tasks import Reader, running_reader
from infraspec.checks.secret_access_text import conclusion, violated
from infraspec.checks.secret_links import Judged, Link, Links
from infraspec.checks.simulation_text import comparison
from infraspec.contract.models import Contract
from infraspec.core.rules import SECRET_CHAIN as RULE
from infraspec.ecs.stored_value import ChainFacts
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.finding import Finding, Verdict
from infraspec.iam.answer import Answer
from infraspec.iam.why import why
from infraspec.terraform.plan import Plan


class Evidence(Struct, frozen=True):
    """What AWS says beside the documents that the live Plan has."""

    facts: ChainFacts = field(default_factory=ChainFacts)
    simulated: Mapping[Question, Simulated] = field(default_factory=dict)


def questions(
    plan: Plan, definitions: Iterable[TaskDefinition], contract: Contract, environment: str
) -> list[Question]:
    """List what IAM's simulator is to be asked about the task definitions."""
    links = Links(plan, contract, environment).of(definitions)
    return [one.question for link in links for one in link.judged if one.question is not None]


def check_secret_chain(
    live_plan: Plan,
    live_task_definitions: Iterable[TaskDefinition],
    secret_evidence: Evidence,
    contract: Contract,
    environment: str,
) -> list[Finding]:
    """Judge every value that the containers read: one finding each. `live_plan` is what exists."""
    links = Links(live_plan, contract, environment)
    check = _Check(links, secret_evidence)
    return [check.finding(link) for link in links.of(live_task_definitions)]


class _Check(Struct):
    links: Links
    evidence: Evidence

    def finding(self, link: Link) -> Finding:
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
        broken = next((step for step in steps if step.answer is Answer.NO), None)
        if broken is not None:
            return _of_step(blank, broken, Verdict.VIOLATED)
        judged = [self._granted(one) for one in link.judged]
        denied = next((one for one in judged if one.judgement.answer is Answer.NO), None)
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
        doubtful = next((one for one in judged if one.judgement.answer is Answer.MAYBE), None)
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
        if one.requirement.action != "kms:Decrypt" or one.question is None or one.judgement.answer is Answer.YES:
            return one
        prefix = "kms:EncryptionContext:"
        context = {key.removeprefix(prefix): text for key, text in one.question.context if key.startswith(prefix)}
        role, key = one.question.role, one.question.resource
        granted = any(grant.lets(role, key, context) for grant in self.evidence.facts.grants)
        may_be = key in self.evidence.facts.refused and one.judgement.answer is Answer.NO
        if not (granted or may_be) or any(answer is not Answer.NO for answer, _ in _denies(one)):
            return one
        if not granted:
            return replace(one, judgement=replace(one.judgement, answer=Answer.MAYBE))
        return replace(one, judgement=replace(one.judgement, answer=Answer.YES, reason="a grant of the key lets it in"))

    @staticmethod
    def _proven(blank: Finding, judged: list[Judged], lines: list[str], steps: list[Step], reader: Reader) -> Finding:
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


def _denies(one: Judged) -> Iterator[tuple[Answer, object]]:
    layers = one.judgement.decision.layers
    for layer in layers.all() if layers else ():
        yield from layer.denies


def _of_step(blank: Finding, step: Step, verdict: Verdict) -> Finding:
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
