"""Parse a file of any of Terraform's syntaxes."""

from __future__ import annotations

from pathlib import Path

from infraspec.core.errors import HclSyntaxError, InfraspecError, TerraformError, unreadable
from infraspec.core.runtime import read_regular
from infraspec.hcl.ast import File
from infraspec.hcl.json_syntax import parse_json
from infraspec.hcl.parser import parse

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def parse_file(
    path: Path, name: str | None = None, errors: list[InfraspecError] | None = None, within: Path | None = None
) -> File:
    """Return the tree of a `.tf` or `.tf.json` file, which a link within the repository of `within` may lead to.

    `name` is the path as it is shown to people, `path` itself if not given. Raise HclSyntaxError, InputErrorGroup for
    several errors, or TerraformError if the file cannot be read. Syntax errors go to `errors`, if that is given.
    """
    name = str(path) if name is None else name
    text = read_text(path, name, within)
    return parse_json(text, name) if path.name.endswith(".json") else parse(text, name, errors)


def parse_variables(path: Path, name: str, errors: list[InfraspecError] | None = None, text: str | None = None) -> File:
    """Return the tree of a file of variable values: JSON if its name ends so, whatever comes before.

    `text` is read in place of what the file has, if it is given.

    Source: Terraform Language Documentation, "Variable Definitions (.tfvars) Files". Raises as `parse_file` does.
    """
    text = read_text(path, name) if text is None else text
    return parse_json(text, name, "variables") if path.name.endswith(".json") else parse(text, name, errors)


def read_text(path: Path, name: str, within: Path | None = None) -> str:
    """Return the text of a file, shown as `name`. Raise HclSyntaxError if it is not UTF-8, TerraformError if unread."""
    try:
        content = read_regular(path, name, within=within)
    except OSError as error:
        raise unreadable(TerraformError, name, error) from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(content, error.start, name) from None


def _not_utf8(content: bytes, offset: int, name: str) -> HclSyntaxError:
    line_start = content.rfind(b"\n", 0, offset) + 1
    line = content.count(b"\n", 0, offset) + 1
    column = len(content[line_start:offset].decode("utf-8", "replace")) + 1
    return HclSyntaxError(
        "the file is not UTF-8 text",
        place=f"{name}:{line}:{column}",
        expected="UTF-8 text",
        found="UTF-16" if content[:2] in _UTF_16 else f"byte 0x{content[offset]:02x} at offset {offset}",
        remedy="save the file with the encoding UTF-8",
    )
