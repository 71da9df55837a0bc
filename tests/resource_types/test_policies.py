"""Which resource types hold a policy: the catalogue against the provider's schema, and the rules that read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.plan_review.plan_review import check_plan_review
from infraspec.checks.policies.policies import check_policies
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Unknown, Value
from infraspec.resource_types import TYPES, Policy, PolicyKind
from infraspec.terraform import environments
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.schema import Schema, resource_types, schema, structure

ACCOUNT = "111122223333"
HELD = [(known.type, policy) for known in TYPES.values() for policy in known.policies]
NAMES = [f"{type_}.{policy.attribute} {policy.kind.name}" for type_, policy in HELD]

_POLICY = re.compile(r"polic|permission|assume_role")
_NAMED = re.compile(r"_(arn|id|ids|name|names|type|version|label|token|number|scope|mode|runtime|revision|url)$")
_SETTINGS = frozenset(
    (  # noqa: SIM905 - a list has a line for each
        "dns_record_client_routing_policy alpn_policy ssl_policy security_policy tls_policy https_policy "
        "tls_security_policy viewer_protocol_policy origin_protocol_policy protocol_policy referrer_policy "
        "permission permissions routing_policy routing_http_response_content_security_policy_header_value "
        "content_security_policy image_pull_policy dns_policy data_deletion_policy scaling_policy_update_behavior "
        "excess_capacity_termination_policy delete_propagation_policy padding_policy sizing_policy "
        "auto_import_policy snapshot_policy action_failure_policy new_game_session_protection_policy "
        "game_server_protection_policy user_context_policy stream_exception_policy "
        "overwrite_child_resource_permissions_with_default language_selection_policy default_policy "
        "policy_language posix_permissions permissions_boundary notification_policy web_app_endpoint_policy "
        "permission_model permission_policy"
    ).split()
)
"""Attributes of these names take one of a few words, a number, or the ARN of a policy."""
_OTHER_LANGUAGES = {
    "aws_api_gateway_domain_name.security_policy": "the TLS versions of a domain",
    "aws_cloudformation_stack.policy_body": "stack policies say which resources an update may touch",
    "aws_cloudwatch_log_account_policy.policy_document": "what is masked, filtered or indexed",
    "aws_cloudwatch_log_data_protection_policy.policy_document": "what is masked in logs",
    "aws_cloudwatch_log_index_policy.policy_document": "which fields are indexed",
    "aws_config_config_rule.source.custom_policy_details.policy_text": "Guard",
    "aws_config_organization_custom_policy_rule.policy_text": "Guard",
    "aws_ecr_lifecycle_policy.policy": "which images expire",
    "aws_ecr_repository_creation_template.lifecycle_policy": "which images expire",
    "aws_emr_cluster.core_instance_group.autoscaling_policy": "when instances are added",
    "aws_emr_instance_group.autoscaling_policy": "when instances are added",
    "aws_iot_policy.policy": "AWS IoT Core's own language for devices, with variables that IAM does not have",
    "aws_iot_policy_attachment.policy": "the name of a policy",
    "aws_networkmanager_core_network.base_policy_document": "how a network is cut into segments",
    "aws_networkmanager_core_network_policy_attachment.policy_document": "how a network is cut into segments",
    "aws_opensearchserverless_access_policy.policy": "rules of OpenSearch Serverless, without statements",
    "aws_opensearchserverless_lifecycle_policy.policy": "how long data is kept",
    "aws_opensearchserverless_security_policy.policy": "encryption and networks",
    "aws_ram_permission.policy_template": "a part of a policy, without principals and resources",
    "aws_servicecatalog_service_action.definition.assume_role": "the ARN of a role",
    "aws_ses_receipt_filter.policy": "Allow or Block, for addresses of senders",
    "aws_sns_topic.archive_policy": "how long messages are kept",
    "aws_sns_topic.delivery_policy": "how often a delivery is tried",
    "aws_sns_topic_data_protection_policy.policy": "what is masked in messages",
    "aws_sns_topic_subscription.delivery_policy": "how often a delivery is tried",
    "aws_sns_topic_subscription.filter_policy": "which messages are delivered",
    "aws_sns_topic_subscription.redrive_policy": "where messages go that cannot be delivered",
    "aws_sns_topic_subscription.replay_policy": "which messages are sent again",
    "aws_sqs_queue.redrive_allow_policy": "which queues may use it for what cannot be delivered",
    "aws_sqs_queue.redrive_policy": "where messages go that cannot be processed",
    "aws_sqs_queue_redrive_allow_policy.redrive_allow_policy": "which queues may use it for what cannot be delivered",
    "aws_sqs_queue_redrive_policy.redrive_policy": "where messages go that cannot be processed",
    "aws_verifiedaccess_endpoint.policy_document": "Cedar",
    "aws_verifiedaccess_group.policy_document": "Cedar",
    "aws_workspacesweb_browser_settings.browser_policy": "settings of a browser",
}
"""What is called a policy and is none of IAM, with what it is instead."""


def _texts(held: Schema, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of the attributes of a schema that are text and can be set."""
    for name in held.names() if len(path) < 5 else ():
        setting = held.setting(name)
        if setting is not None and setting.code == "s" and setting.settable:
            yield ".".join((*path, name))
        if setting is not None and setting.code[1:2] == "@" and setting.code[0] != "M":
            yield from _texts(structure(setting.code[1:]), (*path, name))


