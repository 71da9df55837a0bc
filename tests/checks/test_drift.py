"""What AWS has beside the reference infrastructure, each with one thing changed by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.deployed.drift import check_drift, policy_form
from infraspec.contract.live import Rollout
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rules import RULES
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value
from infraspec.resource_types import TYPES
from infraspec.terraform.plan import Plan, Resource
from tests.live.deployed import CONTRACT, changed, deployed, moved, reference, without

COMPARED = {known.type: known.drift.compared for known in TYPES.values() if known.drift and not known.compared_by}
LOOKED_AT_BY = {known.type: known.compared_by for known in TYPES.values() if known.compared_by}

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
DATABASE, SERVICE, REPLICA = (
    "module.rds.aws_db_instance.this",
    "module.ecs.aws_ecs_service.this",
    "module.rds.aws_db_instance.replica[0]",
)
TABLE = "module.state.aws_dynamodb_table.lock"
ROLE, POLICY = "module.iam.aws_iam_role.execution", "module.iam.aws_iam_policy.execution"
INGRESS = "module.rds.aws_vpc_security_group_ingress_rule.from_tasks"
KEY = "module.secretsmanager.aws_kms_key.secrets"
OPEN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}'
LISTENER, BALANCER = "module.network.aws_lb_listener.https", "module.network.aws_lb.this"
ATTACHMENT = "module.iam.aws_iam_role_policy_attachment.execution_secrets"
CREDENTIALS = 'module.secretsmanager.aws_secretsmanager_secret.this["database"]'
OF_SECRET = Resource(
    "aws_secretsmanager_secret_policy.one",
    "managed",
    "aws_secretsmanager_secret_policy",
    "one",
    None,
    "",
    {"secret_arn": Unknown(f"{CREDENTIALS}.arn"), "policy": "{}"},
)
EVENTS = 'module.monitoring.aws_cloudwatch_event_rule.this["tasks"]'
FAMILY = "daily-report-tool-prod-backend"
REVISION, OTHER, STRANGE = (
    f"arn:aws:ecs:ap-northeast-1:123456789012:task-definition/{name}"
    for name in (f"{FAMILY}:7", f"{FAMILY}:8", "other:7")
)


def bad(live: Plan, running: Collection[str] = (), plan: Plan | None = None) -> list[Finding]:
    """Return the findings that are not proven."""
    found = check_drift(plan or reference(), live, {SERVICE: running} if running else {})
    return [one for one in found if one.verdict is not PROVEN]


def changed_source(address: str, **values: Value) -> Plan:
    """Return the reference with other values of one resource."""
    plan = reference()
    own = replace(plan.by_address[address], values={**plan.by_address[address].values, **values})
    return plan.replaced(resources=tuple(own if one.address == address else one for one in plan.resources))


def set_in_source(address: str, attribute: str, value: Value) -> Plan:
    """Return the reference with an attribute that its source sets."""
    plan = changed_source(address, **{attribute: value})
    own = replace(plan.by_address[address], locate=lambda _: Location("main.tf", 1))
    return plan.replaced(resources=tuple(own if one.address == address else one for one in plan.resources))


def ignoring(*names: str) -> Plan:
    """Return the reference with attributes of its service that a pipeline owns."""
    plan = reference()
    own = replace(plan.by_address[SERVICE], ignore_changes=names)
    return plan.replaced(resources=tuple(own if one.address == SERVICE else one for one in plan.resources))


def test_what_is_as_it_was_applied_is_proven() -> None:
    """Every resource of the types that are compared."""
    found = check_drift(reference(), deployed(), {SERVICE: {REVISION}})
    assert {PROVEN} == {one.verdict for one in found}
    assert len(reference().managed(*COMPARED)) + 2 == len(found)


@pytest.mark.parametrize(
    ("address", "values"),
    [
        (DATABASE, {"instance_class": "db.t4g.micro"}),
        (DATABASE, {"multi_az": False}),
        (DATABASE, {"publicly_accessible": True}),
        (DATABASE, {"deletion_protection": False}),
        (DATABASE, {"vpc_security_group_ids": ["sg-open"]}),
        (DATABASE, {"enabled_cloudwatch_logs_exports": []}),
        (DATABASE, {"engine_version": "1.2"}),
        (SERVICE, {"desired_count": 99}),
        (INGRESS, {"from_port": 1}),
        (INGRESS, {"cidr_ipv4": "0.0.0.0/0"}),
        (INGRESS, {"cidr_ipv6": "::/0"}),
        (INGRESS, {"prefix_list_id": "pl-1"}),
        (KEY, {"policy": OPEN}),
        (ROLE, {"assume_role_policy": OPEN}),
        (ROLE, {"permissions_boundary": "arn:aws:iam::123456789012:policy/limit"}),
        (LISTENER, {"ssl_policy": "ELBSecurityPolicy-2016-08"}),
        (BALANCER, {"security_groups": ["sg-open"]}),
        (BALANCER, {"subnets": ["subnet-open"]}),
        (SERVICE, {"enable_execute_command": True}),
    ],
)
def test_what_somebody_changed_is_one_finding(address: str, values: dict[str, Any]) -> None:
    """It names the attribute, and what may be done about it."""
    (finding,) = bad(changed(address, **values))
    ((name, value),) = values.items()
    assert (VIOLATED, address) == (finding.verdict, finding.address)
    assert finding.expected.startswith(name)
    assert str(value).strip("[]'").lower()[:20] in finding.found.lower()
    assert f"ignore_changes = [{name}]" in finding.remedy


@pytest.mark.parametrize(("service", "told"), [(FAMILY, 0), ("other", 1)])
def test_the_count_of_a_service_is_compared_unless_it_is_scaled(service: str, told: int) -> None:
    """Application Auto Scaling of another service says nothing of it."""
    identity = f"service/daily-report-tool-prod-cluster/{service}"
    values = {"resource_id": identity, "min_capacity": 1}
    target = Resource("aws_appautoscaling_target.one", "managed", "aws_appautoscaling_target", "one", None, "", values)
    plan = reference().replaced(resources=(*reference().resources, target))
    found = bad(changed(SERVICE, desired_count=99), plan=plan)
    assert told == len([one for one in found if one.address == SERVICE])


@pytest.mark.parametrize("address", [DATABASE, ROLE, SERVICE])
def test_what_is_gone_is_one_finding(address: str) -> None:
    """By the name that the source gives it."""
    (finding, *_) = bad(without(address))
    assert (VIOLATED, address, "AWS has nothing with this name") == (finding.verdict, finding.address, finding.found)


@pytest.mark.parametrize(
    ("address", "plan", "live"),
    [
        (INGRESS, reference(), without(INGRESS)),
        (ATTACHMENT, reference(), without(ATTACHMENT)),
        (OF_SECRET.address, reference().replaced(resources=(*reference().resources, OF_SECRET)), deployed()),
    ],
)
def test_what_has_no_name_is_told_by_what_it_is_about(address: str, plan: Plan, live: Plan) -> None:
    """A rule by all that it says, an attachment by role and policy, the policy of a secret by the secret."""
    (finding,) = bad(live, plan=plan)
    assert (VIOLATED, address) == (finding.verdict, finding.address)
    assert "it was deleted, or was never created" == finding.reason


def test_what_the_source_does_not_know_wholly_may_be_another() -> None:
    """An attachment of a policy whose ARN nobody knows is not said to be missing."""
    unknown = changed_source(ATTACHMENT, policy_arn=Unknown("data.aws_iam_policy.other.arn"))
    (finding,) = bad(without(ATTACHMENT), plan=unknown)
    assert (UNDETERMINED, ATTACHMENT) == (finding.verdict, finding.address)


def test_a_tag_is_no_name() -> None:
    """Several keys may have one tag Name, so that which of them is missing is not certain."""
    plan = changed_source(KEY, tags={"Name": "shared"}, tags_all={"Name": "shared"})
    found = bad(without(KEY), plan=plan)
    assert UNDETERMINED in [one.verdict for one in found if one.address == KEY]


def test_what_the_source_has_twice_is_one_in_aws() -> None:
    """Two attachments of one policy to one role are both there, as AWS has it once."""
    own = reference().by_address[ATTACHMENT]
    plan = reference().replaced(resources=(*reference().resources, replace(own, address=f"{ATTACHMENT}.again")))
    assert [] == bad(deployed(), plan=plan)


def test_the_capacity_of_a_service_is_that_of_its_cluster_only_without_a_launch_type() -> None:
    """AWS fills in the strategy where the source has neither."""
    spot = changed(SERVICE, capacity_provider_strategy=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}])
    (finding,) = bad(spot)
    assert (VIOLATED, "capacity_provider_strategy.FARGATE_SPOT not set") == (finding.verdict, finding.expected)
    assert [] == bad(spot, plan=changed_source(SERVICE, launch_type=None))


@pytest.mark.parametrize(("live", "told"), [("db.marker-abc", []), ("db.other", [VIOLATED])])
def test_what_is_beside_something_sensitive_is_compared_and_not_shown(live: str, told: list[Verdict]) -> None:
    """Neither text is in a message: what the source hides is in what AWS has."""
    hidden = Text(("db.", Sensitive("var.class", "marker-abc")))
    found = bad(changed(DATABASE, instance_class=live), plan=changed_source(DATABASE, instance_class=hidden))
    assert told == [one.verdict for one in found]
    assert not re.search("marker-abc|db.other", repr(found))


@pytest.mark.parametrize(
    ("address", "attribute", "value"),
    [
        (ROLE, "permissions_boundary", "arn:aws:iam::123456789012:policy/limit"),
        (ROLE, "managed_policy_arns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        (ROLE, "inline_policy", [{"name": "read", "policy": OPEN}]),
        (CREDENTIALS, "policy", OPEN),
        (DATABASE, "enabled_cloudwatch_logs_exports", ["postgresql"]),
        (CREDENTIALS, "kms_key_id", "arn:aws:kms:ap-northeast-1:123456789012:key/1"),
    ],
)
def test_what_aws_leaves_out_was_taken_away(address: str, attribute: str, value: Value) -> None:
    """An answer without the attribute is not one that says nothing."""
    plan = set_in_source(address, attribute, value)
    (finding,) = bad(changed(address, **{attribute: None}), plan=plan)
    assert (VIOLATED, address, f"{attribute} not set") == (finding.verdict, finding.address, finding.found)


@pytest.mark.parametrize(
    ("address", "attribute", "value"),
    [
        (ROLE, "managed_policy_arns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        (ROLE, "inline_policy", [{"name": "read", "policy": OPEN}]),
        (CREDENTIALS, "policy", OPEN),
    ],
)
def test_what_a_state_repeats_of_other_resources_is_not_compared(address: str, attribute: str, value: Value) -> None:
    """It is as old as the state, and the resources that it is of are compared."""
    plan = changed_source(address, **{attribute: value})
    assert [] == bad(changed(address, **{attribute: None}), plan=plan)
    assert [] == bad(deployed(), plan=changed_source(address, **{attribute: []}))


def test_a_secret_of_the_key_of_aws_has_none_in_its_answer() -> None:
    """AWS leaves out the key of a secret that is under aws/secretsmanager."""
    plan = changed_source(CREDENTIALS, kms_key_id="alias/aws/secretsmanager")
    assert [] == bad(changed(CREDENTIALS, kms_key_id=None), plan=plan)


def test_what_aws_does_not_show_may_be_as_the_source_says() -> None:
    """The policy of a key that keeps the runner out is neither the same nor another."""
    (finding,) = bad(changed(KEY, policy=Unknown("the policy of the key")))
    assert (UNDETERMINED, KEY) == (finding.verdict, finding.address)


def test_an_alias_tells_its_key_only_with_a_state() -> None:
    """Without one the key is found by the alias itself, which proves nothing of it."""
    alias = next(one for one in reference().managed("aws_kms_alias"))
    live = changed(alias.address, target_key_id="another")
    (finding,) = [one for one in check_drift(reference(), live, {}) if one.address == alias.address]
    assert "it exists; no argument is compared; not compared: target_key_id" == finding.reason
    (finding,) = bad(live, plan=changed_source(alias.address, target_key_id="0a1b"))
    assert (VIOLATED, "target_key_id another") == (finding.verdict, finding.found)


@pytest.mark.parametrize(
    ("values", "state", "verdict"),
    [
        ({}, "ENABLED", PROVEN),
        ({}, "DISABLED", VIOLATED),
        ({"is_enabled": False}, "DISABLED", PROVEN),
        ({"is_enabled": False}, "ENABLED", VIOLATED),
        ({"is_enabled": True}, "ENABLED", PROVEN),
        ({"is_enabled": True}, "DISABLED", VIOLATED),
        ({"is_enabled": None, "state": "DISABLED"}, "ENABLED", VIOLATED),
    ],
)
def test_a_rule_is_enabled_unless_its_source_says_else(values: dict[str, Any], state: str, verdict: Verdict) -> None:
    """Where is_enabled says it in place of state, the default of state is not what is meant."""
    plan = changed_source(EVENTS, **{"state": None, **values})
    (finding,) = [one for one in check_drift(plan, changed(EVENTS, state=state), {}) if one.address == EVENTS]
    assert verdict is finding.verdict


def test_a_proven_finding_says_what_was_compared() -> None:
    """What AWS does not give back, and what is not looked at, is not among it, and is said where the source sets it."""
    live = changed(LISTENER, ssl_policy=None)
    reasons = {one.address: one.reason for one in check_drift(reference(), live, {})}
    known = "as the source says: port, protocol, certificate_arn, default_action; not compared: ssl_policy"
    assert known == reasons[LISTENER]
    group = reasons["module.ecs.aws_security_group.service"]
    assert "it exists; no argument is compared; not compared: description, vpc_id" == group


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("global_secondary_index", [{"name": "by_day", "hash_key": "day"}], True),
        ("replica", [{"region_name": "us-east-1"}], True),
        ("global_secondary_index", [], False),
        ("global_secondary_index", None, False),
        ("tags", {"a": "b"}, False),
        ("billing_mode", "PAY_PER_REQUEST", False),
    ],
)
def test_what_the_source_sets_and_nothing_compares_is_said(name: str, value: Value, *, told: bool) -> None:
    """A proof says what it does not cover; of what a state repeats, nobody knows what the source sets."""
    source = set_in_source(TABLE, name, value)
    state = source.replaced(resources=(replace(source.by_address[TABLE], locate=None),))

    for plan, is_told in ((source, told), (state, False)):
        (reason,) = {one.reason for one in check_drift(plan, deployed(), {}) if one.address == TABLE}
        assert is_told is (name in reason.partition("; not compared: ")[2].split(", ")), reason


def test_what_is_not_compared_is_advice() -> None:
    """No resource of the source is passed over in silence, and none that no rule looks at is proven."""
    found = check_drift(reference(), deployed(), {})
    (advice,) = [one for one in found if one.advice]
    silent = {one.type for one in reference().managed()} - {*COMPARED, *LOOKED_AT_BY, "aws_ecs_task_definition"}
    assert silent == {shown.partition(" ")[0] for shown in advice.found.split(", ")}
    assert "aws_route_table_association (4)" in advice.found
    addresses = {one.address for one in found}
    assert not any(one.address in addresses for one in reference().managed(*silent))


@pytest.mark.parametrize(
    ("provider", "shown"),
    [("aws.virginia", "aws_sns_topic in us-east-1 (1)"), ("aws.logs", "aws_sns_topic in 111122223333 (1)")],
)
def test_what_is_in_another_region_or_account_is_not_missing(provider: str, shown: str) -> None:
    """It was not looked for there."""
    plan = reference()
    own = replace(plan.by_address[TOPIC], provider=provider)
    plan = plan.replaced(
        resources=tuple(own if one.address == TOPIC else one for one in plan.resources),
        regions={**plan.regions, "aws.virginia": "us-east-1"},
        accounts={**plan.accounts, "aws.logs": "111122223333"},
    )
    found = check_drift(plan, without(TOPIC), {})
    assert TOPIC not in {one.address for one in found}
    assert shown in next(one.found for one in found if one.advice)
    assert VIOLATED in {one.verdict for one in check_drift(reference(), without(TOPIC), {}) if one.address == TOPIC}


@pytest.mark.parametrize("is_there", [False, True])
def test_what_may_be_in_another_region_is_undetermined(*, is_there: bool) -> None:
    """Whether there is one of its name or not."""
    live = deployed() if is_there else without(TOPIC)
    found = [one for one in check_drift(moved(TOPIC, region=Unknown("var.dr")), live, {}) if one.address == TOPIC]
    assert [(UNDETERMINED, "var.dr is unknown")] == [(one.verdict, one.found) for one in found]


def test_what_has_its_name_here_is_another_one() -> None:
    """It is not compared with what is elsewhere."""
    found = check_drift(moved(TOPIC, region="us-east-1"), deployed(), {})
    assert TOPIC not in {one.address for one in found}
    (advice,) = [one for one in found if one.advice]
    assert "aws_sns_topic in us-east-1 (1)" in advice.found
    assert 'region = "us-east-1"' in advice.remedy


def test_what_has_no_region_is_missing_whatever_its_provider_is() -> None:
    """A role is the same in each."""
    plan = reference()
    own = replace(plan.by_address[ROLE], provider="aws.virginia")
    resources = tuple(own if one.address == ROLE else one for one in plan.resources)
    regions, accounts = {**plan.regions, "aws.virginia": "us-east-1"}, {"aws.virginia": plan.account}
    plan = plan.replaced(resources=resources, regions=regions, accounts=accounts)
    assert VIOLATED in {one.verdict for one in bad(without(ROLE), plan=plan) if one.address == ROLE}


def test_every_rule_that_looks_at_what_drift_does_not_exists() -> None:
    """No type is left to a rule that there is not."""
    assert set(LOOKED_AT_BY.values()) <= set(RULES)


def test_a_minor_version_is_none_of_the_source() -> None:
    """AWS upgrades it."""
    wanted = reference().by_address[DATABASE].get("engine_version")
    assert [] == bad(changed(DATABASE, engine_version=f"{wanted}.4"))
    assert 1 == len(bad(changed(DATABASE, engine_version=f"{wanted}4")))


def of_state(*ignored: str) -> Plan:
    """Return the reference as a state completes it, with attributes of its service that a pipeline owns."""
    plan = reference()
    own = replace(
        plan.by_address[SERVICE],
        values={**plan.by_address[SERVICE].values, "task_definition": REVISION},
        ignore_changes=ignored,
    )
    return plan.replaced(resources=tuple(own if one.address == SERVICE else one for one in plan.resources))


@pytest.mark.parametrize(
    ("service", "running", "plan", "verdict"),
    [
        (REVISION, {REVISION}, of_state(), None),
        (REVISION, (), of_state(), None),
        (REVISION, {OTHER}, of_state(), VIOLATED),
        (REVISION, {REVISION, OTHER}, of_state(), VIOLATED),
        (OTHER, {OTHER}, of_state(), VIOLATED),
        (OTHER, {OTHER}, of_state("task_definition"), None),
        (OTHER, {OTHER}, of_state("all"), None),
        (OTHER, {OTHER}, of_state("desired_count"), VIOLATED),
        (OTHER, {REVISION}, of_state("task_definition"), VIOLATED),
        (STRANGE, {STRANGE}, of_state("task_definition"), VIOLATED),
        (REVISION, {REVISION}, reference(), None),
        (OTHER, {OTHER}, reference(), None),
        (REVISION, {OTHER}, reference(), VIOLATED),
        (STRANGE, {STRANGE}, reference(), VIOLATED),
    ],
)
def test_three_are_compared(service: str, running: Collection[str], plan: Plan, verdict: Verdict | None) -> None:
    """The revision of the state, of the service, and of its tasks; without a state, the family of the source."""
    found = bad(changed(SERVICE, task_definition=service), running, plan)
    assert [verdict] * (verdict is not None) == [one.verdict for one in found]
    for finding in found:
        assert "task definition" == finding.subject
        assert ["source", "service", "tasks"] == [line.partition(":")[0] for line in finding.found.splitlines()]


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (of_state(), f"{FAMILY}:7"),
        (of_state("task_definition"), "the pipeline owns the revision"),
        (reference(), "only the state shows which one the source means"),
    ],
)
def test_what_was_compared_is_said(plan: Plan, told: str) -> None:
    """Without a state nobody claims that the revision is the source's."""
    live = changed(SERVICE, task_definition=REVISION)
    (finding,) = [one for one in check_drift(plan, live, {SERVICE: {REVISION}}) if one.subject == "task definition"]
    assert finding.reason.endswith(told)


