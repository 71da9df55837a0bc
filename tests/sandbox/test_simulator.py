"""IAM's policy simulator in the sandbox: the answers of our evaluator in the shape of AWS."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infraspec.sandbox.running import Running
from infraspec.sandbox.server_process import Account

EXECUTION = "arn:aws:iam::123456789012:role/daily-report-tool-prod-backend-execution"
READ = "secretsmanager:GetSecretValue"
OTHER = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:daily-report-tool-prod-jwt-v2-AbCdEf"


def _secret(sandbox: Running) -> str:
    client = sandbox.account.client("secretsmanager")
    return str(client.describe_secret(SecretId="daily-report-tool-prod-jwt-v1")["ARN"])


def _simulate(sandbox: Running, actions: list[str], resources: list[str], **more: Any) -> list[dict[str, Any]]:
    answer = sandbox.account.client("iam").simulate_principal_policy(
        PolicySourceArn=EXECUTION, ActionNames=actions, ResourceArns=resources, **more
    )
    results: list[dict[str, Any]] = answer["EvaluationResults"]
    return results


def test_each_resource_has_its_own_answer(sandbox: Running) -> None:
    """Two secrets in one question: one allowed by the policy that is named, the other by none."""
    secret = _secret(sandbox)
    (result,) = _simulate(sandbox, [READ], [secret, OTHER])
    answers = {one["EvalResourceName"]: one for one in result["ResourceSpecificResults"]}
    assert result["EvalDecision"] == "implicitDeny"
    assert answers[secret]["EvalResourceDecision"] == "allowed"
    assert answers[secret]["MatchedStatements"][0]["SourcePolicyId"] == "DailyReportSecretsManagerAccess-Prod"
    assert answers[OTHER]["EvalResourceDecision"] == "implicitDeny"
    assert answers[OTHER]["MatchedStatements"] == []


def test_the_policy_of_a_key_takes_no_part(sandbox: Running) -> None:
    """What the role's policies allow on a key is allowed: the simulator does not look at the key."""
    key = sandbox.deployment.attributes["module.secretsmanager.aws_kms_key.secrets"]["arn"]
    (result,) = _simulate(sandbox, ["kms:Decrypt"], [key])
    assert result["EvalDecision"] == "allowed"


def test_the_runner_may_ask(sandbox: Running) -> None:
    """The policy of the runner allows the simulator, so that the live suite can use it."""
    key = sandbox.environment["AWS_ACCESS_KEY_ID"]
    runner = Account(sandbox.endpoint, "123456789012", "ap-northeast-1", "aws", key)
    answer = runner.client("iam").simulate_principal_policy(
        PolicySourceArn=EXECUTION, ActionNames=["ecr:GetAuthorizationToken"]
    )
    runner.close()
    (result,) = answer["EvaluationResults"]
    assert (result["EvalResourceName"], result["EvalDecision"]) == ("*", "allowed")


def test_a_key_that_is_not_given_is_missing(sandbox: Running) -> None:
    """The condition of the task role's policy asks for the namespace: without it nothing is allowed."""
    role = "arn:aws:iam::123456789012:role/daily-report-tool-prod-backend-task"
    iam = sandbox.account.client("iam")
    ask = {"PolicySourceArn": role, "ActionNames": ["cloudwatch:PutMetricData"]}
    (without,) = iam.simulate_principal_policy(**ask)["EvaluationResults"]
    entry = {
        "ContextKeyName": "cloudwatch:namespace",
        "ContextKeyType": "string",
        "ContextKeyValues": ["daily-report-tool-prod"],
    }
    (given,) = iam.simulate_principal_policy(**ask, ContextEntries=[entry])["EvaluationResults"]
    keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=role)["ContextKeyNames"]
    assert (without["EvalDecision"], without["MissingContextValues"]) == ("implicitDeny", ["cloudwatch:namespace"])
    assert (given["EvalDecision"], given["MissingContextValues"]) == ("allowed", [])
    assert keys == ["cloudwatch:namespace"]


def test_a_resource_policy_cannot_be_simulated_for_a_role(sandbox: Running) -> None:
    """AWS says so, and so does the sandbox."""
    with pytest.raises(ClientError, match="isn't supported for IAM roles"):
        _simulate(sandbox, [READ], [OTHER], ResourcePolicy="{}")


def test_a_role_that_is_not_there(sandbox: Running) -> None:
    """The error is NoSuchEntity."""
    iam = sandbox.account.client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.simulate_principal_policy(PolicySourceArn=f"{EXECUTION}-x", ActionNames=[READ])


def test_policies_of_the_question_alone(sandbox: Running) -> None:
    """SimulateCustomPolicy decides what it is given; an explicit deny wins."""
    statements = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    answer = sandbox.account.client("iam").simulate_custom_policy(
        PolicyInputList=[document], ActionNames=["s3:DeleteBucket", "s3:GetObject", "ecs:ListTasks"]
    )
    assert {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]} == {
        "s3:DeleteBucket": "explicitDeny",
        "s3:GetObject": "allowed",
        "ecs:ListTasks": "implicitDeny",
    }
