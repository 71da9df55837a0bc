"""The programs of a rehearsal: the AWS CLI, harmless tools of this machine, and stand-ins for all that leads elsewhere.

Nothing else is on PATH: a command that is not here is not found, and its step fails.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from infraspec.core.runtime import require
from infraspec.sandbox.rehearsal.stand_ins import STAND_INS, RehearsalPlace

TOOLS = (
    "awk", "base64", "basename", "bash", "cat", "column", "cut", "date", "diff", "dirname", "env", "expr", "false",
    "fold", "grep", "head", "jq", "ls", "mkdir", "mktemp", "paste", "printf", "pwd", "rm", "sed", "seq", "sh", "sleep",
    "sort", "tail", "tee", "test", "touch", "tr", "true", "uniq", "wc", "xargs",
)  # fmt: skip
"""Programs of this machine that a playbook may use: none of them reaches another one."""
_SCRIPT = """#!{python}
import sys
sys.path.insert(0, {packages!r})
from infraspec.sandbox.rehearsal.stand_ins import main
main({name!r}, {place!r}, sys.argv[1:])
"""


def write_programs(directory: Path, place: RehearsalPlace) -> None:
    """Write the programs into a directory that becomes PATH. Raises MissingExtraError without the AWS CLI."""
    require("rehearse", "infraspec rehearse")
    settings = directory.with_name("place.json")
    settings.write_text(json.dumps(place.to_json()), encoding="utf-8")
    packages = str(Path(__file__).resolve().parents[3])
    for name in STAND_INS:
        text = _SCRIPT.format(python=sys.executable, packages=packages, name=name, place=str(settings))
        (directory / name).write_text(text, encoding="utf-8")
        (directory / name).chmod(0o700)
    for name in TOOLS:
        found = shutil.which(name)
        if found is not None:
            (directory / name).symlink_to(found)


def session_environment(
    programs: Path, home: Path, account: Mapping[str, str], variables: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Return all that a command sees of an environment: nothing of the one who starts the rehearsal."""
    return {
        "PATH": str(programs),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "PAGER": "cat",
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **account,
        **dict(variables),
    }
