"""The files that Allure reads beside the results: environment, categories and who ran it.

Source: Allure Report Docs, "Test results file", "Environment", "Categories" and "Executors" of "How it works".
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infraspec.core.atomic_write import write_whole
from infraspec.errors import ReportError
from infraspec.reporting.run.results import Results

VIOLATED = r"^\d+ violated\b[\s\S]*"
UNDETERMINED = r"^(XFAIL )?\d+ undetermined of [\s\S]*"
CATEGORIES: tuple[dict[str, Any], ...] = (
    {"name": "Violated", "matchedStatuses": ["failed"], "messageRegex": VIOLATED},
    {"name": "Undetermined", "matchedStatuses": ["failed", "skipped"], "messageRegex": UNDETERMINED},
    {
        "name": "Failed rules of the repository's own",
        "matchedStatuses": ["failed"],
        "messageRegex": r"^(?!\d+ (violated|undetermined))[\s\S]*",
    },
    {
        "name": "Broken: the rule matched nothing",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^EmptySelectionError: [\s\S]*",
    },
    {
        "name": "Broken: an error of the input",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^(?!EmptySelectionError|NetworkBlockedError|unexpected )[\s\S]*",
    },
    {
        "name": "Broken: the network was asked",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^NetworkBlockedError: [\s\S]*",
    },
    {
        "name": "Broken: an unexpected error",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^unexpected [\s\S]*",
    },
)
"""Each failed or broken test is in one of them; a regular expression is about the whole message."""

_PLAIN = re.compile(r"[^A-Za-z0-9_./-]")


def write_files(folder: Path, results: Results, environ: Mapping[str, str]) -> None:
    """Write the files into the folder of Allure's results. Raises ReportError if that is not possible."""
    texts = {
        "environment.properties": environment(results),
        "categories.json": json.dumps(CATEGORIES, indent=1) + "\n",
    }
    if found := executor(environ):
        texts["executor.json"] = json.dumps(found, indent=1) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, text.encode())
    except OSError as error:
        raise ReportError(
            "Allure's files cannot be written",
            place=f"--alluredir {folder}",
            expected="a folder that the user running the tests may write to",
            found=error.strerror or type(error).__name__,
            remedy="choose another place",
        ) from None


def environment(results: Results) -> str:
    """Return what was checked, and with what, as Java properties."""
    run = results.run
    pairs = {
        "infraspec": run.infraspec,
        "Python": platform.python_version(),
        "Application": run.application,
        "Contract": run.contract,
        "Environments": ", ".join(run.environments),
        "Commit": run.commit,
        **{f"Plan.{plan.environment}": plan.file for plan in run.plans},
        "Complete": "yes" if run.complete else "no",
    }
    return "".join(f"{_PLAIN.sub('_', key)}={_property(value)}\n" for key, value in pairs.items() if value)


def executor(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what GitHub Actions or GitLab CI say of the run; None elsewhere.

    Source: GitHub Docs, "Variables reference"; GitLab Docs, "Predefined CI/CD variables reference".
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        url = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        build = f"{url}/actions/runs/{environ.get('GITHUB_RUN_ID', '')}"
        numbered = _numbered(environ.get("GITHUB_WORKFLOW", ""), environ.get("GITHUB_RUN_NUMBER", ""))
        return {"name": "GitHub Actions", "type": "github", "url": url, **numbered, "buildUrl": build}
    if environ.get("GITLAB_CI") == "true":
        url, build = environ.get("CI_PROJECT_URL", ""), environ.get("CI_JOB_URL", "")
        numbered = _numbered(environ.get("CI_JOB_NAME", ""), environ.get("CI_PIPELINE_IID", ""))
        return {"name": "GitLab CI", "type": "gitlab", "url": url, **numbered, "buildUrl": build}
    return None


def _numbered(name: str, number: str) -> dict[str, Any]:
    order = {"buildOrder": int(number)} if number.isdecimal() else {}
    return {**order, "buildName": " ".join(filter(None, [name, f"#{number}" if number else ""]))}


def _property(value: str) -> str:
    """Return a value as Java's Properties.load reads it, which takes ISO 8859-1: everything else is escaped."""
    units = value.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(
        f"\\{chr(code)}" if chr(code) in "\\:=#!" else chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}"  # noqa: PLR2004 - printable ASCII
        for code in codes
    )