def _is_like_a_policy(path: str) -> bool:
    name = path.rpartition(".")[2]
    return bool(_POLICY.search(name)) and not _NAMED.search(name) and name not in _SETTINGS


def test_every_policy_of_the_provider_is_in_the_catalogue() -> None:
    """An attribute that is called a policy is in the catalogue, or it is said what it is instead."""
    paths = {
        f"{type_}.{path}"
        for type_ in resource_types()
        for path in _texts(schema(type_) or Schema({}))
        if _is_like_a_policy(path) or (type_.startswith("aws_organizations_") and path == "content")
    }
    listed = {f"{type_}.{policy.attribute}" for type_, policy in HELD}

    arguments = {f"{type_}.{policy.attribute}" for type_, policy in HELD if policy.arguments}

    assert set() == paths - listed - set(_OTHER_LANGUAGES)
    assert set() == listed - paths - arguments, "in the catalogue, and not in the schema"
    assert set() == set(_OTHER_LANGUAGES) - paths - {"aws_api_gateway_domain_name.security_policy"}


_NO_STATEMENTS = {
    "aws_acmpca_permission": "AWS Certificate Manager alone may be named",
    "aws_iot_thing_principal_attachment": "a certificate",
    "aws_kms_grant": "a grant names one principal, and is compiled as such",
    "aws_lakeformation_permissions": "permissions of Lake Formation's own",
    "aws_licensemanager_grant": "licences of an account or an organization",
    "aws_ram_principal_association": "an account, an organization or a principal, never everybody",
    "aws_vpc_endpoint_service_allowed_principal": "who may connect; for everybody it is a public setting",
}
"""Resources that name a principal and add no statement to a policy, with what they do instead."""


def test_every_statement_that_is_written_as_arguments_is_in_the_catalogue() -> None:
    """A type whose argument names a principal adds a statement to a policy, or it is said what it does instead."""
    of_others = re.compile(r"aws_(ecr|eks|iam|ssoadmin|servicecatalog|s3control)_")
    naming = {
        type_
        for type_ in resource_types()
        for name in ("principal", "principal_arn", "grantee_principal")
        if (setting := (schema(type_) or Schema({})).setting(name)) is not None and setting.code == "s"
        if setting.settable and not of_others.match(type_)
    }

    assert set(_NO_STATEMENTS) == naming - {type_ for type_, policy in HELD if policy.arguments}


def _statement(policy: Policy, effect: str = "Allow") -> dict[str, Any]:
    """Return a statement that lets everybody, or everybody of an account, do all."""
    service = (policy.services or "s3").split()[0]
    action = "sts:AssumeRole" if policy.kind is PolicyKind.TRUST else f"{service}:*"
    principal = {"Principal": "*"} if policy.names_principals else {}
    resource = {} if policy.kind is PolicyKind.TRUST else {"Resource": "*"}
    return {"Effect": effect, **principal, "Action": action, **resource}


def _values(policy: Policy, *statements: dict[str, Any]) -> dict[str, Value]:
    """Return the values of a resource that holds a policy."""
    if policy.arguments is not None:
        return {"principal": statements[0]["Principal"], policy.arguments.action: statements[0]["Action"]}
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    (*blocks, name) = policy.attribute.split(".")
    values: dict[str, Any] = {name: text}
    for block in reversed(blocks):
        values = {block: [values]}
    return {**values, **{other: accepted[-1] for other, accepted in policy.when.items()}}


def _contract() -> Contract:
    return Contract.model_validate(
        {
            "project": {"application": "app"},
            "environments": {"prod": {"account_id": ACCOUNT, "region": "eu-west-1"}},
        }
    )


def _reviewed(type_: str, before: Any, after: Any) -> list[Finding]:
    """Return what the review of a plan says of an update, or of a creation or deletion, of one resource."""
    actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
    detail = {"actions": actions, "before": before, "after": after, "after_unknown": {}}
    entry = {"address": f"{type_}.p", "mode": "managed", "type": type_, "name": "p", "change": detail}
    content = {"format_version": "1.2", "planned_values": {}, "resource_changes": [entry]}
    plan = environments.from_bytes(json.dumps(content).encode(), "plan.json")
    return check_plan_review(plan, _contract(), "prod")


def _wrong(findings: list[Finding]) -> list[str]:
    return [finding.subject for finding in findings if finding.verdict is Verdict.VIOLATED]


def _checked(type_: str, values: dict[str, Value]) -> list[Finding]:
    resource = Resource(f"{type_}.p", "managed", type_, "p", None, "", values, provider="aws")
    return check_policies(Plan("source", [resource], account=ACCOUNT, region="eu-west-1"), (), _contract(), "prod")


