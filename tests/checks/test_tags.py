"""Rules `tags` and `tag-policy` over a plan."""

from __future__ import annotations

import json
from typing import Any

from infraspec.checks.conventions.tag_policy import check_tag_policy
from infraspec.checks.conventions.tags import check_tags
from infraspec.contract.models import Contract
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.core.finding import Finding, Location, SourceChange, Verdict
from infraspec.core.unknown import Sensitive, Unknown
from infraspec.terraform.plan import Plan, Resource

COMMON = {
    "Application": "{application}",
    "Environment": "{environment}",
    "ManagedBy": "terraform",
    "Owner": "platform-team",
    "CostCenter": "engineering",
}
SPECIFIC = {
    "aws_secretsmanager_secret": {
        "SecretType": ["database", "jwt", "api-key"],
        "RotationEnabled": ["true", "false"],
    },
    "aws_ecs_service": {
        "ServiceType": ["backend", "frontend", "worker"],
        "TaskDefinitionVersion": {"regex": "v[0-9]+"},
    },
    "aws_db_instance": {"Engine": ["postgres", "mysql"], "BackupRetention": ["7", "14", "30"]},
}
GOOD = {
    "Application": "daily-report-tool",
    "Environment": "prod",
    "ManagedBy": "terraform",
    "Owner": "platform-team",
    "CostCenter": "engineering",
}


def _contract(**tags: Any) -> Contract:
    return Contract.model_validate(
        {
            "project": {"application": "daily-report-tool"},
            "environments": {"prod": {}},
            "tags": {"common": COMMON, **tags},
        }
    )


def _resource(type_: str, values: dict[str, Any], **fields: Any) -> Resource:
    return Resource(f"{type_}.this", "managed", type_, "this", None, "", values, **fields)


def _check(*resources: Resource, **tags: Any) -> list[Finding]:
    return check_tags(Plan("test", resources), _contract(**tags), "prod")


def _tagged(type_: str, **tags: Any) -> Resource:
    return _resource(type_, {"tags": {}, "tags_all": {**GOOD, **tags}})


def test_the_tags_of_the_requirements_are_proven() -> None:
    """Each resource of the requirements with the common and its own tags is proven."""
    findings = _check(
        _tagged("aws_secretsmanager_secret", SecretType="database", RotationEnabled=True),
        _tagged("aws_ecs_service", ServiceType="backend", TaskDefinitionVersion="v16"),
        _tagged("aws_db_instance", Engine="postgres", BackupRetention=7),
        _tagged("aws_ecs_cluster"),
        resource=SPECIFIC,
    )
    assert [finding.verdict for finding in findings] == [Verdict.PROVEN] * 4


def test_tags_that_are_set_are_merged_with() -> None:
    """A resource takes one tags argument: where there is one, the lines say that they go into it."""
    (finding,) = _check(_resource("aws_secretsmanager_secret", {"tags": {"A": "b"}, "tags_all": {"A": "b"}}))
    assert finding.remedy.startswith("# merge into the tags of aws_secretsmanager_secret.this\ntags = {")


def test_all_faults_of_a_resource_are_one_finding() -> None:
    """Missing and wrong keys stand in one finding, with the location of the tags and the lines to paste."""
    resource = _resource(
        "aws_secretsmanager_secret",
        {"tags_all": {**GOOD, "Owner": "me", "RotationEnabled": "true"} | {"CostCenter": None}},
        location=Location("main.tf", 1),
        locate=lambda attribute: Location("main.tf", 4) if attribute == "tags" else None,
    )
    expected = Finding(
        "tags",
        Verdict.VIOLATED,
        "aws_secretsmanager_secret.this",
        location=Location("main.tf", 4),
        expected='Owner = "platform-team"\nCostCenter = "engineering"\nSecretType = "database" | "jwt" | "api-key"',
        found='Owner = "me"\nno CostCenter\nno SecretType',
        reason="Owner has another value; CostCenter is null, which sets no tag; SecretType is missing",
        remedy="tags = {\n"
        '  Owner      = "platform-team"\n'
        '  CostCenter = "engineering"\n'
        '  SecretType = "…" # one of database, jwt, api-key\n'
        "}",
        changes=(
            SourceChange(
                "shared_tags",
                "aws_secretsmanager_secret.this",
                "tags",
                entries=(("Owner", '"platform-team"'), ("CostCenter", '"engineering"'), ("SecretType", '"…"')),
            ),
            SourceChange(
                "default_tags",
                "aws_secretsmanager_secret.this",
                entries=(
                    ("Owner", '"platform-team"'),
                    ("CostCenter", '"engineering"'),
                    ("SecretType", "var.secret_type"),
                ),
                needs='variable "secret_type" {\n  type = string\n}',
            ),
        ),
    )
    assert [expected] == _check(resource, resource=SPECIFIC)


def test_default_tags_count_and_resource_tags_stand_in_without_them() -> None:
    """tags_all is read first, tags if there is no tags_all."""
    assert _check(_resource("aws_sns_topic", {"tags": GOOD}))[0].verdict is Verdict.PROVEN
    assert _check(_resource("aws_sns_topic", {"tags": GOOD, "tags_all": {}}))[0].verdict is Verdict.VIOLATED


