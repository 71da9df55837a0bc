"""Who publishes the metrics that alarms look at, and may: nobody does it for a metric that AWS does not have.

An alarm on a metric that nobody publishes stays in ALARM, or never fires. What counts as a publisher is a metric filter
whose log group somebody writes to, the scheduled run of the live suite, a resource that AWS's documentation says
publishes, and whom the contract names. Whether a line is ever written that a filter takes is not judged.

Sources: Amazon CloudWatch User Guide, "Publish custom metrics"; Service Authorization Reference, Amazon CloudWatch
(`cloudwatch:namespace`); Amazon CloudWatch Logs User Guide, "Creating metrics from log events using filters".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property

from msgspec.structs import replace

from infraspec.checks.access.access_decisions import request_context, rests_on
from infraspec.checks.access.surroundings import Organization
from infraspec.checks.alarms.scheduled_runs import ScheduledRuns
from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.common.roles import Role, role_index
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.contract.alarms import Publisher
from infraspec.contract.models import Contract
from infraspec.contract.operations import RUN_METRICS
from infraspec.contract.waivers import matches
from infraspec.core.errors import listing
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, is_known, render, unknowns
from infraspec.iam.evaluation.decision import Decision, decide, why
from infraspec.iam.policy.principals import Principal
from infraspec.monitoring.alarms import Alarm, Series, alarms
from infraspec.monitoring.log_writers import LogWriters, OfNamespace, known_publishers
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["alarms"]

_PUT = "cloudwatch:PutMetricData"
_ROLE = "arn:aws:iam::{account_id}:role/{application}-{environment}-metrics"
_MOST = 3
_ORDER = {Verdict.VIOLATED: 0, Verdict.UNDETERMINED: 1, Verdict.PROVEN: 2}
_QUERIED = re.compile(
    r"""\bFROM\s+(?:SCHEMA\(\s*)?["']?([\w./#:-]+)|SEARCH\(\s*'\s*\{\s*"?([\w./#:-]+)""", re.IGNORECASE
)
"""Where Metrics Insights or a search looks. Source: Amazon CloudWatch User Guide, "Query components and syntax"."""


class Publishers:
    """What publishes metrics, by one plan and its contract."""

    def __init__(self, plan: Plan, contract: Contract, environment: str, facts: Mapping[str, str]) -> None:
        self.plan, self.contract, self.environment, self.facts = plan, contract, environment, facts
        self.attributes = plan.derived(AwsAttributes)
        self.writers = LogWriters(self.attributes)
        self.known = known_publishers()
        named = contract.alarms.publishers if contract.alarms else {}
        self.named: Mapping[str, Publisher] = named
        self._may: dict[tuple[str, str], Decision] = {}

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each alarm that looks at a metric which AWS does not publish itself."""
        for alarm in alarms(self.plan):
            subject = RULE.about(alarm.resource, "publisher", alarm.resource.location)
            judged = [self._judge(subject, alarm, series) for series in self._own(alarm)]
            judged += [subject.say("queried", namespace=one) for one in self._queried(alarm)]
            judged += [subject.say("other-account", account=one) for one in self._elsewhere(alarm)]
            if judged:
                yield min(judged, key=lambda finding: _ORDER[finding.verdict])

    def _own(self, alarm: Alarm) -> Iterator[Series]:
        """Yield the metrics of an alarm that AWS does not publish for certain."""
        for series in alarm.series.values():
            namespace = self.attributes.narrow(series.namespace)
            if namespace is not None and not (isinstance(namespace, str) and self.known.is_of_aws(namespace)):
                yield series

    def _queried(self, alarm: Alarm) -> Iterator[str]:
        queries = alarm.resource.stated("metric_query")
        for query in queries if isinstance(queries, list | tuple) else ():
            text = query.get("expression") if isinstance(query, Mapping) else None
            for found in _QUERIED.finditer(text) if isinstance(text, str) else ():
                if not self.known.is_of_aws(found[1] or found[2]):
                    yield found[1] or found[2]

    def _elsewhere(self, alarm: Alarm) -> Iterator[str]:
        """Yield the accounts whose metrics an alarm looks at, if they are not certainly its own."""
        queries = alarm.resource.stated("metric_query")
        for query in queries if isinstance(queries, list | tuple) else ():
            account = self.attributes.narrow(query.get("account_id")) if isinstance(query, Mapping) else None
            if account and account != self.attributes.account_of(alarm.resource):
                yield render(account)

    def _shares(self, one: Resource, other: Resource) -> bool:
        """Tell whether two resources may be in one region of one account."""
        pairs = [(of(one), of(other)) for of in (self.attributes.region_of, self.attributes.account_of)]
        return all(left == right or not (is_known(left) and is_known(right)) for left, right in pairs)

    def _judge(self, subject: Subject, alarm: Alarm, series: Series) -> Finding:
        narrow = self.attributes.narrow
        namespace, name, dimensions = narrow(series.namespace), narrow(series.name), narrow(series.dimensions)
        hidden = next(unknowns([namespace, name]), None)
        counting = self._counting(namespace, name, dimensions)
        if counting := [one for one in counting if self._shares(one, alarm.resource)]:
            return self._counted(subject, counting)
        if hidden is not None:
            return subject.say("unknown-metric", metric=render([namespace, name]), remedy=how_to_know(hidden))
        at = (str(namespace), str(name))
        for found in (
            self._of_runs(subject, at, dimensions, alarm, series),
            self._of_contract(subject, *at),
            self._of_workload(subject, at[0], dimensions),
            self._of_insights(subject, at[0], dimensions),
        ):
            if found is not None:
                return found
        return self._nobody(subject, *at, dimensions)

    # metric filters

    @cached_property
    def _filters(self) -> Mapping[tuple[str, str], list[tuple[Resource, Value]]]:
        """The filters by namespace and name, each with the dimensions that it gives its metric."""
        found: dict[tuple[str, str], list[tuple[Resource, Value]]] = {}
        for one in self.plan.managed("aws_cloudwatch_log_metric_filter"):
            blocks = self.attributes.narrow(one.stated("metric_transformation"))
            for block in blocks if isinstance(blocks, list | tuple) else ():
                if isinstance(block, Mapping):
                    key = (render(block.get("namespace")), render(block.get("name")))
                    found.setdefault(key, []).append((one, block.get("dimensions") or {}))
        return found

    def _counting(self, namespace: Value, name: Value, dimensions: Value) -> list[Resource]:
        """Return the filters that count into a metric: each of its dimensions is a field of the filter."""
        alike = self._filters.get((render(namespace), render(name)), [])
        return [one for one, own in alike if _keys(own) is not None and _keys(own) == _keys(dimensions)]

    def _counted(self, subject: Subject, counting: Sequence[Resource]) -> Finding:
        certain = [one for one in counting if self.plan.is_certain(one)]
        if not certain:
            doubt = self.plan.doubt_of(counting[0])
            remedy = how_to_know(doubt.value) if doubt else ""
            return subject.say("perhaps-counted", filter=counting[0].address, doubt=doubt, remedy=remedy)
        for one in certain:
            group = one.attribute("log_group_name")
            here = [writer.address for writer in self.writers.of(group) if self._shares(writer, one)]
            if writers := here or self._named_writers(group):
                shown = render(self.attributes.narrow(group))
                return subject.proven(f"{one.address} counts lines of {shown}, written by {listing(writers, _MOST)}")
        group = self.attributes.narrow(certain[0].attribute("log_group_name"))
        if not is_known(group):
            remedy = how_to_know(next(unknowns(group)))
            return subject.say("unknown-group", filter=certain[0].address, group=render(group), remedy=remedy)
        return subject.say("silent-group", filter=certain[0].address, group=group)

    def _named_writers(self, group: Value) -> list[str]:
        shown = render(self.attributes.narrow(group))
        return [
            f"the contract's {name}"
            for name, one in self.named.items()
            if one.log_group and matches(self._filled(one.log_group), shown)
        ]

    # the scheduled runs of the live suite

    def _of_runs(
        self, subject: Subject, metric: tuple[str, str], dimensions: Value, alarm: Alarm, series: Series
    ) -> Finding | None:
        """Judge a metric that `infraspec report metrics` publishes: its role may, and a run comes often enough."""
        table, suites = self.contract.metrics, ("live", "static")
        wanted = [{"Environment": self.environment, "Suite": suite} for suite in suites]
        if table is None or metric[0] != self._filled(table.namespace) or metric[1] not in RUN_METRICS:
            return None
        if dimensions not in wanted:
            return None
        own = self.contract.environments[self.environment].live.role
        role = self._filled(table.role) if table.role else own
        if role is None:
            return subject.say("no-role-of-runs", namespace=metric[0], role=_ROLE)
        may = self._allowed(subject, role, metric[0], "infraspec report metrics")
        if may.verdict is not Verdict.PROVEN:
            return may
        every = _seconds(alarm.get("evaluation_periods"), series.period)
        suite = suites[wanted.index(dict(dimensions))] if isinstance(dimensions, Mapping) else ""
        answer = self._runs.every(self.environment, suite, every)
        if answer.doubt:
            return subject.say("no-scheduled-run", suite=suite, environment=self.environment, doubt=answer.doubt)
        return _joined(may, answer.told)

    @cached_property
    def _runs(self) -> ScheduledRuns:
        return ScheduledRuns(self.contract)

    # whom the contract or AWS's documentation names

    def _of_contract(self, subject: Subject, namespace: str, name: str) -> Finding | None:
        for title, one in self.named.items():
            asked = one.namespace and matches(self._filled(one.namespace), namespace)
            if not asked or not any(matches(pattern, name) for pattern in one.metrics):
                continue
            if one.role is not None:
                return self._allowed(subject, self._filled(one.role), namespace, f"the contract's {title}")
            group = self._filled(str(one.log_group))
            groups = self.plan.managed("aws_cloudwatch_log_group")
            there = next((each for each in groups if render(self.attributes.name(each)) == group), None)
            if there is None or not self.plan.is_certain(there):
                return subject.say("no-group", title=title, group=group)
            return subject.proven(f"the contract's {title} writes it to {there.address} in the embedded metric format")
        return None

    def _of_workload(self, subject: Subject, namespace: str, dimensions: Value) -> Finding | None:
        known = self.known.workloads.get(namespace)
        found = self._owner(known, dimensions) if known else None
        if known is None or found is None:
            return None
        return self._allowed(subject, found.attribute(known.role), namespace, found.address)

    def _of_insights(self, subject: Subject, namespace: str, dimensions: Value) -> Finding | None:
        """Judge a metric of Container Insights by the setting of its cluster."""
        known = self.known.insights.get(namespace)
        cluster = self._owner(known, dimensions) if known else None
        if cluster is None:
            return None
        blocks = cluster.stated("setting")
        settings = [one for one in (blocks if isinstance(blocks, list | tuple) else ()) if isinstance(one, Mapping)]
        value = next((one.get("value") for one in settings if one.get("name") == "containerInsights"), None)
        if value in ("enabled", "enhanced"):
            return subject.proven(f"containerInsights of {cluster.address} is {value}")
        shown = "not set, so the account decides" if value is None else render(value)
        wording = "no-insights" if value == "disabled" else "perhaps-insights"
        return subject.say(wording, cluster=cluster.address, value=shown)

    def _owner(self, known: OfNamespace, dimensions: Value) -> Resource | None:
        named = dimensions.get(known.dimension) if isinstance(dimensions, Mapping) else None
        owners = self.plan.managed(known.type)
        return next((one for one in owners if render(self.attributes.name(one)) == render(named)), None)

    # permissions

    def _allowed(self, subject: Subject, role: Value, namespace: str, who: str) -> Finding:
        """Judge whether a role may publish in a namespace."""
        found = role_index(self.plan).role(role)
        decision = self._decision(found, namespace)
        said = {"who": who, "role": found.address, "namespace": namespace}
        if decision.allowed is Truth.YES:
            proven = subject.proven(f"{who} publishes it with {found.address}: {why(decision)}")
            return _resting(proven, decision)
        if decision.allowed is Truth.MAYBE or found.unknown is not None:
            return subject.say("role-unknown", why=why(decision), remedy=found.remedy or _statement(namespace), **said)
        return subject.say("role-denied", why=why(decision), remedy=_statement(namespace), **said)

    def _decision(self, role: Role, namespace: str) -> Decision:
        key = (role.address, namespace)
        if key not in self._may:
            principal = Principal.role(self.attributes.narrow(role.arn))
            context = request_context(principal.value, "*", region=self.plan.region)
            organization = Organization.of(arn_index(self.plan))
            self._may[key] = decide(
                role.policies,
                _PUT,
                "*",
                boundary=role.boundary,
                scps=organization.limits(principal.account, self.plan).scps,
                principal=principal,
                context=context.updated({"cloudwatch:namespace": namespace}),
            )
        return self._may[key]

    def _nobody(self, subject: Subject, namespace: str, name: str, dimensions: Value) -> Finding:
        """Say that nothing here publishes a metric, with what comes closest to it."""
        metric = f"{namespace} {name}{f' {render(dimensions)}' if dimensions else ''}"
        alike = [one.address for one, _ in self._filters.get((namespace, name), [])]
        if alike:
            return subject.say("other-dimensions", metric=metric, filters=listing(alike, _MOST))
        index = role_index(self.plan)
        roles = [index.role(one.reference("arn")) for one in self.plan.managed("aws_iam_role")]
        may = [role for role in roles if self._decision(role, namespace).allowed is Truth.YES]
        shown = listing([role.address for role in may], _MOST) if may else "no role of the source"
        example = next((role.resource.stated("name") for role in may if role.resource), None) or "ROLE"
        return subject.say("no-publisher", metric=metric, may=shown, namespace=namespace, role=render(example))

    def _filled(self, text: str) -> str:
        for name, value in self.facts.items():
            text = text.replace(f"{{{name}}}", value)
        return text


def _keys(dimensions: Value) -> frozenset[str] | None:
    if isinstance(dimensions, Unknown):
        return None
    return frozenset(map(str, dimensions)) if isinstance(dimensions, Mapping) else frozenset()


def _seconds(periods: Value, period: Value) -> timedelta | None:
    try:
        return timedelta(seconds=float(render(periods)) * float(render(period)))
    except ValueError:
        return None


def _statement(namespace: str) -> str:
    lines = (
        'actions   = ["cloudwatch:PutMetricData"]', 'resources = ["*"]', "condition {", '  test     = "StringEquals"',
        '  variable = "cloudwatch:namespace"', f'  values   = ["{namespace}"]', "}",
    )  # fmt: skip
    return "\n".join(["statement {", *(f"  {line}" for line in lines), "}"])


def _joined(finding: Finding, more: str) -> Finding:
    return replace(finding, reason=f"{finding.reason}; {more}")


def _resting(finding: Finding, decision: Decision) -> Finding:
    return replace(finding, rests_on=rests_on(decision))
