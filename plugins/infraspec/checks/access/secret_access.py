"""Whether the roles of each task definition may do what its containers need: the check of the incident.

A task whose role may not read one of its secrets does not start: "ResourceInitializationError: unable to pull secrets
or registry auth". The permissions needed are those of `ecs.access_table`, the decision that of `iam.decision`.

Source: Amazon ECR User Guide, "Sync an upstream registry with an Amazon ECR private registry": a rule is for the
repositories below its prefix, one with the prefix ROOT for all that no other rule is for.

An apply makes the policies of the source what they are there. What the source does not have, it leaves as it is: a
policy that denies, or that of a key or a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.access.access_decisions import AccessDecisions, AccessJudgement, Keys
from infraspec.checks.access.existence import Existence
from infraspec.checks.access.missing_permission import explain_denial, explain_doubt
from infraspec.checks.access.task_start_fixes import role_changes
from infraspec.checks.access.trust import ACTION, Trust
from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE, ArnIndex, arn_index
from infraspec.checks.common.roles import Role, role_index
from infraspec.checks.common.roles_in_snapshots import RoleLookup
from infraspec.checks.common.statement_hcl import change_of, expression_in, grantable
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent
from infraspec.contract.models import Contract
from infraspec.core.errors import ErrorCollector
from infraspec.core.finding import Finding, Location, SourceChange, Verdict
from infraspec.core.rule import Placed, Rule, Subject
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, render
from infraspec.ecs.access_table import EXECUTION, NAMED_ROLES, ROWS, TASK, Access, RoleRows
from infraspec.ecs.references import ValueFrom
from infraspec.ecs.required_access import required_access, unknown_volumes
from infraspec.ecs.requirement import AccessContext, AccessDoubt, Need, Requirement
from infraspec.ecs.service_access import ExecuteCommand, ServiceConnect
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.evaluation.decision import Decision, Outcome
from infraspec.iam.policy.partial_arn import shown
from infraspec.iam.policy.statements import Hit
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.known_data import KnownData
from infraspec.workloads.named_roles import NamedRole, NamedRoles

RULE = RULES["secret-access"]


@dataclass
class Registries:
    """The pull-through cache rules of a plan."""

    owners: ArnIndex

    def is_cached(self, repository: Value) -> bool:
        """Tell whether the images of a repository, given by its ARN, may come through a rule."""
        text, (below, anywhere) = render(repository), self._beginnings
        return text.startswith(below) or (text.startswith(anywhere) and not self.exists(repository))

    def exists(self, repository: Value) -> bool:
        """Tell whether a repository is a resource of the plan."""
        return self.owners.find(repository) is not None

    @cached_property
    def _beginnings(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the ARNs of the repositories begin with: of rules with a prefix, and of those with ROOT."""
        attributes = self.owners.attributes
        below, anywhere = [], []
        for rule in self.owners.plan.managed("aws_ecr_pull_through_cache_rule"):
            prefix = attributes.text(rule, "ecr_repository_prefix")
            if prefix == "ROOT":
                anywhere.append(render(attributes.arn(rule, "ecr", "repository/")))
            else:
                below.append(render(attributes.arn(rule, "ecr", "repository/", prefix, "/")))
        return tuple(below), tuple(anywhere)


