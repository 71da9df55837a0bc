from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.contract.document import KeyPath, Positions, notation

TEXT = '''# line 1
title.dotted."quoted key" = 1  # [not.a.table]

[environments.prod.known]
"aws_vpc.main.id" = """
[decoy]
key = "x"
"""
[environments . prod]
var_files = [
  "a.tfvars",  # ]
  'b"[.tfvars',
  { nested = { deep = [1, { x = 2 }] } },
]
inline = { a = 1, b.c = 2026-01-01 10:00:00 }
[[waivers]]
rule = "names"
[[waivers]]
rule = 'tags'
expires = 2026-11-01
[waivers.more]
x = 1
[[waivers.list]]
[[waivers.list]]
y = \'\'\'
''\'\'\'\'
'''
LINES: dict[KeyPath, int] = {
    ("title", "dotted", "quoted key"): 2,
    ("title",): 2,
    ("environments",): 4,
    ("environments", "prod"): 9,
    ("environments", "prod", "known"): 4,
    ("environments", "prod", "known", "aws_vpc.main.id"): 5,
    ("environments", "prod", "var_files"): 10,
    ("environments", "prod", "var_files", 0): 11,
    ("environments", "prod", "var_files", 1): 12,
    ("environments", "prod", "var_files", 2, "nested", "deep", 1, "x"): 13,
    ("environments", "prod", "inline", "b", "c"): 15,
    ("waivers",): 16,
    ("waivers", 0): 16,
    ("waivers", 0, "rule"): 17,
    ("waivers", 1): 18,
    ("waivers", 1, "expires"): 20,
    ("waivers", 1, "more", "x"): 22,
    ("waivers", 1, "list", 1): 24,
    ("waivers", 1, "list", 1, "y"): 25,
}


@pytest.mark.parametrize(("path", "line"), LINES.items(), ids=map(notation, LINES))
def test_every_form_of_key_has_its_line(path: KeyPath, line: int) -> None:
    """Tables, arrays of tables, dotted and quoted keys, lists and inline tables are found; decoys in text are not."""
    assert Positions(TEXT).line(path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("environments", "prod", "root"), 9),
        (("waivers", 0, "reason"), 16),
        (("environments", "prod", "var_files", 7), 10),
        (("nowhere",), 0),
        ((), 0),
    ],
)
def test_what_is_not_there_has_the_line_of_the_table_around_it(path: KeyPath, line: int) -> None:
    """A missing key is told at its table, and at no line if there is none."""
    assert Positions(TEXT).line(path) == line


def test_the_scan_of_wrong_toml_ends_at_the_mistake() -> None:
    """What stands before the mistake is known, and which key it is in."""
    positions = Positions('[a]\nb = 1\nc = "never closed\nd = 2\n')

    assert positions.line(("a", "b")) == 2
    assert positions.last(3) == ("a", "c")
    assert positions.line(("a", "d")) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("environments", "prod", "root"), "environments.prod.root"),
        (("waivers", 1, "expires"), "waivers[1].expires"),
        (("known", "aws_vpc.main.id"), "known.'aws_vpc.main.id'"),
        (("tags", "it's"), 'tags."it\'s"'),
        (("a", ""), "a.''"),
    ],
)
def test_key_paths_are_written_as_in_toml(path: KeyPath, text: str) -> None:
    """Keys are bare where TOML lets them be, else quoted."""
    assert notation(path) == text


def leaves(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every key and list entry."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield (*path, key)
        yield from leaves(item, (*path, key))


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=4)
SCALARS = st.one_of(st.integers(0, 9).map(str), st.sampled_from(['"="', "'#'", '"""]"""', "'''\"'''", "1.5", "true"]))


def quoted(key: str) -> str:
    """Write a key as a basic string."""
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",\n".join(items) + "]"),
        st.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{quoted(key)} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_key_of_any_toml_is_found(table: dict[str, str]) -> None:
    """Whatever tomllib reads, the scan finds each key of it, none too many."""
    text = "".join(f"{quoted(key)} = {value}\n" for key, value in table.items())

    assert set(leaves(tomllib.loads(text))) == set(Positions(text)._offsets)
