"""Reading files of each syntax."""

from pathlib import Path

import pytest

from infraspec.core.errors import HclSyntaxError, InfraspecError
from infraspec.hcl.files import parse_file, parse_variables
from tests.hcl.trees import show


@pytest.mark.parametrize(
    ("name", "content", "tree"),
    [
        ("main.tf", b'a = "${b}"\n', "a = (template ${b})"),
        ("crlf.tf", b'a = "b"\r\n', 'a = "b"'),
        ("main.tf.json", b'{"locals": {"a": "${b}"}}', "locals {a = (template ${b})}"),
        ("bom.tf", b"\xef\xbb\xbfa = 1\n", "a = 1"),
        ("bom.tf.json", b'\xef\xbb\xbf{"locals": {"a": 1}}', "locals {a = 1}"),
        ("japanese.tf", 'a = "日報"\n'.encode(), 'a = "日報"'),
        ("empty.tf", b"", ""),
    ],
)
def test_file_is_read_by_its_name(tmp_path: Path, name: str, content: bytes, tree: str) -> None:
    """The ending of the name says which syntax a file has."""
    (tmp_path / name).write_bytes(content)

    assert tree == show(parse_file(tmp_path / name).body)


@pytest.mark.parametrize(
    ("name", "content", "tree"),
    [
        ("dev.tfvars", b'a = "b"\r\n', 'a = "b"'),
        ("dev.tfvars.json", b'{"a": "${b}"}', 'a = "${b}"'),
        ("dev.auto.tfvars.json", b'{"a": 1}', "a = 1"),
        ("values.json", b'{"a": {"b": [true]}}', 'a = {"b": [true]}'),
        ("values.hcl", b"a = 1", "a = 1"),
    ],
)
def test_file_of_variables_is_json_if_its_name_ends_so(tmp_path: Path, name: str, content: bytes, tree: str) -> None:
    """Whatever comes before .json; in the values of variables text is text."""
    (tmp_path / name).write_bytes(content)

    assert tree == show(parse_variables(tmp_path / name, name).body)


def test_name_of_the_file_is_that_of_the_places(tmp_path: Path) -> None:
    """A file has its path as its name, or the name it is given."""
    path = tmp_path / "main.tf"
    path.write_bytes(b"a = (\n")

    assert str(path) == parse_file_error(path).place.removesuffix(":2:1")
    assert "app/main.tf:2:1" == parse_file_error(path, "app/main.tf").place


def parse_file_error(path: Path, name: str | None = None) -> InfraspecError:
    """Return the error that a file raises."""
    with pytest.raises(InfraspecError) as caught:
        parse_file(path, name)
    return caught.value


@pytest.mark.parametrize("name", ["main.tf", "main.tf.json", "dev.tfvars"])
def test_bytes_that_are_not_utf8_are_an_error(tmp_path: Path, name: str) -> None:
    """A file in another encoding is named, with the byte that shows it."""
    (tmp_path / name).write_bytes("# é\na = 1\n# é".encode() + b"\xe9")
    error = parse_file_error(tmp_path / name, name)

    assert HclSyntaxError is type(error)
    assert f"{name}:3:4" == error.place
    assert "byte 0xe9 at offset 15" == error.found
    assert "save the file with the encoding UTF-8" == error.remedy


def test_utf16_is_an_error(tmp_path: Path) -> None:
    """A file saved as UTF-16 is not read as garbage."""
    (tmp_path / "main.tf").write_bytes("a = 1\n".encode("utf-16"))

    assert "the file is not UTF-8 text" == parse_file_error(tmp_path / "main.tf").message


def test_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """A file that is absent, and a folder of its name, are errors of the input."""
    (tmp_path / "folder.tf").mkdir()

    for name in ("absent.tf", "folder.tf"):
        error = parse_file_error(tmp_path / name)
        assert "the file cannot be read" == error.message
        assert str(tmp_path / name) == error.place


def test_letters_are_normalised() -> None:
    """Text values are in Unicode's composed form, as those of Terraform are."""
    from infraspec.hcl.parser import parse  # noqa: PLC0415

    assert 'a = "\u00e9"' == show(parse('a = "e\u0301"\n', "f").body)