class Unapplied:
    """The source of a plan of what exists. `owners` are of what exists."""

    def __init__(self, source: Plan, owners: ArnIndex) -> None:
        self.source, self.owners = source, owners
        self._attributes = source.derived(AwsAttributes)
        self._roles = source.derived(role_index)
        self._decisions = AccessDecisions(source.derived(arn_index))

    def access(
        self, finding: Finding, role: Role, requirement: Requirement, decision: Decision, actions: Iterable[str]
    ) -> Finding:
        """Return the finding about actions that a role may not do, to be applied where that for certain fixes it."""
        written = self.source.by_address.get(role.address)
        lacks_allow = decision.outcome is Outcome.IMPLICITLY_DENIED and not decision.blocked_by
        if not lacks_allow or written is None or written.mode != "managed":
            return finding
        own, named = self._roles.role(written.reference("arn")), self._named(requirement.resource)
        there = replace(
            requirement,
            need=replace(requirement.need, named=named),
            resource=self._attributes.narrow(named),
            via=self._attributes.narrow(self._named(requirement.via)),
        )
        judged = [self._decisions.judge(own, replace(there, action=action)) for action in actions]
        hits = dict.fromkeys(judgement.decision.deciding for judgement in judged)
        if any(judgement.answer is not Truth.YES for judgement in judged) or not all(map(self._is_applied, hits)):
            return finding
        return replace(finding, remedy=_applied(hit.location for hit in hits if hit))

    def _is_applied(self, hit: Hit | None) -> bool:
        """Tell whether an apply makes the policy of a statement what the source says."""
        policy = self.source.by_address.get(hit.policy.name) if hit else None
        return policy is not None and policy.mode == "managed" and not policy.ignore_changes

    def trust(self, finding: Finding, row: Access, context: AccessContext) -> Finding:
        """Return the finding about the trust policy of a role of the source, to be applied where that fixes it."""
        written = self.source.by_address.get(finding.related[0].address) if finding.related else None
        if finding.verdict is not Verdict.VIOLATED or written is None:
            return finding
        source = Trust(self._decisions.owners).judge(
            row, written.address, RoleLookup(written), context, RULE.about(written)
        )
        proven = source.verdict is Verdict.PROVEN and not written.ignore_changes
        return replace(finding, remedy=_applied([written.location_of("assume_role_policy")])) if proven else finding

    def _named(self, arn: Value) -> Value:
        """Return the attribute of the source that is an ARN of what exists, if it knows the resource by a name."""
        owner = self.owners.find(arn) if isinstance(arn, str) else None
        known = owner is not None and owner.stated("arn") == arn and owner.address in self.source.by_address
        return owner.reference("arn") if owner is not None and known else arn


def _applied(places: Iterable[Location | None]) -> str:
    """Return the remedy of what the source has, and AWS has not."""
    shown = ", ".join(dict.fromkeys(str(place) for place in places if place))
    return f"apply it: the source{f' at {shown}' if shown else ''} allows it"


_BY_GRANT = AccessDoubt(
    "no policy allows the role to use the key, but a grant of the key may",
    remedy="rule secret-chain decides it for secrets and parameters, grants included; or allow it in a policy",
)
_ARTICLES = {EXECUTION: "an", TASK: "a"}
_PATHS = {EXECUTION: ("execution_role_arn", "executionRoleArn"), TASK: ("task_role_arn", "taskRoleArn")}


@of_what_may_be_absent
def check_secret_access(
    plan: Plan,
    task_definitions: Iterable[TaskDefinition],
    contract: Contract,
    environment: str,
    decisions: dict[str, Decision] | None = None,
) -> list[Finding]:
    """Judge every permission that every container needs, and that ECS may assume the roles: one finding each.

    `decisions` gets what IAM decided, by `Finding.key`, of what is not proven.
    Raises PolicyError, or InputErrorGroup with several, if a policy that matters is malformed.
    """
    known, decided = known_data(contract, environment), {} if decisions is None else decisions
    check = AccessCheck(placed(plan, contract, environment), known, decided)
    errors = ErrorCollector()
    findings: list[Finding] = []
    for task_definition in task_definitions:
        with errors.collect():
            findings += check.findings(task_definition)
    findings += check.of_all_named(errors)
    findings += check.unknown_services()
    errors.finalize()
    return findings


def known_data(contract: Contract, environment: str) -> KnownData:
    """Return what the contract knows of what is not in the source."""
    given = contract.environments.get(environment)
    return KnownData.of({**contract.known, **(given.known if given else {})})


