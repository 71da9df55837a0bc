"""Pipelines of GitLab as a gate: a small one in several layouts, with edits that open it or leave it shut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from infraspec import contract as contracts
from infraspec.checks.process.process import check_process
from infraspec.core.finding import Finding

CONTRACT = """
[project]
application = "shop"

[environments.dev]
root = "terraform/dev"
account_id = "111122223333"
region = "eu-west-1"

[environments.prod]
root = "terraform/prod"
account_id = "123456789012"
region = "eu-west-1"

[process]
branch = "main"
workflows = ".gitlab-ci.yml"
ruleset = ".gitlab/project.json"

[process.jobs]
static = { event = "merge_request", runs = "infraspec check" }
"""
SETTINGS = {
    "default_branch": "main",
    "only_allow_merge_if_pipeline_succeeds": True,
    "allow_merge_on_skipped_pipeline": False,
    "protected_branches": [{"name": "main", "push_access_levels": [{"access_level": 0}]}],
}
PIPELINE = """
static:
  script:
    - pip install infraspec
    - infraspec check
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
"""
ALWAYS = '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n'
OTHER = """
lint:
  script: [echo lint]
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
"""


def plain(text: str) -> dict[str, str]:
    """Write the pipeline as it is."""
    return {".gitlab-ci.yml": text}


def included(text: str) -> dict[str, str]:
    """Have another file of the repository in its place."""
    return {".gitlab-ci.yml": "include:\n  - local: /ci/static.yml\n", "ci/static.yml": text}


def extended(text: str) -> dict[str, str]:
    """Have the job extend a template."""
    return {".gitlab-ci.yml": text.replace("\nstatic:", "\n.base:", 1) + "\nstatic:\n  extends: .base\n"}


def referred(text: str) -> dict[str, str]:
    """Have the rules of the job in a template."""
    head, found, rest = text.partition("  rules:\n")
    lines = rest.splitlines(keepends=True)
    own = [line for line in lines if not line.strip() or line.startswith("    ")]
    if not found or len(own) != len(lines):
        return plain(text)
    rules = "".join(own)
    return {".gitlab-ci.yml": f"{head}  rules:\n    - !reference [.rules, rules]\n\n.rules:\n  rules:\n{rules}"}


LAYOUTS = {one.__name__: one for one in (plain, included, extended, referred)}

OPEN = {
    "the job may fail": (PIPELINE + "  allow_failure: true\n"),
    "a rule lets it fail": PIPELINE.replace(ALWAYS, f"{ALWAYS}      allow_failure: true\n"),
    "it may fail with the exit code of findings": PIPELINE + "  allow_failure:\n    exit_codes: [1]\n",
    "the shell passes over it": PIPELINE.replace("infraspec check", "infraspec check || true"),
    "it is only printed": PIPELINE.replace("- infraspec check", "- echo infraspec check"),
    "errors are switched off": PIPELINE.replace("    - infraspec", "    - set +e\n    - infraspec").replace(
        "infraspec check\n", "infraspec check\n    - echo done\n"
    ),
    "after the script": PIPELINE.replace(
        "    - infraspec check\n", "    - echo\n  after_script:\n    - infraspec check\n"
    ),
    "manual": PIPELINE.partition("  rules")[0] + "  when: manual\n" + "  only: [merge_requests]\n",
    "a manual rule that may fail": PIPELINE.replace(
        ALWAYS, f"{ALWAYS}      when: manual\n      allow_failure: true\n"
    ),
    "only on failure": PIPELINE.replace(ALWAYS, f"{ALWAYS}      when: on_failure\n") + OTHER,
    "never": PIPELINE.replace(ALWAYS, f"{ALWAYS}      when: never\n") + OTHER,
    "only on main": PIPELINE.replace('$CI_PIPELINE_SOURCE == "merge_request_event"', '$CI_COMMIT_BRANCH == "main"')
    + OTHER,
    "only on the default branch": PIPELINE.replace(
        '$CI_PIPELINE_SOURCE == "merge_request_event"', "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
    )
    + OTHER,
    "only by schedule": PIPELINE.replace("merge_request_event", "schedule") + OTHER,
    "not for drafts": PIPELINE.replace(
        ALWAYS, f"    - if: $CI_MERGE_REQUEST_TITLE =~ /^Draft/\n      when: never\n{ALWAYS}"
    )
    + OTHER,
    "with a label": PIPELINE.replace('event"\n', 'event" && $CI_MERGE_REQUEST_LABELS =~ /infra/\n') + OTHER,
    "for a kind of branch": PIPELINE.replace(
        'event"\n', 'event" && $CI_MERGE_REQUEST_SOURCE_BRANCH_NAME =~ /^feature-/\n'
    )
    + OTHER,
    "for changes of one folder": PIPELINE.replace(ALWAYS, f"{ALWAYS}      changes: [terraform/prod/**/*]\n") + OTHER,
    "only main, in old words": PIPELINE.partition("  rules")[0] + "  only: [main]\n" + OTHER,
    "tags, in old words": PIPELINE.partition("  rules")[0] + "  only: [tags]\n" + OTHER,
    "all but merge requests": PIPELINE.partition("  rules")[0] + "  only: [branches, merge_requests]\n"
    "  except: [merge_requests, branches]\n" + OTHER,
    "one environment": PIPELINE.replace("infraspec check", "infraspec check --env dev"),
    "another command": PIPELINE.replace("infraspec check", "infraspec rule"),
    "another target": PIPELINE.replace('event"\n', 'event" && $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == "release"\n')
    + OTHER,
    "a child that nobody waits for": PIPELINE.partition("  script")[0]
    + "  trigger:\n    include: ci/child.yml\n  rules:\n" + ALWAYS,
    "nothing checked out": PIPELINE + "  variables:\n    GIT_STRATEGY: none\n",
    "no pipeline for changes but of one folder": "workflow:\n  rules:\n    - if: $CI_COMMIT_TAG\n      when: never\n"
    "    - when: always\n" + PIPELINE.replace(ALWAYS, f"{ALWAYS}      changes: ['*.md']\n") + OTHER,
}  # fmt: skip
SHUT = {
    "as it is": PIPELINE,
    "with a linter": PIPELINE + OTHER,
    "a comment": "# infraspec check || true\n" + PIPELINE,
    "in another stage": "stages: [lint, test]\n" + PIPELINE + "  stage: test\n",
    "an explicit false": PIPELINE + "  allow_failure: false\n",
    "it may fail with another exit code": PIPELINE + "  allow_failure:\n    exit_codes: [137]\n",
    "a linter that may fail": PIPELINE + OTHER + "  allow_failure: true\n",
    "retried": PIPELINE + "  retry: 2\n",
    "what it needs is a job": PIPELINE + "  needs: [lint]\n" + OTHER,
    "a manual rule that blocks": PIPELINE.replace(ALWAYS, f"{ALWAYS}      when: manual\n"),
    "every rule": PIPELINE.replace(ALWAYS, "    - when: always\n"),
    "no rules": PIPELINE.partition("  rules")[0],
    "merge requests, in old words": PIPELINE.partition("  rules")[0] + "  only: [merge_requests]\n",
    "all but tags": PIPELINE.partition("  rules")[0] + "  except: [tags]\n",
    "workflow of merge requests": f"workflow:\n  rules:\n{ALWAYS}"
    + PIPELINE.replace(ALWAYS, "    - when: on_success\n"),
    "workflow of merge requests, and a job without rules": f"workflow:\n  rules:\n{ALWAYS}"
    + PIPELINE.partition("  rules")[0],
    "merge requests in place of their branches": f"workflow:\n  rules:\n{ALWAYS}"
    "    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS\n      when: never\n    - if: $CI_COMMIT_BRANCH\n"
    + PIPELINE.partition("  rules")[0] + OTHER,
    "branches, and no merge request pipelines": PIPELINE.replace(ALWAYS, "    - if: $CI_COMMIT_BRANCH\n"),
    "changes of the infrastructure": PIPELINE.replace(
        ALWAYS, f"{ALWAYS}      changes: ['infraspec.toml', 'terraform/**/*']\n"
    ),
    "the target branch": PIPELINE.replace(
        'event"\n', 'event" && $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == $CI_DEFAULT_BRANCH\n'
    ),
    "tags are left out": PIPELINE.replace(ALWAYS, f"    - if: $CI_COMMIT_TAG\n      when: never\n{ALWAYS}"),
    "either of two": PIPELINE.replace('event"\n', 'event" || $CI_COMMIT_BRANCH == "main"\n'),
    "in brackets": PIPELINE.replace(
        '$CI_PIPELINE_SOURCE == "merge_request_event"',
        "($CI_PIPELINE_SOURCE =~ /^merge/ && $CI_COMMIT_TAG == null)",
    ),
    "a variable": PIPELINE.replace("infraspec check", "infraspec check --env $ENVIRONMENTS")
    + "  variables:\n    ENVIRONMENTS: dev,prod\n",
    "a job for each environment": PIPELINE.replace("infraspec check", 'infraspec check --env "$NAME"')
    + "  parallel:\n    matrix:\n      - NAME: [dev, prod]\n",
    "what comes before": "default:\n  before_script:\n    - set -e\n" + PIPELINE,
    "something after": PIPELINE.replace("infraspec check\n", "infraspec check\n    - echo done\n"),
    "a folded command": PIPELINE.replace("- infraspec check", "- |\n      infraspec check"),
    "a child that is waited for": PIPELINE.partition("  script")[0]
    + "  trigger:\n    include:\n      - local: ci/child.yml\n    strategy: depend\n  rules:\n" + ALWAYS,
    "a template of GitLab": "include:\n  - template: Jobs/SAST.gitlab-ci.yml\n" + PIPELINE,
    "the report is kept": PIPELINE + "  artifacts:\n    when: always\n    paths: [infraspec-results.json]\n",
}  # fmt: skip
UNCLEAR = {
    "a file of another server": "include:\n  - remote: https://example.com/ci.yml\n" + PIPELINE,
    "a file of another project": "include:\n  - project: platform/ci\n    file: base.yml\n" + OTHER,
    "a variable of the project": PIPELINE.replace('event"\n', 'event" && $RUN_SUITE == "yes"\n') + OTHER,
    "the pipeline of the branch alone": PIPELINE.partition("  rules")[0] + OTHER,
    "what a manual job is needed for": PIPELINE + "  needs: [lint]\n" + OTHER.replace(ALWAYS, "") .replace(
        "  rules:\n", "  when: manual\n  only: [merge_requests]\n"
    ),
}  # fmt: skip
CASES = [
    (verdict, name, text)
    for verdict, table in (("violated", OPEN), ("proven", SHUT), ("undetermined", UNCLEAR))
    for name, text in table.items()
]


def judged(directory: Path, files: dict[str, str], settings: str) -> list[Finding]:
    """Return the findings about a repository."""
    child = "infra:\n  script: [infraspec check]\n  rules:\n    - if: $CI_MERGE_REQUEST_ID\n"
    given = {"infraspec.toml": CONTRACT, ".gitlab/project.json": settings, "ci/child.yml": child, **files}
    for environment in ("dev", "prod"):
        given[f"terraform/{environment}/main.tf"] = ""
    for name, text in given.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    contract = contracts.load(directory / "infraspec.toml", environments=[])
    assert contract.process
    return check_process(contract, contract.process)


def worst(findings: list[Finding]) -> str:
    """Return the worst verdict."""
    return min((one.verdict.value for one in findings), key=("violated", "undetermined", "proven").index)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("expected", "name", "text"), CASES, ids=[name for _, name, _ in CASES])
def test_edits(tmp_path: Path, expected: str, name: str, text: str, layout: str) -> None:
    """What opens the gate is violated, what leaves it shut proven, and what is not in the files not known."""
    findings = judged(tmp_path, LAYOUTS[layout](text), json.dumps(SETTINGS))
    bad = [one for one in findings if one.verdict.value != "proven"]

    assert expected == worst(findings), "\n".join(map(str, bad))
    assert all(one.location and one.expected and one.found and one.reason and one.remedy for one in bad), bad


def test_the_pipelines_are_yaml() -> None:
    """Every layout of every pipeline can be read."""
    for _, _, text in CASES:
        for write in LAYOUTS.values():
            for file in write(text).values():
                assert YAML(typ="rt").load(file)


BRANCHES = SETTINGS["protected_branches"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "proven"),
        ({"only_allow_merge_if_pipeline_succeeds": False}, "violated"),
        ({"allow_merge_on_skipped_pipeline": True}, "violated"),
        ({"allow_merge_on_skipped_pipeline": None}, "proven"),
        ({"protected_branches": []}, "violated"),
        ({"protected_branches": [{"name": "m*", "push_access_levels": [{"access_level": 0}]}]}, "proven"),
        ({"protected_branches": [{"name": "main", "push_access_levels": [{"access_level": 40}]}]}, "violated"),
        ({"protected_branches": [{"name": "release", "push_access_levels": [{"access_level": 0}]}]}, "violated"),
        ({"protected_branches": None}, "undetermined"),
    ],
)
def test_settings_of_the_project(tmp_path: Path, change: dict[str, object], expected: str) -> None:
    """A project that merges without its pipeline, or lets somebody push, is open; what the file lacks is not known."""
    assert expected == worst(judged(tmp_path, plain(PIPELINE), json.dumps({**SETTINGS, **change})))


def test_without_settings(tmp_path: Path) -> None:
    """Whether GitLab waits for the pipeline is not in the repository: the answer says which file settles it."""
    text = CONTRACT.replace('ruleset = ".gitlab/project.json"\n', "")
    findings = judged(tmp_path, {**plain(PIPELINE), "infraspec.toml": text}, "{}")

    (open_,) = [one for one in findings if one.verdict.value != "proven"]
    assert ("undetermined", "settings of the project") == (open_.verdict.value, open_.subject)
    assert "glab api projects/:id" in open_.remedy


@pytest.mark.parametrize(
    ("runs", "expected"), [("infraspec check", "violated"), ("terraform validate", "proven"), ("tflint", "proven")]
)
def test_changes_of_the_contract_concern_suites_alone(tmp_path: Path, runs: str, expected: str) -> None:
    """A job that runs no suite may be left out of a change of the contract alone."""
    pipeline = PIPELINE.replace(ALWAYS, f"{ALWAYS}      changes: ['terraform/**/*']\n").replace("infraspec check", runs)
    files = {**plain(pipeline + OTHER), "infraspec.toml": CONTRACT.replace("infraspec check", runs)}
    findings = judged(tmp_path, files, json.dumps(SETTINGS))

    assert [expected] == [one.verdict.value for one in findings if one.subject == "job static"]
