"""A playbook with one thing wrong: its owner, times, checklists, links and commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from infraspec.checks.process.playbooks import check_playbooks
from infraspec.contract.models import Contract
from infraspec.core.finding import Verdict
from infraspec.process.markdown import parse_page
from infraspec.process.playbooks import playbook_of

PAGE = """---
id: disk-full
language: en
owner: platform
targets: {confirm: 5, restore: 15, fix: 30, follow-up: 1440}
---
# Disk full

## 1. Confirm (within 5 minutes)

- [ ] look at the graph

## 2. Restore (15 minutes)

- [ ] make room

```console
$ CLUSTER=a aws ecs list-tasks && make room | ./tidy.sh
```

## 3. Fix (30 minutes)

- [ ] look at [the log](log.md#where), [above](#disk-full) and [the web](https://example.com/)

## 4. Follow-up (24 hours)

- [ ] write it down
"""
CONTRACT = {"project": {"application": "app"}, "environments": {"prod": {}}}
SETTINGS = {"directory": "docs", "required": ["disk-full"], "languages": ["en"], "owners": ["platform"]}
CASES: dict[str, tuple[tuple[str, str], list[str]]] = {
    "complete": (("", ""), []),
    "no such id": (("id: disk-full", "id: disk-empty"), ["disk-full (en)"]),
    "another language": (("language: en", "language: ja"), ["disk-full (en)"]),
    "covered by a failure class": (("id: disk-full", "id: full\nfailure_classes: [disk-full]"), []),
    "covered by an alarm": (("id: disk-full", "id: full\nalarms: [disk-full]"), []),
    "nobody's": (("owner: platform", "owner: nobody"), ["owner"]),
    "no target": (("confirm: 5, ", ""), ["phase confirm"]),
    "a target that is too late": (("restore: 15", "restore: 16"), ["phase restore"]),
    "a target that is sooner": (("restore: 15", "restore: 14"), ["phase restore"]),
    "no heading": (("## 3. Fix (30 minutes)", "### Fix"), ["phase fix"]),
    "no time": (("(30 minutes)", "(soon)"), ["phase fix"]),
    "another time": (("(30 minutes)", "(31 minutes)"), ["phase fix"]),
    "nothing to tick": (("- [ ] make room", "- make room"), ["phase restore"]),
    "no such file": (("log.md#where", "logs.md"), ["link logs.md"]),
    "no such heading": (("log.md#where", "log.md#there"), ["link log.md#there"]),
    "no such heading here": (("#disk-full", "#disk-empty"), ["link #disk-empty"]),
    "a heading of no page": (("log.md#where", "tidy.sh#L1"), []),
    "no such program": (("aws ecs list-tasks", "awz ecs list-tasks"), ["command CLUSTER=a awz"]),
    "no such program after it": (("&& make room", "&& moke room"), ["command CLUSTER=a aws"]),
    "no such target": (("&& make room", "&& make -s FORCE=1 rooms"), ["command CLUSTER=a aws"]),
    "no such script": (("./tidy.sh", "./tidied.sh"), ["command CLUSTER=a aws"]),
    "a variable that nothing sets": (("aws ecs", 'echo "$NAME" && aws ecs'), ["variable NAME"]),
    "a variable in braces": (("aws ecs", 'echo "${NAME}" && aws ecs'), ["variable NAME"]),
    "a variable that is set below": (
        ("$ CLUSTER=a aws", '$ echo "$NAME"\n$ NAME=b\n$ CLUSTER=a aws'),
        ["variable NAME"],
    ),
    "a variable that is set above": (("$ CLUSTER=a aws", '$ NAME=$(echo b)\n$ echo "$NAME"\n$ CLUSTER=a aws'), []),
    "a variable with a default": (("aws ecs", 'echo "${NAME:-b}" "${OTHER-}" && aws ecs'), []),
    "a variable in single quotes": (("aws ecs", "jq '$NAME' && aws ecs"), []),
    "a dollar that is none": (("aws ecs", 'echo "\\$NAME $1 $?" && aws ecs'), []),
    "a variable of the session": (("aws ecs", 'echo "$HOME $AWS_REGION" && aws ecs'), []),
    "a quote that is open": (("aws ecs", "aws 'ecs"), ["command CLUSTER=a aws"]),
}


def judged(directory: Path, texts: Sequence[str]) -> list[str]:
    """Return the subjects of what is not proven of playbooks in a repository."""
    (directory / "docs").mkdir()
    (directory / "Makefile").write_text("SHELL := bash\nroom:\n\ttrue\n", "utf-8")
    for name, text in {"log.md": "# Where\n", "tidy.sh": ""}.items():
        (directory / "docs" / name).write_text(text, "utf-8")
        (directory / name).write_text(text, "utf-8")
    contract = Contract.model_validate({**CONTRACT, "playbooks": SETTINGS})
    contract = contract.model_copy(update={"path": directory / "infraspec.toml"})
    assert contract.playbooks
    pages = [parse_page(text, f"docs/{at}.md", directory / "docs" / f"{at}.md") for at, text in enumerate(texts)]
    for page, text in zip(pages, texts, strict=True):
        assert page.path
        page.path.write_text(text, "utf-8")
    found = check_playbooks(contract, contract.playbooks, [playbook_of(page) for page in pages])
    return [one.subject for one in found if one.verdict is not Verdict.PROVEN]


@pytest.mark.parametrize("case", CASES)
def test_one_thing_that_is_wrong(case: str, tmp_path: Path) -> None:
    """It is one finding, with the line of the page and what fixes it."""
    (old, new), subjects = CASES[case]
    assert old in PAGE
    found = judged(tmp_path, [PAGE.replace(old, new, 1)])
    assert len(subjects) == len(found)
    assert all(one.startswith(subject) for one, subject in zip(found, subjects, strict=True))


def test_without_playbooks_each_that_is_required_is_missing(tmp_path: Path) -> None:
    """The page to begin with is in the finding."""
    assert ["disk-full (en)"] == judged(tmp_path, [])