def test_what_a_pipeline_owns_is_said_and_not_found() -> None:
    """By ignore_changes of the source."""
    plan = ignoring("desired_count")
    live = changed(SERVICE, desired_count=99)
    assert [] == bad(live, plan=plan)
    (finding,) = [one for one in check_drift(plan, live, {}) if (one.address, one.subject) == (SERVICE, "")]
    assert finding.reason.startswith("as the source says: launch_type, ")
    assert finding.reason.endswith("; the pipeline's: desired_count")


TOPIC = 'module.monitoring.aws_sns_topic.level["info"]'
USED = str(deployed().by_address[TOPIC].get("kms_master_key_id"))


@pytest.mark.parametrize(
    ("key", "verdict"),
    [(USED, None), (USED.rpartition("/")[2], None), (f"{USED}0", VIOLATED), ("alias/notifications", UNDETERMINED)],
)
def test_a_key_is_compared_by_its_id(key: str, verdict: Verdict | None) -> None:
    """AWS gives back what was set: an ARN, an id, or an alias, which may be of any key."""
    found = bad(changed(TOPIC, kms_master_key_id=key))
    assert [verdict] * (verdict is not None) == [one.verdict for one in found]


@pytest.mark.parametrize(
    ("written", "told"), [("6", "tcp"), ("1", "icmp"), ("58", "icmpv6"), ("all", "-1"), (17, "udp")]
)
def test_a_protocol_is_the_same_by_name_and_number(written: Value, told: str) -> None:
    """AWS answers with the name."""
    plan = changed_source(INGRESS, ip_protocol=written)
    for live, verdict in ((told, PROVEN), ("47", VIOLATED)):
        found = check_drift(plan, changed(INGRESS, ip_protocol=live), {})
        assert [verdict] == [one.verdict for one in found if one.address == INGRESS]


