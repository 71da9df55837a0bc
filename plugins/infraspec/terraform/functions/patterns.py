"""regex, regexall and replace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from infraspec.errors import EvaluationError
from infraspec.terraform.functions.parameters import known_text, text
from infraspec.terraform.functions.re2 import Pattern, compiled
from infraspec.terraform.functions.registry import function
from infraspec.terraform.partial_text import joined
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.values import ListValue
from infraspec.unknown import Text, Unknown, Value

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<braced>\w+)\}|(?P<plain>\w+))", re.ASCII)


@function("regex", text, text)
def first_match(pattern: str, value: str) -> Value:
    """Return the first match: its text, its groups as a tuple, or its named groups as an object."""
    found = next(_matches(_checked(pattern), value), None)
    if found is None:
        raise EvaluationError("pattern did not match any part of the given string", expected=pattern)
    return _captured(compiled(pattern), found)


@function("regexall", text, text)
def all_matches(pattern: str, value: str) -> ListValue:
    """Return all matches, each as `regex` does."""
    checked = _checked(pattern)
    return ListValue(_captured(checked, found) for found in _matches(checked, value))


def _checked(pattern: str) -> Pattern:
    checked = compiled(pattern)
    if 0 < len(checked.names) < checked.regex.groups:
        raise EvaluationError("invalid regexp pattern: cannot mix both named and unnamed capture groups", found=pattern)
    return checked


def _captured(pattern: Pattern, found: re.Match[str]) -> Value:
    if pattern.names:
        return found.groupdict()
    return list(found.groups()) if pattern.regex.groups else found[0]


def _matches(pattern: Pattern, value: str) -> Iterator[re.Match[str]]:
    """Yield the matches that do not overlap; an empty one that touches the one before does not count."""
    if pattern.ignores_case and not (value.isascii() and pattern.regex.pattern.isascii()):
        raise Undetermined
    position, end = 0, -1
    while position <= len(value) and (found := pattern.regex.search(value, position)):
        if found.end() > position or found.start() != end:
            yield found
        position = max(found.end(), position + 1)
        end = found.end()


@function("replace", text, known_text, text, structural=True)
def replace(value: str | Text | Unknown, old: str, new: str | Text | Unknown) -> str | Text | Unknown:
    """Replace each occurrence of text, or of a pattern between slashes, where `$1` and `${name}` are its groups."""
    is_pattern = len(old) > 1 and old[0] == old[-1] == "/"
    if isinstance(value, str) and isinstance(new, str):
        return _replace_pattern(value, old[1:-1], new) if is_pattern else value.replace(old, new)
    if isinstance(value, str) and not is_pattern and old:
        pieces = [part for piece in value.split(old) for part in (new, piece)]
        return joined(pieces[1:])
    raise Undetermined


def _replace_pattern(value: str, pattern: str, template: str) -> str:
    compiled_pattern = compiled(pattern)
    pieces, position = [], 0
    for found in _matches(compiled_pattern, value):
        pieces += [value[position : found.start()], _REFERENCE.sub(_expansion(found), template)]
        position = found.end()
    return "".join([*pieces, value[position:]])


def _expansion(found: re.Match[str]) -> Callable[[re.Match[str]], str]:
    def expand(reference: re.Match[str]) -> str:
        if reference["dollar"]:
            return "$"
        name = reference["braced"] or reference["plain"]
        if name.isdigit() and (name == "0" or name[0] != "0"):
            number = int(name[:9])
            return (found[number] or "") if number <= found.re.groups else ""
        return (found[name] or "") if name in found.re.groupindex else ""

    return expand