def placed(plan: Plan, contract: Contract, environment: str) -> Plan:
    """Return the plan with account and region from the contract where it does not know them itself."""
    given = contract.environments.get(environment)
    account = given.account_id if given and isinstance(plan.account, Unknown) else None
    region = given.region if given and isinstance(plan.region, Unknown) else None
    return plan.derived(_placed, account, region)


def _placed(plan: Plan, account: str | None, region: str | None) -> Plan:
    changes = {name: value for name, value in (("account", account), ("region", region)) if value}
    return plan.replaced(**changes) if changes else plan


class Grant(Struct, frozen=True):
    """A need of a role of the plan that a statement meets: `path` is its place in the policy that `change` is for.

    `change` is what would allow the need and no more, `is_wide` tells whether the statement has a wildcard.
    """

    role: str
    path: str
    is_wide: bool
    change: SourceChange


def grants(
    plan: Plan, task_definitions: Iterable[TaskDefinition], contract: Contract, environment: str
) -> tuple[list[Grant], set[str]]:
    """Return what statements of the plan grant of what tasks need, and the roles of which not all is proven.

    The needs of a task role that are known are those of ECS Exec and the like: what the application calls is not.
    """
    check = AccessCheck(placed(plan, contract, environment), KnownData.of({}), {})
    for task_definition in task_definitions:
        list(check.findings(task_definition))
    found = (check.grant(*one) for one in check.granted)
    return list(filter(None, found)), check.open