PATTERN = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}


@pytest.mark.parametrize(
    ("source", "live", "verdict"),
    [
        (json.dumps(PATTERN), json.dumps(dict(reversed(PATTERN.items())), indent=1), PROVEN),
        (JsonText(PATTERN), json.dumps(dict(reversed(PATTERN.items()))), PROVEN),
        (json.dumps(PATTERN), json.dumps({**PATTERN, "source": ["aws.ec2"]}), VIOLATED),
        (json.dumps(PATTERN), json.dumps(PATTERN)[:-1], VIOLATED),
        (Text(('{"source": ["', Unknown("var.source"), '"]}')), '{"source": ["aws.ecs"]}', UNDETERMINED),
        (Text(('{"source": ["', Unknown("var.source"), '"]}')), '{"sources": ["aws.ecs"]}', VIOLATED),
    ],
)
def test_a_document_is_the_same_in_any_order(source: Value, live: str, verdict: Verdict) -> None:
    """AWS gives it back in a form of its own; what is unknown in it may be what AWS has."""
    plan = changed_source(EVENTS, event_pattern=source)
    (finding,) = [one for one in check_drift(plan, changed(EVENTS, event_pattern=live), {}) if one.address == EVENTS]
    assert verdict is finding.verdict


STATEMENT = {"Effect": "Allow", "Action": ["a:B"], "Resource": ["*"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Statement": STATEMENT}, {"Version": "2008-10-17", "Statement": [STATEMENT]}),
        ({"Statement": [{**STATEMENT, "Action": "a:B", "Sid": "x"}]}, {"Statement": [STATEMENT]}),
        ({"Statement": [{"Principal": "*"}]}, {"Statement": [{"Principal": {"AWS": "*"}}]}),
        (
            {"Statement": [{"Principal": {"AWS": "111122223333"}}]},
            {"Statement": [{"Principal": {"AWS": ["arn:aws:iam::111122223333:root"]}}]},
        ),
        (
            {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": False}}}]},
            {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": ["false"]}}}]},
        ),
    ],
)
def test_a_policy_is_the_same_however_it_is_written(one: Any, other: Any) -> None:
    """AWS gives it back in a form of its own."""
    assert policy_form(json.dumps(one)) == policy_form(json.dumps(other))


@pytest.mark.parametrize("value", ["", "no JSON", "[1]", '{"source": ["aws.ecs"]}', None, 1])
def test_what_is_no_policy_stays_what_it_is(value: Value) -> None:
    """An event pattern is a document without statements."""
    assert policy_form(value) in (
        value,
        json.loads(value) if isinstance(value, str) and value[:1] in "{[" and value else value,
    )


def test_the_documentation_has_every_type_that_is_compared() -> None:
    """The table of docs/live-operations.md is that of the code, attributes that are no blocks included."""
    text = (Path(__file__).parents[2] / "docs/live-operations.md").read_text(encoding="utf-8")
    rows = [line for line in text.partition("\n## drift\n")[2].partition("\n## ")[0].splitlines() if "| `aws_" in line]
    documented = {name: row for row in rows for name in re.findall(r"`(aws_\w+)`", row)}
    assert set(COMPARED) == set(documented)
    for type_, attributes in COMPARED.items():
        for name in attributes if type_ not in {"aws_vpc_security_group_egress_rule", "aws_ecs_service"} else ():
            assert f"`{name}`" in documented[type_] or "protocol, ports" in documented[type_]


def running(**changes: Any) -> Plan:
    """Return what is deployed with another revision of the task definition, its only container changed."""
    (container,) = json.loads(str(deployed().by_address[DEFINITION].values["container_definitions"]))
    made = {name: value for name, value in {**container, **changes}.items() if value is not None}
    return changed(DEFINITION, container_definitions=json.dumps([made]))


DEFINITION = "module.ecs.aws_ecs_task_definition.this"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"image": "docker.io/evil/miner:latest"}, "container_definitions.app.image docker.io/evil/miner:latest"),
        ({"command": ["b", "a"]}, "container_definitions.app.command what it is, is not shown"),
        ({"secrets": None}, "container_definitions.app.secrets.DATABASE_URL not set"),
        ({"user": "root"}, "container_definitions.app.user root"),
        ({"somethingNew": {"on": True}}, "container_definitions.app.somethingNew on true"),
    ],
)
def test_each_field_of_what_runs_is_compared(changes: dict[str, Any], found: str) -> None:
    """Those that nobody has heard of too."""
    (finding,) = bad(running(**changes))
    assert (VIOLATED, DEFINITION) == (finding.verdict, finding.address)
    assert found in finding.found
    assert 'image = "pipeline"' in finding.remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"cpu": 0, "essential": None, "privileged": False, "mountPoints": [], "linuxParameters": {"devices": []}},
        {"portMappings": [{"containerPort": 8080, "hostPort": 8080}]},
        {"versionConsistency": "enabled"},
    ],
)
def test_what_ecs_fills_in_is_no_difference(changes: dict[str, Any]) -> None:
    """Neither is what it leaves out."""
    assert [] == bad(running(**changes))


