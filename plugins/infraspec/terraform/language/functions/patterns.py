"""regex, regexall and replace.

Source: "RE2 syntax" of the RE2 project; Terraform matches with Go's package regexp, which has that syntax too.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from infraspec.core.errors import EvaluationError
from infraspec.core.limits import demand_length
from infraspec.core.regular_expressions import Match, PatternError, RegularExpression, compiled
from infraspec.core.unknown import Text, Unknown, Value
from infraspec.terraform.language.functions.parameters import function, known_text, text
from infraspec.terraform.language.partial_values import Undetermined, joined
from infraspec.terraform.language.values import ListValue

_CLASS_OF_UNICODE = re.compile(r"\\[pP]\{\^?[^}]+\}")
_NAME = re.compile(r"\(\?P?<(\w+)>")
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<braced>\w+)\}|(?P<plain>\w+))", re.ASCII)


@function("regex", text, text)
def first_match(pattern: str, value: str) -> Value:
    """Return the first match: its text, its groups as a tuple, or its named groups as an object."""
    expression = _checked(pattern)
    found = expression.search(value)
    if found is None:
        raise EvaluationError("pattern did not match any part of the given string", expected=pattern)
    return _captured(expression, found)


@function("regexall", text, text)
def all_matches(pattern: str, value: str) -> ListValue:
    """Return all matches, each as `regex` does."""
    expression = _checked(pattern)
    return ListValue(_captured(expression, found) for found in expression.finditer(value))


def matches_beginning(pattern: Value, text: str) -> bool:
    """Tell whether every text of a beginning has a match for certain: one in it that no end or border is asked of."""
    plain = isinstance(pattern, str) and not re.search(r"[$\\]|\(\?", pattern)
    return plain and _expression(str(pattern)).search(text) is not None


def _expression(pattern: str) -> RegularExpression:
    """Compile a pattern; Undetermined if it has a class of Unicode that another version of RE2 may know."""
    try:
        return compiled(pattern)
    except PatternError as error:
        reason, _, what = str(error).partition(": ")
        if reason == "invalid character class range" and _CLASS_OF_UNICODE.fullmatch(what):
            raise Undetermined from None
        raise EvaluationError(f"invalid regexp pattern: {error}", expected="RE2 syntax", found=pattern) from None


def _checked(pattern: str) -> RegularExpression:
    checked = _expression(pattern)
    if 0 < len(checked.names) < checked.groups:
        if len(written := _NAME.findall(pattern)) > len(set(written)):
            raise Undetermined  # the last group of a name counts, of which RE2 knows the first
        raise EvaluationError("invalid regexp pattern: cannot mix both named and unnamed capture groups", found=pattern)
    return checked


def _captured(pattern: RegularExpression, found: Match) -> Value:
    if pattern.names:
        return {name: found.group(number) for name, number in pattern.names.items()}
    return [found.group(number + 1) for number in range(pattern.groups)] if pattern.groups else found.group(0)


@function("replace", text, known_text, text, structural=True)
def replace(value: str | Text | Unknown, old: str, new: str | Text | Unknown) -> str | Text | Unknown:
    """Replace each occurrence of text, or of a pattern between slashes, where `$1` and `${name}` are its groups."""
    is_pattern = len(old) > 1 and old[0] == old[-1] == "/"
    if isinstance(value, str) and isinstance(new, str):
        if is_pattern:
            return _replace_pattern(value, old[1:-1], new)
        demand_length(len(value) + value.count(old) * max(0, len(new) - len(old)))
        return value.replace(old, new)
    if isinstance(value, str) and not is_pattern and old:
        pieces = [part for piece in value.split(old) for part in (new, piece)]
        return joined(pieces[1:])
    raise Undetermined


def _replace_pattern(value: str, pattern: str, template: str) -> str:
    expression = _expression(pattern)
    return expression.sub(lambda found: _REFERENCE.sub(_expansion(expression, found), template), value)


def _expansion(expression: RegularExpression, found: Match) -> Callable[[re.Match[str]], str]:
    def expand(reference: re.Match[str]) -> str:
        if reference["dollar"]:
            return "$"
        name = reference["braced"] or reference["plain"]
        if name.isdigit() and (name == "0" or name[0] != "0"):
            number = int(name[:9])
            return (found.group(number) or "") if number <= expression.groups else ""
        return (found.group(expression.names[name]) or "") if name in expression.names else ""

    return expand