_REVIEWED = {
    PolicyKind.IDENTITY: {"iam-broad": Verdict.VIOLATED},
    PolicyKind.TRUST: {"public-exposure": Verdict.VIOLATED},
    PolicyKind.RESOURCE: {"public-exposure": Verdict.VIOLATED},
}
"""What the review says of a new resource with a policy that allows all; the rest limit what others allow."""
_NEW = ("iam-new", "iam-widening")
"""What is allowed that was not: to what is new itself, or to what exists."""
_CHECKED = {
    PolicyKind.IDENTITY: "service-wide",
    PolicyKind.TRUST: "public-access",
    PolicyKind.RESOURCE: "public-access",
    PolicyKind.RESOURCE_CONTROL: "refused",
}


@pytest.mark.parametrize(("type_", "policy"), HELD, ids=NAMES)
def test_the_review_sees_a_policy_for_everybody(type_: str, policy: Policy) -> None:
    """A policy that lets everybody in is a risk of a plan, whatever resource holds it."""
    if type_ == "aws_iam_role" and policy.kind is PolicyKind.IDENTITY:
        pytest.skip("the inline policies of a role are judged as what is attached to it")
    found = _reviewed(type_, None, _values(policy, _statement(policy)))
    risks = {one.subject: one.verdict for one in found if one.subject and one.subject not in _NEW}

    assert _REVIEWED.get(policy.kind, {}) == risks
    assert (policy.kind in (PolicyKind.IDENTITY, PolicyKind.ENDPOINT)) is any(one.subject in _NEW for one in found)


@pytest.mark.parametrize(("type_", "policy"), HELD, ids=NAMES)
def test_the_rule_sees_a_policy_for_everybody(type_: str, policy: Policy) -> None:
    """The rule about policies faults one that lets everybody in, but where everybody is meant or nothing is given."""
    found = _checked(type_, _values(policy, _statement(policy)))
    expected = "" if policy.for_everybody else _CHECKED.get(policy.kind, "")

    assert found
    assert bool(expected) is any(f" {expected}" in finding.subject for finding in found)


@pytest.mark.parametrize(("type_", "policy"), HELD, ids=NAMES)
def test_the_rule_sees_what_is_wrong_in_a_policy(type_: str, policy: Policy) -> None:
    """An action that does not exist is found in every policy."""
    found = _checked(type_, _values(policy, {**_statement(policy), "Action": "s3:Gte*"}))

    assert any("unknown-action" in finding.subject or "foreign-action" in finding.subject for finding in found)


OWNED = [
    (type_, policy)
    for type_, policy in HELD
    if policy.kind is PolicyKind.RESOURCE and (policy.owners or not policy.arguments)
]


@pytest.mark.parametrize(("type_", "policy"), OWNED, ids=[f"{type_}.{policy.attribute}" for type_, policy in OWNED])
def test_a_resource_has_the_policies_that_are_attached_to_it(type_: str, policy: Policy) -> None:
    """Each type that a policy may be of has it, by reference; a policy in the resource itself is its own."""
    values = _values(policy, _statement(policy, "Deny"))
    for owner in policy.owners or (type_,):
        named = {policy.of: Unknown(f"{owner}.o.id")} if policy.of else {}
        holder = Resource(f"{type_}.p", "managed", type_, "p", None, "", {**values, **named}, provider="aws")
        other = Resource(f"{owner}.o", "managed", owner, "o", None, "", {}, provider="aws")
        plan = Plan("source", [holder, other] if policy.of else [holder], account=ACCOUNT, region="eu-west-1")
        target = Unknown(f"{owner}.o.arn" if policy.of else f"{type_}.p.arn")

        assert [f"{type_}.p"] == [
            found.name for found in ArnIndex(AwsAttributes(plan)).policies(target, ACCOUNT, "s3:Get")
        ]


LIMITS = [
    (type_, policy)
    for type_, policy in HELD
    if policy.kind in (PolicyKind.SESSION, PolicyKind.ORGANIZATION, PolicyKind.RESOURCE_CONTROL)
]


@pytest.mark.parametrize(("type_", "policy"), LIMITS, ids=[f"{type_} {policy.kind.name}" for type_, policy in LIMITS])
def test_a_limit_that_is_taken_off_is_a_risk(type_: str, policy: Policy) -> None:
    """What limits others widens what they may do when it goes, or denies less; a new one does not."""
    limit = _values(policy, _statement(policy), {**_statement(policy, "Deny"), "Action": "s3:GetObject"})
    without = {**limit, policy.attribute: None}

    assert _wrong(_reviewed(type_, None, limit)) == []
    assert _wrong(_reviewed(type_, limit, without)) == ["iam-widening"]
    assert _wrong(_reviewed(type_, limit, _values(policy, _statement(policy)))) == ["iam-widening"]
    assert _wrong(_reviewed(type_, limit, limit)) == []
