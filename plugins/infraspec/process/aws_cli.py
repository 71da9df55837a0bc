"""Commands of the AWS CLI: whether service, operation and options exist, by the models of AWS's APIs that botocore has.

Nothing of botocore is imported: its models are files. What the CLI has beyond them is in aws_cli.json.
Sources: AWS CLI User Guide, "Command structure" and "Command line options"; botocore, data/SERVICE/VERSION.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from infraspec.core.errors import closest

_GLOBAL = frozenset({
    "ca-bundle", "cli-auto-prompt", "cli-binary-format", "cli-connect-timeout", "cli-input-json", "cli-input-yaml",
    "cli-read-timeout", "color", "debug", "endpoint-url", "generate-cli-skeleton", "max-items", "no-cli-auto-prompt",
    "no-cli-pager", "no-paginate", "no-sign-request", "no-verify-ssl", "output", "page-size", "profile", "query",
    "region", "starting-token", "version",
})  # fmt: skip
"""Options that every command has."""


class CliExtras(Struct, frozen=True, forbid_unknown_fields=True):
    """What the CLI has beyond the models: commands of its own, services and operations by other names, options."""

    own: frozenset[str]
    names: Mapping[str, str]
    operations: Mapping[str, tuple[str, ...]]
    options: Mapping[str, Mapping[str, tuple[str, ...]]]


class WrongWord(Struct, frozen=True):
    """A word of a command that the CLI does not know: what it is, the word, and the nearest one that is known."""

    what: str
    word: str
    nearest: str


@cache
def extras() -> CliExtras:
    """Return what the CLI has beyond the models."""
    return msgspec.json.decode(Path(__file__).with_name("aws_cli.json").read_bytes(), type=CliExtras)


@cache
def models() -> Path | None:
    """Return where the models are; None if botocore is not installed."""
    found = find_spec("botocore")
    return Path(str(found.origin)).parent / "data" if found and found.origin else None


def wrong_words(words: Sequence[str | None]) -> list[WrongWord]:
    """Return what of a command the CLI does not know; words that are not known, None, are passed over."""
    directory, rest = models(), _without_global(words[1:])
    if directory is None or not rest or rest[0] is None or rest[0] in extras().own:
        return []
    service = rest[0]
    if service.startswith("--"):
        return []
    folder = directory / extras().names.get(service, service)
    if not folder.is_dir() or service in extras().names.values():
        return [_wrong("service", service, _services(directory))]
    if len(rest) < 2 or rest[1] is None:  # noqa: PLR2004 - the service alone
        return []
    return _of_operation(service, folder, rest[1], rest[2:])


def _of_operation(service: str, folder: Path, operation: str, rest: Sequence[str | None]) -> list[WrongWord]:
    if operation == "wait":
        known = _waiters(folder)
        named = rest[0] if rest else None
        return [] if named is None or named in known else [_wrong("waiter", named, known)]
    operations = _operations(folder)
    if operation in extras().operations.get(service, ()) or operation == "help":
        return []
    if operation not in operations:
        return [_wrong("operation", operation, [*operations, *extras().operations.get(service, ())])]
    options = _options(folder, operations[operation]) | {*extras().options.get(service, {}).get(operation, ())}
    given = (word[2:].partition("=")[0] for word in rest if word is not None and word.startswith("--") and word != "--")
    return [
        _wrong("option", f"--{one}", [f"--{option}" for option in options]) for one in given if not _is_in(one, options)
    ]


def _is_in(option: str, options: frozenset[str]) -> bool:
    """Tell whether an option is known, whole or by a beginning that is one of a single option."""
    return option in options or sum(known.startswith(option) for known in options) == 1


def _wrong(what: str, word: str, known: Iterable[str]) -> WrongWord:
    return WrongWord(what, word, closest(word, list(known)) or "")


def _without_global(words: Sequence[str | None]) -> list[str | None]:
    """Leave out the options that may stand before the service."""
    rest, flags = list(words), {"--debug", "--no-verify-ssl", "--no-paginate", "--no-sign-request", "--no-cli-pager"}
    while rest and rest[0] is not None and rest[0].startswith("--") and rest[0][2:].partition("=")[0] in _GLOBAL:
        option = rest.pop(0)
        if option not in flags and "=" not in str(option) and rest:
            rest.pop(0)
    return rest


@cache
def _services(directory: Path) -> tuple[str, ...]:
    renamed = {model: name for name, model in extras().names.items()}
    found = (renamed.get(one.name, one.name) for one in directory.iterdir() if one.is_dir())
    return tuple(sorted({*found, *extras().own}))


@cache
def _model(folder: Path, kind: str) -> Mapping[str, Any]:
    for version in sorted((one for one in folder.iterdir() if one.is_dir()), reverse=True):
        for file in (version / f"{kind}.json.gz", version / f"{kind}.json"):
            if file.is_file():
                data = file.read_bytes()
                found: Mapping[str, Any] = msgspec.json.decode(gzip.decompress(data) if file.suffix == ".gz" else data)
                return found
    return {}


@cache
def _operations(folder: Path) -> Mapping[str, str]:
    names = _model(folder, "service-2").get("operations", {})
    return {spelling: name for name in names for spelling in spellings(name)}


@cache
def _waiters(folder: Path) -> tuple[str, ...]:
    return tuple(one for name in _model(folder, "waiters-2").get("waiters", {}) for one in spellings(name))


@cache
def _options(folder: Path, operation: str) -> frozenset[str]:
    model = _model(folder, "service-2")
    shape = model["operations"][operation].get("input", {}).get("shape", "")
    found = set(_GLOBAL)
    for name, member in model["shapes"].get(shape, {}).get("members", {}).items():
        found |= spellings(name)
        if model["shapes"][member["shape"]]["type"] == "boolean":
            found |= {f"no-{one}" for one in spellings(name)}
    return frozenset(found)


@cache
def spellings(name: str) -> frozenset[str]:
    """Return how the CLI writes a name of the API: `ListServiceDeployments` is `list-service-deployments`.

    Versions of the CLI differ in names that are written with capitals of their own, so that these have two spellings.
    """
    joined = _JOINED.sub(lambda found: found[0].capitalize(), name)
    return frozenset(_SPECIAL.get(one, _dashed(one)) for one in (name, joined))


def _dashed(name: str) -> str:
    if found := _PLURAL.search(name):
        name = f"{name[: -len(found[0])]}-{found[0].lower()}"
    return _LETTER.sub(r"\1-\2", _WORD.sub(r"\1-\2", name)).lower()


_JOINED = re.compile(r"WhatsApp|OTel|OAuth2|OpenID|PartiQL|iSCSI")
_WORD = re.compile(r"(.)([A-Z][a-z]+)")
_LETTER = re.compile(r"([a-z0-9])([A-Z])")
_PLURAL = re.compile(r"[A-Z]{2,}s$")
_SPECIAL = {
    "CreateCachediSCSIVolume": "create-cached-iscsi-volume",
    "DescribeCachediSCSIVolumes": "describe-cached-iscsi-volumes",
    "DescribeStorediSCSIVolumes": "describe-stored-iscsi-volumes",
    "CreateStorediSCSIVolume": "create-stored-iscsi-volume",
    "ListHITsForQualificationType": "list-hits-for-qualification-type",
    "ExecutePartiQLStatement": "execute-partiql-statement",
    "ExecutePartiQLTransaction": "execute-partiql-transaction",
    "ExecutePartiQLBatch": "execute-partiql-batch",
}
"""What is not split by its capitals. Source: botocore, `xform_name`."""
