"""Lines to paste are HCL, whatever the values hold."""

from __future__ import annotations

import unicodedata

import hcl2
import pytest
from hypothesis import given
from hypothesis.strategies import text

from infraspec.conventions.hcl_lines import attribute_line, object_key, tag_blocks, tag_map, tag_pairs
from infraspec.core.visible_text import hcl_string, visible_line
from infraspec.hcl.ast import Literal
from infraspec.hcl.parser import parse_expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", '"a"'), ('a"b', '"a\\"b"'), ("${x}", '"$${x}"'), ("%{if}", '"%%{if}"'), ("日", '"日"'), ("a\nb", '"a\\nb"')],
)
def test_quote(text: str, expected: str) -> None:
    """Quotes, line ends and what would be an interpolation are escaped."""
    assert expected == hcl_string(text)


@given(text())
def test_a_string_is_read_as_what_was_written(written: str) -> None:
    """Whatever a text holds: it is one line of characters that are seen, and evaluates to the text."""
    expression = hcl_string(written)

    assert visible_line(expression) == expression or "::" in written or "##" in written or "@" in written
    assert Literal(unicodedata.normalize("NFC", written), 0) == parse_expression(expression, "value")


def test_attribute_line() -> None:
    """A dotted path is a key in a map."""
    assert attribute_line("identifier", "db") == 'identifier = "db"'
    assert attribute_line("tags.Name", "db") == 'tags = { Name = "db" }'
    assert object_key("kubernetes.io/role") == '"kubernetes.io/role"'


def test_tag_map_and_blocks_are_hcl() -> None:
    """What is to be pasted can be parsed, and the remarks are comments."""
    tags = {"CostCenter": ("eng", ()), "a:b": ("…", ("one of x, y",))}
    assert tag_map(tags) == 'tags = {\n  CostCenter = "eng"\n  "a:b"      = "…" # one of x, y\n}'
    assert "tags" in hcl2.loads(tag_map(tags) + "\n")
    assert len(hcl2.loads(tag_blocks(tags) + "\n")["tag"]) == 2
    assert tag_pairs(tags).splitlines()[2] == '  { key = "a:b", value = "…" }, # one of x, y'
    assert len(hcl2.loads(tag_pairs(tags) + "\n")["tags"]) == 2
