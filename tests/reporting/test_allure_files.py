"""The files of a folder of Allure's results that are not about one test."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.reporting.allure.files import environment, executor
from tests.reporting.results import RESULTS, RUN

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_RUN_ID": "99",
    "GITHUB_RUN_NUMBER": "7",
    "GITHUB_WORKFLOW": "infraspec",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.example.com/acme/shop",
    "CI_JOB_URL": "https://gitlab.example.com/acme/shop/-/jobs/99",
    "CI_JOB_NAME": "infraspec",
    "CI_PIPELINE_IID": "7",
}
BUILD = {"buildOrder": 7, "buildName": "infraspec #7"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            GITHUB,
            {
                "name": "GitHub Actions",
                "type": "github",
                "url": "https://github.com/acme/shop",
                "buildUrl": "https://github.com/acme/shop/actions/runs/99",
                **BUILD,
            },
        ),
        (
            GITLAB,
            {
                "name": "GitLab CI",
                "type": "gitlab",
                "url": "https://gitlab.example.com/acme/shop",
                "buildUrl": "https://gitlab.example.com/acme/shop/-/jobs/99",
                **BUILD,
            },
        ),
        ({"CI": "true"}, None),
        ({"GITLAB_CI": "false", "GITHUB_ACTIONS": ""}, None),
        ({}, None),
    ],
)
def test_what_ran_the_tests(environ: dict[str, str], expected: dict[str, Any] | None) -> None:
    """GitHub Actions and GitLab CI say what they are, where the project is, and which run it was; nothing else does."""
    assert expected == executor(environ)


@pytest.mark.parametrize(
    ("number", "expected"), [("", {"buildName": "infraspec"}), ("x7", {"buildName": "infraspec #x7"})]
)
def test_a_run_without_a_number_has_no_order(number: str, expected: dict[str, Any]) -> None:
    """Allure orders builds by a number, and takes no other value for one."""
    found = executor({**GITLAB, "CI_PIPELINE_IID": number}) or {}
    assert expected == {name: value for name, value in found.items() if name.startswith("build") and name != "buildUrl"}


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        ("shop ~", "shop ~"),
        ("a=b: #1!", "a\\=b\\: \\#1\\!"),
        ("C:\\shop", "C\\:\\\\shop"),
        ("\x1f\x7f\n", "\\\\x1f\\\\x7f\\u000a"),
        ("caf\u00e9 \U0001f600", "caf\\u00e9 \\ud83d\\ude00"),
    ],
)
def test_properties_are_what_java_reads(application: str, expected: str) -> None:
    """Printable ASCII stands as it is, but for what ends a key or begins a comment; the rest is escaped."""
    lines = environment(replace(RESULTS, run=replace(RUN, application=application))).splitlines()
    assert [f"Application={expected}"] == [line for line in lines if line.startswith("Application")]
