"""What is asked is what AWS's own model of its API takes, and what the runner's policy allows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from infraspec.aws.guard import READS, api_name
from infraspec.live.diagnosing import diagnoses
from tests.live.answers import Answers
from tests.live.fleet import source
from tests.live.incident import TERRAFORM, rolled_back
from tests.live.test_diagnosing import loaded
from tests.live.test_start_facts import cluster


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Return everything that a diagnosis asks of a service that needs something of every kind."""
    directory: Path = tmp_path_factory.mktemp("source")
    made = rolled_back()
    made.definition = cluster().definition
    made.service["networkConfiguration"] = cluster().service["networkConfiguration"]
    calls = made.calls()
    diagnoses(calls, source(directory, TERRAFORM), loaded(directory), service=None, back=timedelta(hours=2))
    return calls


def test_parameters_are_those_of_the_api(asked: Answers) -> None:
    """A misspelt parameter would be found by the first run on an account only."""
    session = get_session()
    validator = ParamValidator()

    for service, operation, parameters in asked.asked:
        model = session.get_service_model(service).operation_model(api_name(service, operation))
        given = {key: value for key, value in parameters.items() if key != "region"}
        report = validator.validate(given, model.input_shape)
        assert not report.has_errors(), f"{service} {operation}: {report.generate_report()}"


def test_operations_are_allowed(asked: Answers) -> None:
    """Every operation is one of those that may leave the process, and that the runner's policy has."""
    wanted = {(service, api_name(service, operation)) for service, operation, _ in asked.asked}

    assert wanted <= {(service, name) for service, names in READS.items() for name in names}
    assert {service for service, _ in wanted} >= {"ecs", "elbv2", "ecr", "secretsmanager", "ssm", "iam", "logs", "ec2"}
