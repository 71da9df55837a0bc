"""What is wrong with a service: its cause, what its next start lacks, and what of it source and account allow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.services.diagnosis import Diagnosis
from infraspec.core.errors import RunnerPermissionError
from infraspec.reporting.diagnosis import exit_code
from infraspec.terraform.plan import Plan, Resource
from tests.live import test_diagnosing
from tests.live.fleet import SECRET, service_deployment, source, stopped
from tests.live.incident import ALLOWING, ROLE, TERRAFORM, healthy, rolled_back, unassumed
from tests.live.test_diagnosing import as_json, as_text
from tests.live.test_start_facts import ANSWERS
from tests.whole_results import Transcript

Diagnose = Callable[..., list[Diagnosis]]


@pytest.fixture(name="diagnosed")
def _diagnosed(transcript: Transcript) -> Diagnose:
    """Return what diagnoses a service, and has what it says compared."""

    @functools.wraps(test_diagnosing.diagnosed)
    def diagnose(*arguments: Any, **options: Any) -> list[Diagnosis]:
        found = test_diagnosing.diagnosed(*arguments, **options)
        transcript([as_text(found), as_json(found)])
        return found

    return diagnose


@pytest.mark.parametrize("as_event", [True, False])
def test_a_role_that_cannot_be_assumed(diagnosed: Diagnose, tmp_path: Path, *, as_event: bool) -> None:
    """It is none of the ten root causes, and known: the text has the role, and what is wrong with it is looked up."""
    gone = diagnosed(tmp_path, unassumed(None, as_event=as_event))

    assert exit_code(gone) == 1
    assert "cause:       ECS cannot assume the role\n" in as_text(gone)
    assert f"role:        {ROLE}\n" in as_text(gone)
    assert "missing:     execution role: there is no such role\n" in as_text(gone)
    assert "\nFix: terraform apply creates it" in as_text(gone)

    (back,) = diagnosed(tmp_path, unassumed(ANSWERS["iam", "get_role"], as_event=as_event))
    assert (back.is_known, back.missing) == (True, ())
    assert "deploy again" in as_text([back])


def test_the_source_allows_it(diagnosed: Diagnose, tmp_path: Path) -> None:
    """Then the fix is to apply it."""
    text = as_text(diagnosed(tmp_path, rolled_back(), ALLOWING))

    assert "Fix: the source allows it (" in text
    assert "terraform apply" in text


def test_what_is_deployed_is_compared(diagnosed: Diagnose, tmp_path: Path) -> None:
    """If the source allows what is deployed does not, that is said."""
    deployed = source(tmp_path / "live", TERRAFORM)

    text = as_text(diagnosed(tmp_path, rolled_back(), ALLOWING, deployed=deployed))

    assert "the deployed revision does not yet: terraform apply" in text


def test_what_the_next_start_needs_is_gone(diagnosed: Diagnose, tmp_path: Path) -> None:
    """A secret that does not exist is the cause, whatever the tasks say."""
    cluster = rolled_back()
    cluster.answers["secretsmanager", "describe_secret"] = None
    cluster.definition = {"container": {"secrets": [{"name": "URL", "valueFrom": SECRET}]}}
    cluster.tasks[2:] = [stopped(16, "ResourceInitializationError: something new", name="t")]

    found = diagnosed(tmp_path, cluster)

    assert exit_code(found) == 1
    assert "missing:     secret db-AbCdEf: there is no such secret\n" in as_text(found)
    assert "Fix: create it, or remove container" in as_text(found)


def test_a_cause_that_is_not_known(diagnosed: Diagnose, tmp_path: Path) -> None:
    """It says so, with a code of its own, and follows the playbook of deployments."""
    cluster = healthy(newest=16, deployments=[service_deployment(16, "ROLLBACK_SUCCESSFUL", "it failed")])
    cluster.tasks.append(stopped(16, "ResourceInitializationError: something new"))

    found = diagnosed(tmp_path, cluster)

    assert exit_code(found) == 3
    assert as_text(found).startswith("web in shop: deployment-failure, since ")
    assert "none of the ten that infraspec knows" in as_text(found)


def test_a_service_that_does_not_exist_in_aws(diagnosed: Diagnose, tmp_path: Path) -> None:
    """It is said, and nothing is made up."""
    cluster = healthy()
    cluster.answers["ecs", "list_clusters"] = {"clusterArns": []}

    found = diagnosed(tmp_path, cluster)

    assert exit_code(found) == 3
    assert "there is no cluster shop that is ACTIVE" in as_text(found)


def test_what_is_deployed_may_not_be_looked_at(diagnosed: Diagnose, tmp_path: Path) -> None:
    """Then it is said, and the source alone is explained."""

    class Hidden(Sequence[Resource]):
        def __getitem__(self, index: Any) -> Any:
            raise RunnerPermissionError("the runner may not iam:ListRoles")

        def __len__(self) -> int:
            return 1

    deployed = Plan("the account", Hidden())

    text = as_text(diagnosed(tmp_path, rolled_back(), deployed=deployed))

    assert "deployed:    not compared: the runner may not iam:ListRoles\n" in text
    assert "Fix: add to aws_iam_role_policy.execution (" in text