class AccessCheck:
    """The check over one plan; the findings are those of a `rule`, about the roles that its `rows` name."""

    def __init__(
        self,
        plan: Plan,
        known: KnownData,
        decided: dict[str, Decision],
        rule: Rule = RULE,
        rows: tuple[RoleRows, ...] = NAMED_ROLES,
    ) -> None:
        self.plan, self.decided, self.rule = plan, decided, rule
        self.attributes = plan.derived(AwsAttributes)
        self.roles = plan.derived(role_index)
        self.owners = plan.derived(arn_index)
        self.keys = Keys(self.owners, known)
        self.registries = Registries(self.owners)
        self.sessions = ExecuteCommand(self.attributes, self.keys.arn)
        self.proxies = ServiceConnect(self.attributes)
        self.named = NamedRoles(self.attributes, rows, self.owners.find, self.keys.arn)
        self.existence = Existence(self.keys, self.sessions.services)
        self.trust = Trust(self.owners)
        self.decisions = AccessDecisions(self.owners)
        self.unapplied = Unapplied(plan.source, self.owners) if plan.source else None
        self.granted: list[tuple[Role, Requirement, Decision]] = []
        self.open: set[str] = set()

    def findings(self, task_definition: TaskDefinition) -> Iterator[Finding]:
        """Yield the findings of one task definition."""
        found = list(_report_hidden_parts(task_definition))
        context = self._context(task_definition)
        if self.plan.source is None:  # of what exists, the live rules ask AWS
            found += self.existence.findings(task_definition, context)
        yield from found
        needs = [
            *required_access(task_definition, context),
            *self.sessions.requirements(task_definition, context),
            *self.proxies.requirements(task_definition, context),
        ]
        if task_definition.execution_role is None and task_definition.task_role is None and not (needs or found):
            reason = "its containers have no secret, and no image, log or volume that a role is asked for"
            yield self.rule.about(task_definition, "no role").proven(reason)
        # A partial ARN is one finding of the rule task-definitions, with one fix.
        left = [one for one in needs if one.undecidable and one.need.path.endswith(".valueFrom")]
        needs = [one for one in needs if one not in left or not ValueFrom.parse(one.resource).partial]
        yield from (self._judge_anonymous(task_definition, need) for need in needs if need.anonymous)
        for row, value in (
            (ROWS["trust_execution"], task_definition.execution_role),
            (ROWS["trust_task"], task_definition.task_role),
        ):
            own = [need for need in needs if need.access.role == row.role and not need.anonymous]
            if value is None or value == task_definition.unknown_containers:  # of a file that cannot be read
                for need, actions in _statements(own, lambda _need: Outcome.IMPLICITLY_DENIED):
                    yield self._without_role(task_definition, need, ", ".join(actions))
                continue
            place = task_definition.locate(_PATHS[row.role][task_definition.resource is None])
            subject = self.rule.about(task_definition.address, f"{row.role} role: {ACTION} by {row.principal}", place)
            yield from self._of_role(NamedRole(task_definition, row, value, place), subject, context, own)

    def _without_role(self, task_definition: TaskDefinition, need: Requirement, actions: str) -> Finding:
        finding, resource = _report_without_role(task_definition, need, actions), task_definition.resource
        if finding.verdict is not Verdict.VIOLATED or resource is None:
            return finding
        return replace(finding, changes=self.plan.derived(role_changes).of(resource, need.access.role))

    def _judge_anonymous(self, task_definition: TaskDefinition, requirement: Requirement) -> Finding:
        """Judge what nobody in particular asks for: to mount a file system that has a policy without IAM."""
        need, decision = requirement.need, self.decisions.anonymous(requirement)
        subject = self.rule.about(task_definition, f"{need}: {requirement.action} without IAM")
        if decision.allowed is Truth.YES:
            return subject.proven(f"everybody is allowed by {decision.deciding}")
        subject = replace(subject, location=_place(task_definition, need))
        certain = decision.allowed is Truth.NO and self.owners.has_policy(requirement.resource) is True
        return (subject.violated if certain else subject.undetermined)(
            expected=f"the policy of {shown(need.named)} allows a client that does not identify itself",
            found="it does not" if certain else "cannot be decided",
            reason="\n".join(map(str, decision.doubts))
            or str(
                self.owners.doubt_of_policy(requirement.resource) or "without iam the task mounts it without its role"
            ),
            remedy='set transit_encryption = "ENABLED" and authorization_config { iam = "ENABLED" }',
        )

    def of_all_named(self, errors: ErrorCollector) -> list[Finding]:
        """Return the findings about the roles that the rows name, each once."""
        found: dict[str, Finding] = {}
        for role in self.named:
            with errors.collect():
                found |= {finding.key: finding for finding in self.of_named(role)}
        return list(found.values())

    def of_named(self, named: NamedRole) -> Iterator[Finding]:
        """Yield the findings about a role that a service, a capacity provider or a target names."""
        value, kind = named.value, f"{named.access.role} role"
        if named.named and named.named.hides and isinstance(value, Unknown):
            yield _report_hidden(self.rule.about(named.owner, kind, named.place), value, f"a known {kind}")
            return
        if value is None:
            yield self.rule.about(named.owner, kind, named.place).violated(
                expected=f"a role that {named.access.principal} is allowed to assume",
                found="it names none",
                reason=f"it acts only with that role ({named.access.source})",
                remedy=f"set {named.access.named_by.rpartition('.')[2]} to such a role",
            )
            return
        context = self._context_of(self.plan.by_address[named.owner.address])
        name = self._address(self._sought(named, context), value)
        subject = self.rule.about(named.owner, f"{kind} {name}: {ACTION} by {named.access.principal}", named.place)
        needs = list(self.named.requirements(named, name, context))
        yield from self._of_role(named, subject, context, needs)
        yield from self._unjudged(named, f"{kind} {name}")

    def _unjudged(self, named: NamedRole, kind: str) -> Iterator[Finding]:
        """Report what a role is used for that is not known, or that no row is about."""
        for hidden in dict.fromkeys(self.named.hidden(named)):
            if isinstance(hidden, Unknown):
                subject = self.rule.about(named.owner, f"{kind}, {hidden.address}", named.place)
                yield _report_hidden(subject, hidden, "what the role is used for is known")
                continue
            yield self.rule.about(named.owner, f"{kind}, {hidden}", named.place).undetermined(
                expected=f"the role is allowed to do what {hidden} requires",
                found="cannot be decided",
                reason=f"infraspec does not know which permissions {hidden} requires",
                remedy="compare the policy of the role with the AWS page about it, then waive the finding",
            )

    def _address(self, sought: RoleLookup, value: Value) -> str:
        return sought.resource.address if sought.resource else render(self.attributes.narrow(value))

    def _sought(self, named: NamedRole, context: AccessContext) -> RoleLookup:
        """Return what is known of a role; what a resource of the plan names by its ARN may be one of the plan."""
        sought, owner = self.roles.sought(named.value, context.account), named.owner
        of_file = isinstance(owner, TaskDefinition) and owner.resource is None
        by_name = named.access.named_by == "aws_ecs_service.iam_role"  # the ECS API takes the name too, "CreateService"
        if of_file or by_name or self.unapplied or sought.settled is not None:
            return sought
        return self.roles.by_arn(named.value) or sought

    def _of_role(
        self, named: NamedRole, subject: Subject, context: AccessContext, needs: list[Requirement]
    ) -> Iterator[Finding]:
        """Judge a role: who may assume it, and whether it may do what is needed of it."""
        value, row = named.value, named.access
        sought = self._sought(named, context)
        address = self._address(sought, value)
        if row.principal:
            finding = self.trust.judge(row, address, sought, context, subject)
            if finding.verdict is Verdict.VIOLATED and isinstance(named.owner, TaskDefinition):
                changes = finding.changes or _naming_by_arn(named.owner, row.role, sought)
                finding = replace(finding, consequence=_without_start(named.owner), changes=changes)
            yield self.unapplied.trust(finding, row, context) if self.unapplied else finding
        if needs and sought.settled is None:
            role = self.roles.role(value, context.account)
            judged = {id(need): self._judgement(role, need, named.owner) for need in needs}
            for need, actions in _statements(needs, lambda need: _refusal(need, judged[id(need)])):
                yield self._judge(named.owner, role, need, actions, judged[id(need)])

    def unknown_services(self) -> Iterator[Finding]:
        """Yield the services that ask for something of a task definition that is not known, or of what is not known."""
        for service, unknown in self.sessions.services.unknown:
            subject = self.rule.about(service, "ECS Exec", service.location_of("task_definition"))
            yield _report_hidden(subject, unknown, "a known task definition")
        for service, unknown in self.proxies.unknown_services:
            subject = self.rule.about(service, "Service Connect")
            yield _report_hidden(subject, unknown, "a known task definition, and a known log of the proxy")

    def _context(self, task_definition: TaskDefinition) -> AccessContext:
        on_fargate = task_definition.runs_on("FARGATE") is True and task_definition.runs_on("EC2") is False
        return self._context_of(task_definition.resource, on_fargate=on_fargate)

    def _context_of(self, resource: Resource | None, *, on_fargate: bool = False) -> AccessContext:
        return AccessContext.of(
            self.attributes,
            resource,
            key_of=self.keys.of,
            secret_named=self.owners.secret_named,
            is_cached=self.registries.is_cached,
            exists=self.registries.exists,
            find=self.owners.find,
            on_fargate=on_fargate,
            secret_read=self.owners.secret_read,
            has_policy=lambda arn: bool(self.owners.has_policy(arn) or self.owners.doubt_of_policy(arn)),
        )

    def _judgement(self, role: Role, requirement: Requirement, caller: Placed) -> AccessJudgement:
        """Judge a requirement; of what exists, a grant of a key may let in a role that no policy does."""
        judgement = self.decisions.judge(role, requirement, caller)
        decision = judgement.decision
        by_grant = (
            self.attributes.plan.source is not None
            and requirement.action.startswith("kms:")
            and judgement.answer is Truth.NO
            and judgement.obstacle is None
            and decision.outcome is not Outcome.EXPLICITLY_DENIED
        )
        return replace(judgement, answer=Truth.MAYBE, doubt=_BY_GRANT) if by_grant else judgement

    def _judge(
        self,
        owner: Placed,
        role: Role,
        requirement: Requirement,
        actions: tuple[str, ...],
        judgement: AccessJudgement,
    ) -> Finding:
        need, decision = requirement.need, judgement.decision
        subject = self.rule.about(owner, f"{need}: {', '.join(actions)}")
        if judgement.answer is Truth.YES:
            self.granted.append((role, requirement, decision))
            deciding = decision.deciding
            shown = f" ({deciding.location})" if deciding and role.snapshot else ""
            reason = judgement.reason or f"{role.address} is allowed by {deciding}{shown}"
            return self.decisions.proof(subject.proven(reason), role, requirement, decision)
        self.open.add(role.address)
        place = _place(owner, need) if isinstance(owner, TaskDefinition) else need.location
        subject = replace(subject, location=place)
        if judgement.answer is Truth.NO:
            finding = explain_denial(subject, requirement, role, judgement, self.owners, actions=actions)
            finding = replace(finding, consequence=_consequence(owner, requirement.access.role, actions))
        else:
            finding = explain_doubt(subject, requirement, role, judgement, self.owners, actions=actions)
        if self.unapplied and (judgement.answer is Truth.NO or judgement.doubt is _BY_GRANT):
            finding = self.unapplied.access(finding, role, requirement, decision, actions)
        self.decided[finding.key] = decision
        return finding

    def grant(self, role: Role, requirement: Requirement, decision: Decision) -> Grant | None:
        """Return what a statement grants to a role, if the plan has its policy."""
        hit = decision.deciding
        policy = self.plan.by_address.get(hit.policy.name) if hit else None
        if hit is None or policy is None or policy.mode != "managed" or role.resource is None:
            return None
        statement = hit.clause.statement
        is_plain = statement.condition is None and statement.actions is not None and statement.resources is not None
        texts = [render(one) for one in (*(statement.actions or ()), *(statement.resources or ()))]
        wide = [text for text in texts if text == "*" or text.endswith(":*") or (text.endswith("*") and ":" in text)]
        of_nobody = requirement.access.resource == "`*`"
        named = (
            "*"
            if of_nobody
            else grantable(requirement.action, requirement.resource, requirement.need.named, self.owners)
        )
        into = self.owners.document_of(policy) or policy
        path = "" if into.type == DOCUMENT_TYPE else "policy"
        change = change_of((requirement.action,), named, into, path)
        is_exact = (tuple(statement.actions or ()), texts[-1:]) == ((requirement.action,), ["*"]) and of_nobody
        return Grant(role.address, statement.path, is_plain and bool(wide) and not is_exact, change)