@pytest.mark.parametrize("value", ["9090", "hunter2"])
def test_values_of_the_environment_are_compared_and_not_shown(value: str) -> None:
    """What was put there by hand may be a password."""
    (finding,) = bad(running(environment=[{"name": "PORT", "value": value}]))
    assert (VIOLATED, "container_definitions.app.environment.PORT.value") == (finding.verdict, finding.found.split()[0])
    assert value not in str(finding)


def rolled_out(**settings: Any) -> Contract:
    """Return the contract with what it says of rollouts."""
    return CONTRACT.model_copy(update={"rollout": Rollout.model_validate(settings)})


OTHER_TAG = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/daily-report-tool-prod-backend:v99"


@pytest.mark.parametrize(
    ("image", "changes", "verdicts"),
    [
        ("source", {"image": OTHER_TAG}, [VIOLATED]),
        ("pipeline", {"image": OTHER_TAG}, []),
        ("pipeline", {"image": OTHER_TAG.replace(":v99", f"@sha256:{'0' * 64}")}, []),
        ("pipeline", {"image": "docker.io/evil/miner:v99"}, [VIOLATED]),
        ("pipeline", {"image": OTHER_TAG, "user": "root"}, [VIOLATED]),
    ],
)
def test_a_pipeline_may_change_the_tag_and_nothing_else(
    image: str, changes: dict[str, Any], verdicts: list[Verdict]
) -> None:
    """Where the contract says that there is one."""
    found = check_drift(reference(), running(**changes), {}, rolled_out(image=image))
    assert verdicts == [one.verdict for one in found if one.verdict is not PROVEN]


def test_a_revision_that_terraform_ignores_may_be_meant() -> None:
    """Unless the contract says what a pipeline may change of it."""
    plan, live = ignoring("task_definition"), running(user="root")
    (finding,) = [one for one in check_drift(plan, live, {}) if one.verdict is not PROVEN]
    assert UNDETERMINED is finding.verdict
    found = check_drift(plan, live, {}, rolled_out(image="pipeline"))
    assert [VIOLATED] == [one.verdict for one in found if one.verdict is not PROVEN]


@pytest.mark.parametrize(("count", "verdicts"), [(1, [VIOLATED]), (2, []), (6, []), (7, [VIOLATED])])
def test_a_service_is_scaled_within_the_contract(count: int, verdicts: list[Verdict]) -> None:
    """By others than Terraform."""
    contract = rolled_out(tasks={"min": 2, "max": 6})
    found = check_drift(reference(), changed(SERVICE, desired_count=count), {}, contract)
    assert verdicts == [one.verdict for one in found if one.verdict is not PROVEN]
