"""Whatever is in the file, the answer is a contract or an error of ours."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from infraspec import contract
from infraspec.core.errors import InfraspecError

SECRET = "hunter2-Never-Shown"  # noqa: S105 - no password, but what must not be shown
KEYS = st.one_of(
    st.sampled_from(
        [
            *("project", "application", "environments", "prod", "root", "account_id", "region", "partition", "plan"),
            *("var_files", "task_definitions", "workspace", "names", "patterns", "placeholders", "tags", "common"),
            *("resource", "regex", "suite", "undetermined", "allow_empty", "waivers", "rule", "address", "reason"),
            *("owner", "expires", "path", "policy", "aws_vpc.main.id", "<rule>", "<list>", "[key]"),
        ]
    ),
    st.text(max_size=5),
)
SCALARS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["prod", "eu-west-1", "111122223333", ".", "(", "[[a]", "\0", "2026-11-01", "**a", "/x/*", "a{99999999999}"]
    ),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=15,
)
ENVIRONMENT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("root", "account_id", "region", "partition", "plan", "var_files", "task_definitions", "workspace"), VALUES
    ),
)
CONTRACTS = st.fixed_dictionaries(
    {},
    optional={
        "project": st.one_of(st.just({"application": "shop"}), VALUES),
        "environments": st.one_of(st.dictionaries(KEYS, ENVIRONMENT, max_size=2), VALUES),
        "waivers": st.one_of(st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=2), VALUES),
        **dict.fromkeys(("names", "tags", "suite", "known", "path", "else"), VALUES),
    },
)


def toml(value: Any) -> str:
    """Write a value as inline TOML."""
    match value:
        case dict():
            return "{" + ", ".join(f"{text(key)} = {toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case str():
            return text(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case float():
            return str(value)
        case _:
            return json.dumps(value)


def text(value: str) -> str:
    """Write text as a basic string."""
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'


def outcome(content: bytes) -> str:
    """Load a contract of this content; return the message of its error, or nothing."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "infraspec.toml")
        path.write_bytes(content)
        try:
            contract.load(path, rules=["names"])
        except InfraspecError as error:
            return str(error) or "an error without a message"
        return ""


@given(CONTRACTS)
def test_any_toml_is_a_contract_or_an_error_of_ours(data: dict[str, Any]) -> None:
    """No value in any place, however odd, gives a traceback."""
    outcome("\n".join(f"{text(key)} = {toml(value)}" for key, value in data.items()).encode())


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
@example(b"a = [" * 3000)
@example(b"a = '''")
@example(b"[[a]]\n[a]\n")
@example(b"a.b = 1\na.b.c = 2\n")
@example("\ufeff\ufeff".encode())
def test_any_bytes_are_a_contract_or_an_error_of_ours(content: bytes) -> None:
    """No text, TOML or not, gives a traceback."""
    assert outcome(content), "none of these is a contract"


@given(
    table=st.sampled_from(["known", "environments.prod.variables", "environments.prod.known"]),
    value=VALUES.map(toml),
    junk=st.sampled_from(["", " junk", '"', "'''", ",", "]", " = 1"]),
    where=st.sampled_from(["", "x = ["]),
)
def test_no_secret_reaches_a_message(table: str, value: str, junk: str, where: str) -> None:
    """A value of variables or known data is shown neither in errors of shape nor in those of syntax."""
    lines = [
        "[project]",
        "applicatio = 1",
        f"[{table}]",
        f'{where}"a.b" = ["{SECRET}", {value}]{junk}',
        f'b = "{SECRET}',
    ]

    assert SECRET not in outcome("\n".join(lines).encode())
    assert SECRET not in outcome("\n".join(lines[:-1]).encode())