def _report_hidden(subject: Subject, unknown: Unknown, expected: str) -> Finding:
    """Report a part that is not known and may ask for access."""
    return subject.undetermined(
        expected=expected,
        found=f"cannot be decided: {unknown.address} is unknown",
        reason="it may require a permission that the role does not have",
        remedy=how_to_know(unknown),
    )


def _report_hidden_parts(task_definition: TaskDefinition) -> Iterator[Finding]:
    """Report what hides the needs of a task definition."""
    containers = "known container definitions"
    unknown = task_definition.unknown_containers
    hidden = [] if unknown is None else [("container definitions", "containerDefinitions", unknown, containers)]
    for container in task_definition.containers:
        for path, part in container.unknown_parts:
            named = f'container "{container.name}", {path.removeprefix(container.path).strip(".") or "all of it"}'
            hidden.append((named, path, part, containers))
    hidden += [(path, path, part, "known volumes") for path, part in unknown_volumes(task_definition)]
    for named, path, part, expected in hidden:
        subject = RULE.about(task_definition.address, named, task_definition.locate(path))
        yield _report_hidden(subject, part, expected)


def _report_without_role(task_definition: TaskDefinition, requirement: Requirement, actions: str) -> Finding:
    """Report a need of a task definition that does not have the role for it."""
    role, need = requirement.access.role, requirement.need
    by_instance = role == TASK or requirement.action.startswith(("ecr:", "logs:"))
    instance_role = by_instance and task_definition.runs_on("FARGATE") is False
    certain = requirement.doubt is None and not instance_role and task_definition.runs_on("EXTERNAL") is not None
    who = "only the role of the container instance" if instance_role else "nothing"
    place = need.location or task_definition.locate(need.path)
    subject = RULE.about(task_definition.address, f"{need}: {actions}", place)
    return (subject.violated if certain else subject.undetermined)(
        expected=f"{_ARTICLES[role]} {role} role allowed to perform {actions} on {render(requirement.resource)}",
        found=f"the task definition has no {role} role",
        reason=f"without {_ARTICLES[role]} {role} role, {who} has this permission ({requirement.access.source})",
        remedy=f"set {_PATHS[role][0]} to a role that ecs-tasks.amazonaws.com is allowed to assume",
    )


