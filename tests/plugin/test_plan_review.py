"""The plan review in the suite: where it runs, and what approves a risk."""

from __future__ import annotations

import json

import pytest

from tests.plugin.project import CONTRACT, Project, text_of

CHANGE = {
    "address": "aws_sqs_queue.jobs",
    "mode": "managed",
    "type": "aws_sqs_queue",
    "name": "jobs",
    "action_reason": "delete_because_no_resource_config",
    "change": {"actions": ["delete"], "before": {"name": "jobs"}, "after": None, "after_unknown": {}},
}
PLAN = json.dumps({"format_version": "1.2", "planned_values": {}, "resource_changes": [CHANGE]})
TABLE = '\n[plan_review.approvals]\n"approve/destroy" = ["stateful-destroy"]\n'
WAIVER = """
[[waivers]]
rule = "plan-review"
address = "aws_sqs_queue.jobs stateful-destroy"
reason = "it is empty"
owner = "team"
expires = 2999-01-01
"""
ONLY = ("-k", "test_plan_review and not no_diff")
NO_DIFF = ("-k", "no_diff")


def project(rules: str = TABLE, plan: str = 'plan = "plan.json"\n') -> Project:
    """Return a repository with a plan that destroys a queue."""
    return Project({"infraspec.toml": CONTRACT + plan + rules, "plan.json": PLAN})


@pytest.fixture(autouse=True)
def _no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a workflow run of our own would say."""
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    monkeypatch.delenv("GITHUB_EVENT_NAME", raising=False)
    monkeypatch.delenv("INFRASPEC_LABELS", raising=False)
    monkeypatch.delenv("INFRASPEC_REVIEWS", raising=False)


def test_a_critical_change_fails(pytester: pytest.Pytester) -> None:
    """The finding, what to do about it, and the table of changes are shown."""
    result = project().run(pytester, *ONLY)
    result.assert_outcomes(failed=1)
    text = text_of(result)
    assert "VIOLATED plan-review: aws_sqs_queue.jobs stateful-destroy" in text
    assert "the configuration no longer has the resource" in text
    assert "with the label approve/destroy" in text
    assert "    stateful-destroy (violated): destroy\n1 delete" in text


def test_without_table_or_plan_it_is_skipped(pytester: pytest.Pytester) -> None:
    """A contract without [plan_review], and an environment without a plan, have nothing to review."""
    project(rules="").run(pytester, *ONLY).assert_outcomes(skipped=1)
    project(plan="").run(pytester, *ONLY).assert_outcomes(skipped=1)


def test_a_waiver_approves(pytester: pytest.Pytester) -> None:
    """A waiver of the contract is shown with its owner."""
    result = project(TABLE + WAIVER).run(pytester, *ONLY)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["waived   dev plan-review: aws_sqs_queue.jobs stateful-destroy (until 2999*by team*"])


def test_a_label_approves(pytester: pytest.Pytester) -> None:
    """A label of the option approves what the contract says it does, and no other label does."""
    result = project().run(pytester, *ONLY, "--infraspec-labels", "size/S, approve/destroy")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["infraspec: labels size/S, approve/destroy (option)", "waived*by the pull request: label approve/destroy)"]
    )
    project().run(pytester, *ONLY, "--infraspec-labels", "approve").assert_outcomes(failed=1)


def test_a_label_of_the_event_approves(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels of the event that started the workflow count, with xdist too; the option wins over them."""
    event = pytester.path / "event.json"
    event.write_text(json.dumps({"pull_request": {"labels": [{"name": "approve/destroy"}]}}), encoding="utf-8")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    project().run(pytester, *ONLY, "-n", "1").assert_outcomes(passed=1)
    project().run(pytester, *ONLY, "--infraspec-labels", "none").assert_outcomes(failed=1)


OWNED = "\n[plan_review]\napproved_by_owners = true\n"


def approving(login: str, commit: str = "new") -> str:
    """Return a file of reviews with one approval."""
    return json.dumps([{"user": {"login": login}, "state": "APPROVED", "commit_id": commit, "submitted_at": "2026"}])


@pytest.mark.parametrize(
    ("owners", "reviews", "said"),
    [
        ("*.tf @kaori", approving("kaori"), ""),
        ("*.tf @kaori", approving("author"), "VIOLATED plan-review: main.tf approval by owners"),
        ("*.tf @kaori", None, "UNDETERMINED plan-review: main.tf approval by owners"),
    ],
)
def test_owners_approve_a_risk(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, owners: str, reviews: str | None, said: str
) -> None:
    """Where the contract asks for it, an owner of the files has to have approved, whatever label there is."""
    request = {
        "number": 1,
        "user": {"login": "author"},
        "head": {"sha": "new"},
        "labels": [{"name": "approve/destroy"}],
    }
    files = {"infraspec.toml": CONTRACT + 'plan = "plan.json"\n' + OWNED + TABLE, "plan.json": PLAN, "main.tf": ""}
    files |= {"event.json": json.dumps({"pull_request": request})}
    files |= {".github/CODEOWNERS": owners}
    files |= {"reviews.json": reviews} if reviews else {}
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(pytester.path / "infra/event.json"))
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    given = ("--infraspec-reviews", "infra/reviews.json") if reviews else ()
    result = Project(files).run(pytester, *ONLY, *given)

    result.assert_outcomes(failed=1 if said else 0, passed=0 if said else 1)
    assert said in text_of(result)
    assert "VIOLATED plan-review: aws_sqs_queue.jobs" not in text_of(result)


def test_owners_are_asked_for_by_the_contract_alone(pytester: pytest.Pytester) -> None:
    """Without the key nobody has to approve, and a plan without a risk needs no approval with it."""
    files = {"infraspec.toml": CONTRACT + 'plan = "plan.json"\n' + TABLE, "plan.json": PLAN, "main.tf": ""}
    result = Project(files).run(pytester, *ONLY, "--infraspec-labels", "approve/destroy")
    result.assert_outcomes(passed=1)
    empty = json.dumps({"format_version": "1.2", "planned_values": {}, "resource_changes": []})
    files |= {"infraspec.toml": CONTRACT + 'plan = "plan.json"\n' + OWNED, "plan.json": empty}
    Project(files).run(pytester, *ONLY).assert_outcomes(passed=1)


def test_an_event_that_cannot_be_read_is_an_error(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is named, without a traceback."""
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(pytester.path / "none.json"))
    result = project().run(pytester, *ONLY)
    result.assert_outcomes(errors=1)
    assert "EventError" in text_of(result)
    assert "Traceback" not in text_of(result)


def test_an_empty_plan_is_demanded_on_request(pytester: pytest.Pytester) -> None:
    """By the contract or by the option, a plan of what is deployed has to change nothing."""
    project().run(pytester, *NO_DIFF).assert_outcomes(skipped=1)
    result = project().run(pytester, *NO_DIFF, "--infraspec-no-diff")
    result.assert_outcomes(failed=1)
    assert "VIOLATED no-diff: aws_sqs_queue.jobs" in text_of(result)
    always = '\n[drift]\nenvironments = ["dev"]\n'
    project(always).run(pytester, *NO_DIFF).assert_outcomes(failed=1)
    project(always + 'ignore = ["aws_sqs_queue"]\n').run(pytester, *NO_DIFF).assert_outcomes(passed=1)
    project(always, plan="").run(pytester, *NO_DIFF).assert_outcomes(skipped=1)
