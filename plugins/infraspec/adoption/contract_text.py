"""infraspec.toml with comments: what was inferred, from how many, and what else there is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from infraspec.adoption.contract_inference import Adoption, LeftOut
from infraspec.adoption.environments import EnvironmentCandidate
from infraspec.contract.document import notation
from infraspec.contract.loading import FILE_NAME
from infraspec.core.errors import WriteError

_MOST_LISTED = 30

_HEAD = """\
# What this infrastructure has to be. `pytest --pyargs infraspec.tests_static` proves it, without credentials.
#
# `infraspec init` has read this from what is there: patterns and tags are those of the majority. Change what should be
# otherwise, since a contract says what has to be, not what is.
"""

_OPTIONAL = """\
# More rules, each of which runs when its table is here, be it empty:
#
# [state]                  # the state is remote, encrypted, locked, and no other environment's
# managed = false          # its bucket is made elsewhere
#
# [versions]               # terraform, providers and modules are pinned, and the lock file has them
# modules = "bounded"
#
# [consistency]            # environments are made of the same modules and resources
#
# [alarms]                 # every service, database and secret is watched, and alerts reach people
#
# [plan_review]            # what a plan destroys, opens up or allows has an approval
#
# [process]                # how a change reaches production: checklist, owners, workflows
#
# [playbooks]              # what to do in an incident
# directory = "docs/playbooks"
"""

_KNOWN = """\
# What data sources return, for what would otherwise stay unknown; `infraspec doctor` lists the lines to paste.
# [known]
# "aws_availability_zones.names" = ["eu-west-1a", "eu-west-1b"]
"""


def contract_text(adoption: Adoption) -> str:
    """Write the contract of an adoption."""
    sections = [_HEAD, _project(adoption), *_environments(adoption), *_left_out(adoption), _KNOWN]
    sections += [*_names(adoption), *_tags(adoption), _suite(adoption), _OPTIONAL]
    return "\n".join(sections)


def quoted(value: object) -> str:
    """Write text, a list or an inline table as TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        pairs = ", ".join(f"{notation((key,))} = {quoted(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(quoted, value)) + "]"
    raise TypeError(type(value).__name__)


def _project(adoption: Adoption) -> str:
    held, total = adoption.support
    why = f"{held} of {total} names begin with it" if held else "the name of the directory"
    return f"[project]\napplication = {quoted(adoption.application)}  # {why}\n"


def _environments(adoption: Adoption) -> Iterator[str]:
    for each in adoption.environments:
        fault = f"# It cannot be evaluated yet: {_comment(adoption.fault)}\n" if adoption.fault else ""
        yield (
            f"# By the {_comment(each.origin)}.\n{fault}"
            + _table(each, adoption.task_definitions.get(each.name, ()))
            + "\n"
        )
    if not adoption.environments:
        files = quoted(list(adoption.task_definitions["main"]))
        yield f"[environments.main]\ntask_definitions = {files}\n"
    if adoption.repository.malformed:
        yield "# These look like task definitions and cannot be read as one (templates?):\n" + "".join(
            f"#   {_comment(path)}\n" for path in adoption.repository.malformed[:_MOST_LISTED]
        )


def _table(each: EnvironmentCandidate, files: Sequence[str]) -> str:
    lines = [f"[environments.{notation((each.name,))}]", f"root = {quoted(each.root.path)}"]
    if each.account and each.account.certain:
        lines.append(f"account_id = {quoted(each.account.value)}  # {_comment(each.account.source)}")
    elif each.account:
        lines.append(f"# account_id = {quoted(each.account.value)}  # {_comment(each.account.source)}: is it this one?")
    else:
        lines.append('# account_id = "111122223333"  # the AWS account, which makes ARNs known before apply')
    if each.region:
        lines.append(f"region = {quoted(each.region.value)}  # {_comment(each.region.source)}")
    if each.workspace != "default":
        lines.append(f"workspace = {quoted(each.workspace)}")
    if each.var_files:
        lines.append(f"var_files = {quoted(each.var_files)}")
    if each.variables:
        lines.append(f"variables = {quoted(dict(each.variables))}  # by the name of the {_comment(each.origin)}")
    if files:
        lines.append(f"task_definitions = {quoted(list(files))}")
    return "\n".join(lines)


def _left_out(adoption: Adoption) -> Iterator[str]:
    for reason, group in _grouped(adoption.left_out).items():
        lines = [f"# Left out: {_comment(reason)}"]
        for each in group[:_MOST_LISTED]:
            lines += [f"# {line}" for line in _table(each.candidate, ()).splitlines() if not line.startswith("#")]
        if len(group) > _MOST_LISTED:
            lines.append(f"# and {len(group) - _MOST_LISTED} more")
        yield "\n".join(lines) + "\n"
    for path, reason in adoption.repository.broken[:_MOST_LISTED]:
        yield f"# Left out: {_comment(path)}, which cannot be parsed: {_comment(reason)}\n"
    if adoption.repository.aside:
        paths = "".join(f"#   {_comment(path)}\n" for path in adoption.repository.aside[:_MOST_LISTED])
        yield f"# Left out: root modules of examples and tests\n{paths}"


def _grouped(left_out: Sequence[LeftOut]) -> dict[str, list[LeftOut]]:
    groups: dict[str, list[LeftOut]] = {}
    for each in left_out:
        groups.setdefault(each.reason, []).append(each)
    return groups