def _naming_by_arn(definition: TaskDefinition, role: str, sought: RoleLookup) -> tuple[SourceChange, ...]:
    """Return what names the role of a task definition by its ARN, where it is named by less."""
    resource = definition.resource
    if resource is None or sought.arn is None or role not in _PATHS:
        return ()
    named, _, references = expression_in(resource.module, sought.arn)
    entries = ((_PATHS[role][0], named),)
    return (SourceChange("arguments", resource.address, entries=entries, references=references),)


def _consequence(owner: Placed, role: str, actions: Iterable[str]) -> str:
    """Return what a missing permission means for tasks; empty where that depends on more than the permission.

    Source: Amazon ECS Developer Guide, "Amazon ECS task execution IAM role"; "Viewing Amazon ECS stopped task errors".
    """
    services = {action.partition(":")[0] for action in actions}
    if role != EXECUTION or not isinstance(owner, TaskDefinition):
        return ""
    if services == {"ecr"}:
        return f"new tasks of {_family(owner)} cannot pull their image"
    return _without_start(owner) if services <= {"secretsmanager", "ssm", "kms", "s3"} else ""


def _without_start(owner: TaskDefinition) -> str:
    return f"new tasks of {_family(owner)} will not start"


def _family(owner: TaskDefinition) -> str:
    return owner.family if isinstance(owner.family, str) else owner.address


