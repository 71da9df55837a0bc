"""The files that a repository begins with, and whether they are there already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from infraspec.adoption.contract_text import contract_text
from infraspec.adoption.draft import Adoption
from infraspec.contract.starter import FILE_NAME
from infraspec.errors import WriteError

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
