"""What the providers random, tls, time, null, archive and local make flows into what AWS has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infraspec.sandbox.applying import AppliedPlan
from infraspec.sandbox.local_providers import DATA, RESOURCES
from infraspec.sandbox.running import Running
from tests.sandbox.test_not_applied import plan_of

SOURCE = (Path(__file__).parent / "data" / "local_providers.tf").read_text()


@pytest.fixture(scope="module")
def applied(empty: Running, tmp_path_factory: pytest.TempPathFactory) -> AppliedPlan:
    """Apply a source that has each type, and whose values go into parameters, a secret and a bucket."""
    directory = tmp_path_factory.mktemp("local")
    deployment = AppliedPlan(empty.account)
    assert () == deployment.apply(plan_of(directory, SOURCE))
    return deployment


def _values(applied: AppliedPlan) -> dict[str, str]:
    ssm = applied.account.client("ssm")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/local", Recursive=True, WithDecryption=True)
    return {one["Name"].removeprefix("/local/"): one["Value"] for page in pages for one in page["Parameters"]}


def test_each_type_is_in_the_source(applied: AppliedPlan) -> None:
    """A type that is known is one that this test applies."""
    assert set(RESOURCES) <= set(applied.types.values())
    assert all(f'data "{type_}"' in SOURCE for type_ in DATA)


FORMS = {
    "bytes": r"[0-9a-f]{8}",
    "id": r"x-[0-9a-f]{8}",
    "integer": r"[1-9]|10",
    "pet": r"[a-z]+\.[a-z]+\.[a-z]+",
    "shuffle": r"[ab]",
    "string": r"[0-9]{3}[a-z]{5}|(?=(.*[0-9]){3})[a-z0-9]{8}",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "ssh": r"ssh-ed25519 [A-Za-z0-9+/=]+\n",
    "read": r"ssh-ed25519 [A-Za-z0-9+/=]+\n",
    "rsa": r"-----BEGIN RSA PRIVATE KEY-----(?s:.*)",
    "request": r"-----BEGIN CERTIFICATE REQUEST-----(?s:.*)",
    "signed": r"-----BEGIN CERTIFICATE-----(?s:.*)",
    "own": r"-----BEGIN CERTIFICATE-----(?s:.*)",
    "static": r"2026-01-31T10:00:00Z",
    "offset": r"2026-03-03T10:00:00Z",
    "rotating": r"2026-02-07T10:00:00Z",
    "sleep": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "null": r"\d+",
    "data": r"from data",
    "file": r"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    "sensitive": r"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    "archive": r"[A-Za-z0-9+/]{43}=",
    "archived": r"[0-9a-f]{32}",
}


@pytest.mark.parametrize("name", FORMS)
def test_values_have_the_form_of_the_provider(applied: AppliedPlan, name: str) -> None:
    """The documentation of each provider says it."""
    assert re.fullmatch(FORMS[name], _values(applied)[name])


def test_a_password_is_a_secret_of_its_length(applied: AppliedPlan) -> None:
    """It reaches the secret, and no text that is printed."""
    secrets = applied.account.client("secretsmanager")
    value = json.loads(secrets.get_secret_value(SecretId="local/password")["SecretString"])["password"]
    assert 24 == len(value)
    assert set(value) & set("!_")
    assert value not in repr(applied)


def test_an_applied_plan_stays_as_it_is(applied: AppliedPlan, tmp_path: Path) -> None:
    """A second apply makes nothing anew; changed keepers do."""
    before: dict[str, Any] = json.loads(json.dumps(applied.attributes))
    assert () == applied.apply(plan_of(tmp_path, SOURCE))
    assert before == applied.attributes
    assert () == applied.apply(plan_of(tmp_path, SOURCE.replace('keep = "1"', 'keep = "2"')))
    changed = {name for name, made in applied.attributes.items() if made != before[name]}
    assert {"random_uuid.a", 'aws_ssm_parameter.a["uuid"]'} == changed