def _refusal(requirement: Requirement, judgement: AccessJudgement) -> Outcome | None:
    """Return how a permission is refused, None if it is not certain that it is; of what may not be needed, too."""
    denied = not requirement.access.certain and judgement.decision.allowed is Truth.NO
    return judgement.decision.outcome if denied or judgement.answer is Truth.NO else None


def _statements(
    needs: Iterable[Requirement], missing: Callable[[Requirement], Outcome | None]
) -> Iterator[tuple[Requirement, tuple[str, ...]]]:
    """Yield needs with their actions: one for all that are missing alike, and that one statement would allow.

    That is so of what is certain to be needed on one resource, and of what AWS documents as one statement.
    """
    alike: dict[tuple[object, ...], list[Requirement]] = {}
    for index, need in enumerate(needs):
        one, certain = need.access.is_one_statement, need.access.certain and need.doubt is None
        outcome = missing(need) if one or certain else None
        key: tuple[object, ...] = (index,)
        if outcome is not None:
            key = (str(need.need), need.access.role, "" if one else render(need.resource), outcome)
        alike.setdefault(key, []).append(need)
    for first, *rest in alike.values():
        yield first, tuple(dict.fromkeys((first.action, *(need.action for need in rest))))


def _place(task_definition: TaskDefinition, need: Need) -> Location | None:
    """Locate a value, or what it is a value of if it comes from another file: there nothing says who uses it."""
    path = need.path
    if need.location is not None:
        return need.location
    value, owner = task_definition.locate(path), task_definition.locate(path.rpartition(".")[0])
    return value if owner is None or (value is not None and value.file == owner.file) else owner
