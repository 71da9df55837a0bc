"""IAM's policy simulator: what is asked of it, and what its answers mean."""

from __future__ import annotations

from typing import Any

from infraspec.aws.simulate import Simulated, SimulationQuestion, simulate
from tests.live.answers import Answers

ROLE = "arn:aws:iam::111122223333:role/app"
SECRETS = [f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}-AbCdEf" for name in ("a", "b")]
OPERATION = ("iam", "simulate_principal_policy")


def answer(decision: str, **more: Any) -> dict[str, Any]:
    """Write an answer about every secret; the decision above them is that on the template of an ARN."""
    specific = [{"EvalResourceName": arn, "EvalResourceDecision": decision, **more} for arn in SECRETS]
    result = {"EvalActionName": "secretsmanager:GetSecretValue", "EvalDecision": "implicitDeny"}
    return {"EvaluationResults": [{**result, "ResourceSpecificResults": specific}]}


def test_one_call_for_many_resources() -> None:
    """A role is asked about once for each context, and only what was asked for is answered."""
    calls = Answers({OPERATION: answer("allowed")})
    questions = [SimulationQuestion(ROLE, "secretsmanager:GetSecretValue", arn) for arn in SECRETS]
    assert simulate(calls, [*questions, questions[0]]) == dict.fromkeys(questions, Simulated("allowed"))
    assert calls.count(*OPERATION) == 1
    assert calls.asked[0][2]["ResourceArns"] == SECRETS


def test_only_what_was_asked_is_answered() -> None:
    """One call asks every action about every resource; the rest of the answers is dropped."""
    both = [{**answer("allowed")["EvaluationResults"][0], "EvalActionName": name} for name in ("a:A", "b:B")]
    questions = [SimulationQuestion(ROLE, "a:A", SECRETS[0]), SimulationQuestion(ROLE, "b:B", SECRETS[1])]
    assert set(simulate(Answers({OPERATION: {"EvaluationResults": both}}), questions)) == set(questions)


def test_contexts_are_asked_for_by_themselves() -> None:
    """Each context is a call, with its keys and values."""
    calls = Answers({OPERATION: {"EvaluationResults": []}})
    context = (("kms:ViaService", "secretsmanager.eu-west-1.amazonaws.com"),)
    simulate(
        calls,
        [
            SimulationQuestion(ROLE, "kms:Decrypt", "arn:aws:kms:::key/1", context),
            SimulationQuestion(ROLE, "kms:Decrypt", "x"),
        ],
    )
    entries = [asked["ContextEntries"] for _, _, asked in calls.asked]
    assert entries == [
        [],
        [{"ContextKeyName": "kms:ViaService", "ContextKeyValues": [context[0][1]], "ContextKeyType": "string"}],
    ]


def test_missing_context_leaves_it_open() -> None:
    """A decision that lacks a context key is no decision."""
    calls = Answers({OPERATION: answer("allowed", MissingContextValues=["aws:SourceVpce"])})
    question = SimulationQuestion(ROLE, "secretsmanager:GetSecretValue", SECRETS[0])
    assert simulate(calls, [question])[question].is_open


def test_result_without_resources() -> None:
    """A result about one resource may have its decision at the top alone, with statements and organization."""
    result = {
        "EvalActionName": "kms:Decrypt",
        "EvalResourceName": "arn:aws:kms:*:*:key/*",
        "EvalDecision": "explicitDeny",
        "MatchedStatements": [{"SourcePolicyId": "stop"}],
        "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
    }
    question = SimulationQuestion(ROLE, "kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1")
    found = simulate(Answers({OPERATION: {"EvaluationResults": [result]}}), [question])
    assert found == {question: Simulated("explicitDeny", (), ("stop",), organization=False)}


def test_a_role_that_does_not_exist_has_no_answer() -> None:
    """The simulator knows it as little as ECS does: what is said of that is the check's."""
    calls = Answers({OPERATION: None})
    assert simulate(calls, [SimulationQuestion(ROLE, "secretsmanager:GetSecretValue", SECRETS[0])]) == {}
