"""Kinds of values a contract holds, each with the words that say what was expected of it.

Values are of their type and not made so: `run_commands = "no"` and `wait = true` are errors, as in the JSON Schema.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Struct
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from infraspec.core import regular_expressions
from infraspec.core.errors import LimitError


class KeyText(Struct, frozen=True, forbid_unknown_fields=True):
    """What a key of the contract is for, in words, and examples of its value, the first of which errors propose."""

    description: str
    examples: tuple[Any, ...] = ()


class ContractTable(BaseModel):
    """A table of the contract: unknown keys are errors, values do not change. Texts about its keys are in keys.json."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def texts(cls) -> Mapping[str, KeyText]:
        """Return the text about each key."""
        return _texts()[cls.__name__]


@cache
def _texts() -> Mapping[str, Mapping[str, KeyText]]:
    content = Path(__file__).with_name("keys.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, dict[str, KeyText]])


_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_PATH = r"^[^\u0000]*\S[^\u0000]*$"


def wrong(expected: str) -> PydanticCustomError:
    """Make the error whose message is what was expected, in plain words."""
    return PydanticCustomError("contract", "{expected}", {"expected": expected})


def told_by(tag: Callable[[Any], str | None], expected: str) -> Discriminator:
    """Choose among the alternatives of a union by their tags; the error says what was expected."""
    return Discriminator(tag, custom_error_type="contract", custom_error_message=expected)


class Matching(Struct, frozen=True, forbid_unknown_fields=True):
    """Text of a pattern; blanks around it are taken off. The pattern is part of the JSON Schema."""

    pattern: str
    expected: str

    @classmethod
    def named(cls, name: str) -> Matching:
        """Return what values.json has under a name."""
        return KNOWN.patterns[name]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, core_schema.str_schema(pattern=self.pattern))

    def check(self, value: Any) -> str:
        """Return the text, or raise the error that says what was expected."""
        if not isinstance(value, str) or not re.search(self.pattern, value) or value.endswith("\n"):
            raise wrong(self.expected)
        return value.strip()


class KnownValues(Struct, frozen=True, forbid_unknown_fields=True):
    """What values.json says: the patterns of texts, defaults, and the words of errors.

    `refused_reads` are named as reads and hand out secrets or credentials: no contract allows them. `toml_remedies` are
    by how tomllib's message begins, `pydantic_errors` what it means by its types of errors, with what it says in their
    context, `file_remedies` by the key that names a file.
    """

    patterns: Mapping[str, Matching]
    refused_reads: frozenset[str]
    required_playbooks: list[str]
    playbook_commands: list[str]
    toml_remedies: Mapping[str, str]
    pydantic_errors: Mapping[str, str]
    file_remedies: Mapping[str, str]


KNOWN = msgspec.json.decode(Path(__file__).with_name("values.json").read_bytes(), type=KnownValues)


def _path(value: Any) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not re.search(_PATH, value):
        raise wrong('a path in quotes, such as "environments/prod"')
    return Path(value)


def _regex(value: Any) -> str:
    """Compile a regular expression alone and inside another, as patterns use it."""
    if not isinstance(value, str):
        raise wrong("a regular expression in quotes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(value)
            re.compile(f"x(?:{value})")
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise wrong(f"a regular expression of Python's re module; this one does not compile: {error}") from None
    return value


def _linear_regex(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("a regular expression in quotes")
    try:
        regular_expressions.begins(value, "")
    except (regular_expressions.PatternError, LimitError) as error:
        raise wrong(
            "a regular expression of RE2's syntax, which has neither lookaround nor back-references; this one does not "
            f"compile: {error}"
        ) from None
    return value


def _day(value: Any) -> date:
    if isinstance(value, str) and re.search(_DAY, value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise wrong("a day that the calendar has, such as 2026-11-01") from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise wrong("a date without a time, such as 2026-11-01")
    return value


def _terraform_value(value: Any) -> Any:
    """Take what Terraform's type system has; a whole number written 1.0 is the number 1."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return int(value) if value.is_integer() else value
        case list():
            return [_terraform_value(item) for item in value]
        case dict():
            return {key: _terraform_value(item) for key, item in value.items()}
        case _:
            raise wrong("text, a finite number, true, false, a list or a table (a date goes in quotes)")


NonEmpty: TypeAlias = Annotated[str, Matching.named("NonEmpty")]
AccountId: TypeAlias = Annotated[str, Matching.named("AccountId")]
Region: TypeAlias = Annotated[str, Matching.named("Region")]
EnvironmentName: TypeAlias = Annotated[str, Matching.named("EnvironmentName")]
KnownKey: TypeAlias = Annotated[str, Matching.named("KnownKey")]
FilePath: TypeAlias = Annotated[
    Path, BeforeValidator(_path), WithJsonSchema({"type": "string", "format": "path", "pattern": _PATH})
]
Regex: TypeAlias = Annotated[str, BeforeValidator(_regex), WithJsonSchema({"type": "string", "format": "regex"})]
LinearRegex: TypeAlias = Annotated[
    str, BeforeValidator(_linear_regex), WithJsonSchema({"type": "string", "format": "regex"})
]
"""A regular expression that is matched with RE2, in time that is linear in the text."""

Day: TypeAlias = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "pattern": _DAY})
]
TerraformValue: TypeAlias = Annotated[Any, AfterValidator(_terraform_value)]