def test_unknown_tags() -> None:
    """Unknown tags are UNDETERMINED and name what to make known; a certain fault among them is violated."""
    finding = _check(_resource("aws_sns_topic", {"tags": Unknown("var.tags")}))[0]
    assert finding.verdict is Verdict.UNDETERMINED
    assert finding.remedy.startswith("make ${var.tags} known")
    assert finding.found == "unknown tags"
    wrong = _check(_resource("aws_sns_topic", {"tags_all": Unknown("x"), "tags": {"Owner": "me"}}))[0]
    assert wrong.verdict is Verdict.VIOLATED
    assert "Owner has another value" in wrong.reason


def test_sensitive_tags_are_not_shown() -> None:
    """A sensitive tag is UNDETERMINED and its value stands nowhere."""
    finding = _check(_tagged("aws_sns_topic", Owner=Sensitive("var.owner", "topsecret")))[0]
    assert finding.verdict is Verdict.UNDETERMINED
    assert "topsecret" not in str(finding) + repr(finding)


def test_types_that_take_no_tags_are_no_subjects() -> None:
    """Types without tags, data sources and other providers are left out; a taggable type without tags is not."""
    data = Resource("data.aws_sns_topic.x", "data", "aws_sns_topic", "x", None, "", {})
    findings = _check(
        data,
        _resource("aws_iam_role_policy", {"tags_all": {"A": "1"}}),
        _resource("aws_new_thing", {}),
        _resource("random_id", {}),
        _resource("aws_sns_topic", {}),
    )
    assert [finding.address for finding in findings] == ["aws_sns_topic.this"]


def test_a_type_that_no_table_knows() -> None:
    """With tags of its own it is judged; with default_tags alone a fault is UNDETERMINED, for it may take none."""
    own = _check(_resource("aws_new_thing", {"tags": {}}))[0]
    assert own.verdict is Verdict.VIOLATED
    inherited = _check(_resource("aws_new_thing", {"tags_all": {"Owner": "x"}}))[0]
    assert inherited.verdict is Verdict.UNDETERMINED
    assert 'exempt = ["aws_new_thing"]' in inherited.remedy
    assert _check(_resource("aws_new_thing", {"tags_all": GOOD}))[0].verdict is Verdict.PROVEN


def test_a_type_that_the_contract_names_is_a_subject() -> None:
    """Tags demanded of a type are looked for even if no table has the type."""
    assert _check(_resource("aws_new_thing", {}), resource={"aws_new_thing": {"A": {}}})[0].verdict is Verdict.VIOLATED


def test_autoscaling_groups_have_blocks() -> None:
    """An Auto Scaling group's tags are its tag blocks, and so is the remedy."""
    blocks = [{"key": key, "value": value, "propagate_at_launch": True} for key, value in GOOD.items()]
    assert _check(_resource("aws_autoscaling_group", {"tag": blocks}))[0].verdict is Verdict.PROVEN
    finding = _check(_resource("aws_autoscaling_group", {"tag": blocks[1:], "tags_all": GOOD}))[0]
    assert finding.verdict is Verdict.VIOLATED
    assert finding.remedy == (
        'tag {\n  key                 = "Application"\n  value               = "daily-report-tool"\n'
        "  propagate_at_launch = true\n}"
    )


def test_resources_of_awscc_have_pairs() -> None:
    """The change is written as the list of key and value that the provider awscc takes."""
    values = {"tags": [{"key": "ManagedBy", "value": "terraform"}]}
    (finding,) = _check(_resource("awscc_sns_topic", values))
    assert '  { key = "Application", value = "daily-report-tool" },' in finding.remedy


def test_exempt_resources() -> None:
    """An exempt type or address is no subject."""
    topic = _resource("aws_sns_topic", {})
    assert _check(topic, exempt=["aws_sns_topic"]) == []
    assert _check(topic, exempt=["aws_sns_topic.*"]) == []
    assert len(_check(topic, exempt=["aws_sqs_queue", "module.*"])) == 1


def test_without_rules_there_is_nothing_to_say() -> None:
    """A contract without tags has no findings."""
    assert check_tags(Plan("test", [_resource("aws_sns_topic", {})]), _contract(common={}), "prod") == []


def test_tag_policy() -> None:
    """Each resource that takes tags has a finding of the policy, with the case and the value to paste."""
    policy = TagPolicy.from_json(
        json.dumps(
            {
                "tags": {
                    "costcenter": {
                        "tag_key": {"@@assign": "CostCenter"},
                        "tag_value": {"@@assign": ["engineering"]},
                        "enforced_for": {"@@assign": ["sns:*"]},
                        "report_required_tag_for": {"@@assign": ["logs:log-group"]},
                    }
                }
            }
        )
    )
    plan = Plan(
        "test",
        [
            _resource("aws_sns_topic", {"tags": {"costcenter": "engineering"}}),
            _resource("aws_sqs_queue", {"tags": {"CostCenter": "sales"}}),
            _resource("aws_cloudwatch_log_group", {}),
            _resource("aws_db_instance", {}),
            _resource("aws_iam_role_policy", {}),
        ],
    )
    findings = check_tag_policy(plan, _contract(), "prod", policy)
    assert {"tag-policy"} == {finding.rule for finding in findings}
    assert [(finding.verdict, finding.found) for finding in findings] == [
        (Verdict.VIOLATED, "the key costcenter"),
        (Verdict.VIOLATED, 'CostCenter = "sales"'),
        (Verdict.VIOLATED, "no CostCenter"),
        (Verdict.PROVEN, ""),
    ]
    assert findings[0].reason.endswith("AWS refuses the request (enforced_for sns:*)")
    assert findings[2].remedy == 'tags = {\n  CostCenter = "engineering"\n}'
    assert findings[3].expected == "CostCenter = engineering (if there)"
