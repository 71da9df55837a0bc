"""What runs under the name of a program in a rehearsal.

The AWS CLI is the real one, kept on this machine, and so is infraspec, in the repository. `terraform apply` applies the
working tree to the sandbox. What leads to other systems (git, gh, make, psql, requests to web hosts) answers as a
system that works, and is noted; a request to a web host is answered by the health of the services.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, to_builtins

from infraspec.sandbox.this_machine import stay_on_this_machine

_FAILED, _HTTP_ERROR, _NO_CONNECTION, _NOT_FOUND = 1, 22, 2, 127
_FAILS = re.compile(r"--fail(-with-body)?|-[A-Za-z]*f[A-Za-z]*")
_APPLIES = re.compile(r"\bterraform\b.*\sapply\b")
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


class RehearsalPlace(Struct, frozen=True):
    """What a stand-in has to know: the repository, the environment, and where the sandbox is noted."""

    infra: str
    environment: str
    runtime: str

    def to_json(self) -> Mapping[str, str]:
        """Return it as builtin types."""
        found: Mapping[str, str] = to_builtins(self)
        return found

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it from a file."""
        return msgspec.json.decode(path.read_bytes(), type=cls)


def main(name: str, place: str, arguments: Sequence[str]) -> None:
    """Run as the program of a name."""
    sys.exit(STAND_INS[name](RehearsalPlace.read(Path(place)), list(arguments)))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _aws(_place: RehearsalPlace, arguments: list[str]) -> int:
    stay_on_this_machine()
    from awscli.clidriver import create_clidriver  # noqa: PLC0415 - the other stand-ins do without it

    endpoint = [] if "--endpoint-url" in arguments else ["--endpoint-url", os.environ["AWS_ENDPOINT_URL"]]
    return int(create_clidriver().main([*arguments, *endpoint]))  # the variable alone does not lead SQS


def _infraspec(place: RehearsalPlace, arguments: list[str]) -> int:
    """Run infraspec itself, in the repository."""
    os.chdir(place.infra)
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[3])
    os.execv(sys.executable, [sys.executable, "-m", "infraspec", *arguments])  # noqa: S606 - what was asked for


def _terraform(place: RehearsalPlace, arguments: list[str]) -> int:
    words = [word for word in arguments if not word.startswith("-")]
    if words[:1] != ["apply"]:
        _say(f"terraform {' '.join(arguments)}: noted, not run")
        return 0
    os.environ["XDG_RUNTIME_DIR"] = place.runtime
    from infraspec.sandbox.rehearsal.applying import apply_again  # noqa: PLC0415 - as above

    left = apply_again(Path(place.infra), place.environment)
    _say("Apply complete!" if not left else "\n".join(["Error: not applied", *map(str, left)]))
    return _FAILED if left else 0


def _git(_place: RehearsalPlace, arguments: list[str]) -> int:
    asks = arguments[:1] in (["log"], ["rev-parse"], ["rev-list"])
    _say(_COMMIT if asks else f"git {' '.join(arguments)}: noted, not run")
    return 0


def _gh(_place: RehearsalPlace, arguments: list[str]) -> int:
    _say("1" if {"--jq", "-q"} & {*arguments} else "[]" if "--json" in arguments else "noted, not run")
    return 0


def _make(place: RehearsalPlace, arguments: list[str]) -> int:
    from infraspec.process.makefile import NAMES, target_names  # noqa: PLC0415 - as above

    files = [Path(place.infra) / name for name in NAMES]
    texts = [file.read_text("utf-8", "replace") for file in files if file.is_file()]
    known = {name for text in texts for name in target_names(text)}
    for word in arguments:
        if "=" not in word and not word.startswith("-") and word not in known:
            _complain(f"make: *** No rule to make target '{word}'.  Stop.")
            return _NO_CONNECTION
    for word in arguments:
        if _applies(texts, word):
            return _terraform(place, ["apply"])
    _say(f"make {' '.join(arguments)}: noted, not run")
    return 0


def _applies(texts: Sequence[str], target: str) -> bool:
    """Tell whether the recipe of a target applies Terraform's source."""
    rule = re.compile(rf"^{re.escape(target)}\s*:(?!=).*\n((?:\t.*\n?)+)", re.MULTILINE)
    return any(_APPLIES.search(found[1]) for text in texts for found in rule.finditer(text))


def _psql(place: RehearsalPlace, _arguments: list[str]) -> int:
    if ill := [why for why in _outage(place) if why.startswith("database ")]:
        _complain(f"psql: error: connection to server failed: {ill[0]}")
        return _NO_CONNECTION
    _say("1")
    return 0


def _curl(place: RehearsalPlace, arguments: list[str]) -> int:
    addresses = [word for word in arguments if urlsplit(word).scheme in {"http", "https"}]
    ill = _outage(place)
    if not addresses:
        _complain("curl: (2) no URL specified")
        return _NO_CONNECTION
    if not ill:
        _say('{"status": "ok"}')
        return 0
    _complain(f"curl: ({_HTTP_ERROR}) The requested URL returned error: 503: {'; '.join(ill)}")
    return (
        _HTTP_ERROR if any(word in {"--fail", "-f", "-fsS", "-fsSL", "--fail-with-body"} for word in arguments) else 0
    )


def _outage(place: RehearsalPlace) -> list[str]:
    os.environ["XDG_RUNTIME_DIR"] = place.runtime
    from infraspec.sandbox.background_server import Kept  # noqa: PLC0415 - boto3 is slow to import
    from infraspec.sandbox.rehearsal.failures import outage  # noqa: PLC0415 - as above

    kept = Kept.read()
    return outage(kept.deployment().account) if kept else ["the sandbox is gone"]


STAND_INS: Mapping[str, Callable[[RehearsalPlace, list[str]], int]] = {
    "aws": _aws,
    "curl": _curl,
    "gh": _gh,
    "git": _git,
    "infraspec": _infraspec,
    "make": _make,
    "psql": _psql,
    "terraform": _terraform,
}