def _names(adoption: Adoption) -> Iterator[str]:
    if not adoption.names:
        yield (
            "# No resource type has a naming pattern that most of its names follow.\n"
            "# [names.patterns]\n"
            '# aws_ecs_cluster = "{application}-{environment}-cluster"\n'
        )
        return
    lines = [
        "# {name} stands for lower-case words joined by hyphens; the numbers say how many names follow the pattern."
    ]
    lines.append("[names.patterns]")
    for guess in adoption.names:
        pattern = guess.patterns[0] if len(guess.patterns) == 1 else list(guess.patterns)
        lines.append(f"{notation((guess.type,))} = {quoted(pattern)}  # {guess.held} of {guess.total}")
    if placeholders := adoption.placeholders():
        lines += ["", "[names.placeholders]"]
        lines += [f"{notation((name,))} = {quoted(regex)}" for name, regex in placeholders.items()]
    yield "\n".join(lines) + "\n"


def _tags(adoption: Adoption) -> Iterator[str]:
    if not adoption.tags:
        yield '# No tag is on most of the resources.\n# [tags.common]\n# Environment = "{environment}"\n# Owner = {}\n'
        return
    lines = ["# Tags that most resources have; {} asks for the key with any value."]
    common = any(guess.is_common for guess in adoption.tags)
    lines.append("[tags.common]" if common else "# [tags.common]")
    for guess in adoption.tags:
        mark = "" if guess.is_common else "# "
        line = f"{mark}{notation((guess.key,))} = {quoted(guess.rule)}  # {guess.held} of {guess.total} resources"
        lines.append(line)
    yield "\n".join(lines) + "\n"


def _suite(adoption: Adoption) -> str:
    lines = [
        "[suite]",
        'undetermined = "warn"  # what cannot be told is shown and does not fail yet; "fail" once [known] is filled',
    ]
    if adoption.allow_empty:
        lines.append("# These match nothing in some environment, which is an error otherwise:")
        lines += ["allow_empty = [", *(f"  {quoted(entry)}," for entry in adoption.allow_empty), "]"]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    return " ".join(text.split())


WORKFLOW_FILE = ".github/workflows/infraspec.yml"
GITLAB_FILE = "infraspec.gitlab-ci.yml"
MAKEFILE = "infraspec.mk"

_WORKFLOW = """\
# Proves on each pull request that the infrastructure is what infraspec.toml says. No secret is needed.
name: infraspec

on:
  pull_request:

permissions: {}

concurrency:
  group: infraspec-${{ github.event.pull_request.number }}
  cancel-in-progress: true

jobs:
  static:
    name: static suite
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
      - uses: actions/setup-python@0b93645e9fea7318ecaed2b359559ac225c90a2b # v5.3.0
        with:
          python-version: "3.12"
      - run: python -m pip install pytest-infraspec
      - run: python -m pytest --pyargs infraspec.tests_static --infraspec-results infraspec-results.json
      - name: Show the results
        if: always()
        run: |
          infraspec report annotations
          infraspec report summary >> "$GITHUB_STEP_SUMMARY"
"""

_GITLAB = """\
# Proves on each merge request that the infrastructure is what infraspec.toml says. In .gitlab-ci.yml:
#   include:
#     - local: infraspec.gitlab-ci.yml
infraspec:
  stage: test
  image: python:3.12-slim
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  script:
    - python -m pip install pytest-infraspec
    - python -m pytest --pyargs infraspec.tests_static --infraspec-results infraspec-results.json
  artifacts:
    when: always
    paths:
      - infraspec-results.json
"""

_MAKEFILE = """\
# In the Makefile: include infraspec.mk
INFRASPEC_VENV ?= .infraspec
ENV ?=

$(INFRASPEC_VENV)/.installed:
\tpython3 -m venv $(INFRASPEC_VENV)
\t$(INFRASPEC_VENV)/bin/python -m pip install --quiet pytest-infraspec
\t@touch $@

.PHONY: infraspec
infraspec: $(INFRASPEC_VENV)/.installed ## Prove that the infrastructure is what infraspec.toml says: ENV=prod
\t$(INFRASPEC_VENV)/bin/python -m pytest --pyargs infraspec.tests_static $(if $(ENV),--infraspec-env="$(ENV)")

.PHONY: infraspec-doctor
infraspec-doctor: $(INFRASPEC_VENV)/.installed ## Say what keeps infraspec from knowing all
\t$(INFRASPEC_VENV)/bin/infraspec doctor
"""


class StartingFile(Struct, frozen=True):
    """A file to begin with. `path` is relative to the repository; `exists` if something of the name is there."""

    path: str
    text: str
    exists: bool
    note: str = ""


def starting_files(adoption: Adoption) -> tuple[StartingFile, ...]:
    """Return the contract, the pipeline of the host that the repository uses, and the fragment of a Makefile."""
    directory = adoption.repository.directory
    wanted = [(FILE_NAME, contract_text(adoption), "")]
    if adoption.repository.gitlab:
        wanted.append((GITLAB_FILE, _GITLAB, f"in .gitlab-ci.yml:  include: [{{ local: {GITLAB_FILE} }}]"))
    if adoption.repository.workflows or not adoption.repository.gitlab:
        wanted.append((WORKFLOW_FILE, _WORKFLOW, ""))
    wanted.append((MAKEFILE, _MAKEFILE, f"in the Makefile:  include {MAKEFILE}"))
    return tuple(StartingFile(path, text, _is_there(directory / path), note) for path, text, note in wanted)


def write(directory: Path, files: Sequence[StartingFile]) -> None:
    """Write the files that are not there. WriteError if one cannot be written; nothing is ever overwritten."""
    for file in files:
        if file.exists:
            continue
        path = directory / file.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(file.text)
        except OSError as error:
            raise WriteError(
                "the file cannot be written",
                place=str(path),
                expected="a directory that the user may write in",
                found=error.strerror or type(error).__name__,
                remedy="check its owner and its mode, or print what would be written: infraspec init --dry-run",
            ) from None


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()
