"""Every contract of data/, against the message its first lines demand.

`#>` is text that the message holds, `#!` text that it must not hold, `#:` the class of every error. The contract
proper begins after these lines, with line 1. Folders: valid; syntax (not TOML); shape (JSON Schema finds it too);
meaning (beyond JSON Schema); references (something that is named does not exist).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infraspec import contract
from infraspec.contract.schema import schema
from infraspec.core.errors import ContractError, InfraspecError, InputErrorGroup

DATA = Path(__file__).parent / "data"
RULES = ("names", "tags", "tag-policy", "task-definitions", "secret-access")


@dataclass(frozen=True, slots=True)
class Case:
    """A contract and what its error says."""

    text: str
    present: tuple[str, ...]
    absent: tuple[str, ...]
    kind: str

    @classmethod
    def read(cls, path: Path) -> Case:
        """Part the demands from the contract."""
        lines = path.read_text(encoding="utf-8").split("\n")
        demands = [line for line in lines if line.startswith(("#>", "#!", "#:"))]
        assert demands == lines[: len(demands)], "the demands come first"

        def of(mark: str) -> tuple[str, ...]:
            return tuple(line[3:] for line in demands if line.startswith(mark))

        return cls("\n".join(lines[len(demands) :]), of("#>"), of("#!"), "".join(of("#:")))


def cases(*folders: str) -> list[Any]:
    """Return the files of folders as parameters."""
    paths = sorted(path for folder in folders for path in (DATA / folder).glob("*.toml"))
    return [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in paths]


def errors_of(error: InfraspecError) -> tuple[InfraspecError, ...]:
    """Return the errors of a group, or the one error."""
    return error.errors if isinstance(error, InputErrorGroup) else (error,)


@pytest.mark.parametrize("path", cases("syntax", "shape", "meaning", "references"))
def test_a_wrong_contract_says_all_that_is_wrong(path: Path, repository: Path) -> None:
    """Every mistake is told with its line, what was expected and found, and no message shows a secret."""
    case = Case.read(path)
    assert case.present, "a case that demands nothing cannot fail"
    (repository / "infraspec.toml").write_text(case.text, encoding="utf-8")

    with pytest.raises(InfraspecError) as caught:
        contract.load(repository, rules=RULES)

    message = str(caught.value)
    assert [text for text in case.present if text not in message] == [], message
    assert [text for text in case.absent if text in message + repr(caught.value)] == [], message
    positions = [message.find(text) for text in case.present if text.startswith("infraspec.toml")]
    assert sorted(positions) == positions, "in order of lines"


@pytest.mark.parametrize("path", cases("syntax", "shape", "meaning", "references"))
def test_every_error_has_place_and_remedy(path: Path, repository: Path) -> None:
    """Each error is of the demanded class, and names a place, what was expected and a remedy."""
    case = Case.read(path)
    (repository / "infraspec.toml").write_text(case.text, encoding="utf-8")

    with pytest.raises(InfraspecError) as caught:
        contract.load(repository, rules=RULES)

    errors = errors_of(caught.value)
    assert [str(error) for error in errors if not (error.place and error.expected and error.remedy)] == []
    if case.kind:
        assert {case.kind} == {type(error).__name__ for error in errors}


@pytest.mark.parametrize("path", cases("valid"))
def test_a_valid_contract_loads(path: Path, repository: Path) -> None:
    """A contract that keeps the rules loads and knows where it came from."""
    (repository / "infraspec.toml").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")

    loaded = contract.load(repository, rules=RULES)

    assert repository / "infraspec.toml" == loaded.path
    assert loaded.project.application == "shop"


@pytest.mark.parametrize("path", cases("valid", "shape", "meaning", "references"))
def test_the_json_schema_judges_as_the_loader_does(path: Path) -> None:
    """An editor with the JSON Schema finds exactly the mistakes of shape."""
    formats = None if path.parent.name == "meaning" else jsonschema.FormatChecker(["date", "regex"])
    validator = jsonschema.Draft202012Validator(schema(), format_checker=formats)
    data = json.loads(json.dumps(tomllib.loads(Case.read(path).text), default=date.isoformat))

    assert (path.parent.name != "shape") == validator.is_valid(data)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("[project]".encode("utf-16"), "UTF-16", id="utf-16"),
        pytest.param(b"[project]\napplication = '\xfc'", "infraspec.toml:2: the contract is not UTF-8", id="latin-1"),
        pytest.param(b"x = " + b"[" * 5000, "nested too deeply", id="deep"),
        pytest.param(b"x = " + b"1" * 5000, "exceeds the limit", id="long number"),
        pytest.param(b"a = 1\n\0", "infraspec.toml:2: the contract is no text", id="nul"),
        pytest.param("[project]".encode("utf-16-le"), "UTF-16 has many", id="utf-16 without a mark"),
        pytest.param(b"[project]\rapplication = 'shop'\r", "infraspec.toml:1: a line ends with a carriage", id="CR"),
    ],
)
def test_bytes_that_are_no_toml(content: bytes, expected: str, repository: Path) -> None:
    """A file in another encoding, and one made to break the parser, is a ContractError."""
    (repository / "infraspec.toml").write_bytes(content)

    with pytest.raises(ContractError, match=expected):
        contract.load(repository)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="byte order mark"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="CRLF"),
    ],
)
def test_files_as_windows_editors_write_them(change: Callable[[bytes], bytes], repository: Path) -> None:
    """A byte order mark and CRLF are taken as they come."""
    (repository / "infraspec.toml").write_bytes(change((DATA / "valid/everything.toml").read_bytes()))

    assert len(contract.load(repository).environments) == 2


def test_the_excerpt_of_a_crlf_file_has_no_carriage_return(repository: Path) -> None:
    """The line is shown as it is seen in an editor."""
    (repository / "infraspec.toml").write_bytes(b"[project]\r\napplication = shop\r\n")

    with pytest.raises(ContractError) as caught:
        contract.load(repository)

    assert caught.value.excerpt == "application = shop\n              ^"


def test_lines_of_a_crlf_file_are_those_of_an_editor(repository: Path) -> None:
    """Lines are counted alike with CRLF."""
    (repository / "infraspec.toml").write_bytes(b"[project]\r\napplication = 3\r\n[environments.prod]\r\nx = 1\r\n")

    with pytest.raises(InputErrorGroup) as caught:
        contract.load(repository)

    assert [error.place for error in caught.value.errors] == ["infraspec.toml:2", "infraspec.toml:4"]
