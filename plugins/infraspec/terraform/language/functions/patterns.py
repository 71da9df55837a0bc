"""regex, regexall and replace.

Source: "RE2 syntax" of the RE2 project. What RE2 refuses is refused: lookaround, back references, possessive
quantifiers. What Python has no counterpart for (classes of Unicode, the ungreedy flag) is Undetermined.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import groupby

from msgspec import Struct, field

from infraspec.core.errors import EvaluationError
from infraspec.core.unknown import Text, Unknown, Value
from infraspec.terraform.language.functions.parameters import function, known_text, text
from infraspec.terraform.language.partial_values import Undetermined, joined
from infraspec.terraform.language.values import ListValue

SPACE_ESCAPES = r"\t\n\f\r "
"""White space as RE2's `\\s` has it."""

_LAST_CODE_POINT = 0x10FFFF
_ITEM = re.compile(
    r"\[:(?P<posix>\^?\w+):\]|\\(?P<property>[pP](?:\{\^?\w*\}|.))|(?P<number>\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3})"
    r"|\\(?P<escape>.)|(?P<other>.)",
    re.DOTALL,
)
_SETS = {"d": "0-9", "D": r"\D", "w": "0-9A-Za-z_", "W": r"\W", "s": SPACE_ESCAPES, "S": r"\S\v"}
_RANGE = ("-", "-")
"""A hyphen that is not escaped: between two characters it makes a range."""

_CONTROLS = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


def code_point(escape: str) -> str:
    r"""Return the character of `\x{10}`, `\x10` or `\20`."""
    digits = escape[1:].strip("x{}")
    point = int(digits, 16 if escape[1] == "x" else 8)
    if point > _LAST_CODE_POINT:
        raise EvaluationError("invalid regexp pattern: invalid escape sequence", expected="RE2 syntax", found=escape)
    return chr(point)


def character_class(text: str) -> str:
    """Translate a class, brackets included."""
    inverted = text.startswith("[^")
    items = list(_items(text[2 if inverted else 1 : -1]))
    translated = []
    position = 0
    while position < len(items):
        literal, written = items[position]
        if literal and items[position + 1 : position + 2] == [_RANGE] and position + 2 < len(items):
            translated.append(_range(literal, items[position + 2][0], text))
            position += 3
        else:
            translated.append(re.escape(written) if items[position] == _RANGE else written)
            position += 1
    return f"[{'^' if inverted else ''}{''.join(translated)}]"


def _range(first: str, last: str, text: str) -> str:
    if not last or last < first:
        raise EvaluationError(
            "invalid regexp pattern: invalid character class range", expected="RE2 syntax", found=text
        )
    return f"{re.escape(first)}-{re.escape(last)}"


def _items(text: str) -> Iterator[tuple[str, str]]:
    """Yield each item: the character it is, or nothing for a set, and how Python writes it."""
    for match in _ITEM.finditer(text):
        if match["posix"]:
            yield "", _posix(match["posix"])
        elif match["property"]:
            yield "", _category(match["property"])
        elif match["escape"] in _SETS:
            yield "", _SETS[match["escape"]]
        else:
            character = _character(match)
            yield _RANGE if match[0] == "-" else (character, re.escape(character))


def _category(escape: str) -> str:
    r"""Translate what follows the backslash of `\pL`, `\p{Lu}`, `\P{Lu}` or `\p{^Lu}`; scripts are Undetermined."""
    name = escape[1:].strip("{}")
    if not name.strip("^"):
        found = f"\\{escape}"
        raise EvaluationError("invalid regexp pattern: invalid character class", expected="RE2 syntax", found=found)
    return _ranges(name.removeprefix("^"), inside=(escape[0] == "p") != name.startswith("^"))


@cache
def _ranges(category: str, *, inside: bool) -> str:
    """Return the characters in a general category of Unicode, or all others, as the inside of a class."""
    kinds = enumerate(unicodedata.category(chr(point)) for point in range(_LAST_CODE_POINT + 1))
    runs = groupby(kinds, lambda pair: pair[1].startswith(category) and pair[1] != "Cn")
    bounds = [(is_in, [point for point, _ in run]) for is_in, run in runs]
    if not any(is_in for is_in, _ in bounds):
        raise Undetermined
    return "".join(f"{re.escape(chr(run[0]))}-{re.escape(chr(run[-1]))}" for is_in, run in bounds if is_in is inside)


def _posix(name: str) -> str:
    if name.startswith("^"):
        raise Undetermined
    if name not in _POSIX:
        found = f"[:{name}:]"
        raise EvaluationError("invalid regexp pattern: invalid character class", expected="RE2 syntax", found=found)
    return _POSIX[name]


def _character(match: re.Match[str]) -> str:
    if match["number"]:
        return code_point(match["number"])
    escape = match["escape"]
    if escape is None:
        return match["other"]
    if escape in _CONTROLS:
        return _CONTROLS[escape]
    if escape.isascii() and not escape.isalnum():
        return escape
    found = f"\\{escape}"
    raise EvaluationError("invalid regexp pattern: invalid escape sequence", expected="RE2 syntax", found=found)


_MOST_REPETITIONS = 1000
_TOKEN = re.compile(
    r"""
    (?P<quoted>\\Q(?P<inner>.*?)(?:\\E|\Z))
  | (?P<number>\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\[1-7][0-7]{1,2}|\\0[0-7]{0,2})
  | (?P<unicode>\\[pP](?:\{\^?\w*\}|.))
  | (?P<escape>\\.)
  | (?P<named>\(\?P?<(?P<name>[^>]*)>)
  | (?P<flags>\(\?(?P<letters>[a-zA-Z-]*)(?P<end>[:)]))
  | (?P<group>\((?!\?))
  | (?P<close>\))
  | (?P<repeat>(?:[*+?]|\{(?P<least>\d+)(?:,(?P<most>\d*))?\})\??)
  | (?P<class>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])
  | (?P<meta>[.^$|])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"d": "[0-9]", "D": "[^0-9]", "w": r"\w", "W": r"\W", "s": f"[{SPACE_ESCAPES}]", "S": f"[^{SPACE_ESCAPES}]"}
_ESCAPES |= {"A": r"\A", "z": r"\Z", "b": r"\b", "B": r"\B"} | {letter: f"\\{letter}" for letter in "aftnrv"}


_ANCHORS = frozenset({"^", "$", r"\A", r"\z", r"\b", r"\B"})


class Re2Pattern(Struct, frozen=True):
    """A compiled pattern, and whether it ignores case anywhere."""

    regex: re.Pattern[str]
    ignores_case: bool

    @property
    def names(self) -> list[str]:
        """Return the names of the groups, in order."""
        return list(self.regex.groupindex)


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Re2Pattern:
    """Compile a pattern; EvaluationError if RE2 would refuse it, Undetermined if Python cannot express it."""
    translator = _Translator(pattern)
    translated = translator.translate()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return Re2Pattern(re.compile(translated, re.ASCII), translator.ignores_case)
    except (re.error, OverflowError) as error:
        if "redefinition" in str(error):
            raise Undetermined from None
        raise _refused(str(error), pattern) from None


def _refused(reason: str, pattern: str) -> EvaluationError:
    return EvaluationError(f"invalid regexp pattern: {reason}", expected="RE2 syntax", found=pattern)


class _Group(Struct):
    """An open group: whether `$` is the end of a line in it, and what closes it besides its own parenthesis."""

    multiline: bool
    closers: str = ""
    begun: bool = False


class _Translator(Struct):
    pattern: str
    groups: list[_Group] = field(default_factory=lambda: [_Group(multiline=False)])
    ignores_case: bool = False

    def translate(self) -> str:
        pieces, previous = [], ""
        for match in _TOKEN.finditer(self.pattern):
            kind = match.lastgroup or "other"
            if kind == "repeat":
                if previous == "repeat":
                    raise _refused("a repetition is repeated", self.pattern)
                if previous in _ANCHORS:
                    raise Undetermined
            pieces.append(self._token(kind, match))
            previous = match[0] if kind in {"meta", "escape"} else kind
        return "".join(pieces) + self.groups[0].closers

    def _token(self, kind: str, match: re.Match[str]) -> str:
        if kind == "flags":
            return self._flags(match)
        self.groups[-1].begun = True
        match kind:
            case "named" | "group":
                return self._open(match)
            case "close":
                return self._close()
            case "quoted":
                return re.escape(match["inner"])
            case "number":
                return re.escape(code_point(match[0]))
            case "unicode":
                return f"[{_category(match[0][1:])}]"
            case "class":
                return character_class(match[0])
            case _:
                return self._simple(kind, match)

    def _simple(self, kind: str, match: re.Match[str]) -> str:
        found = match[0]
        if kind == "escape":
            character = found[1]
            if character in _ESCAPES:
                return _ESCAPES[character]
            if character.isascii() and not character.isalnum():
                return re.escape(character)
            raise _refused(f"invalid escape sequence \\{character}", self.pattern)
        if kind == "repeat":
            return self._repeat(match)
        if kind == "meta":
            return r"\Z" if found == "$" and not self.groups[-1].multiline else found
        if found in {"[", "(", "\\"}:
            raise _refused(f"{found} is not complete or not supported", self.pattern)
        return re.escape(found)

    def _repeat(self, match: re.Match[str]) -> str:
        bounds = [int(digits[:5]) for digits in (match["least"], match["most"]) if digits]
        if any(bound > _MOST_REPETITIONS for bound in bounds) or bounds != sorted(bounds):
            raise _refused("invalid repeat count", self.pattern)
        return match[0]

    def _open(self, match: re.Match[str]) -> str:
        self.groups.append(_Group(self.groups[-1].multiline))
        name = match["name"]
        if name is None:
            return "("
        if not name.isascii() or not name.replace("_", "a").isalnum():
            raise _refused("invalid named capture", self.pattern)
        if name[0].isdigit():
            raise Undetermined
        return f"(?P<{name}>"

    def _close(self) -> str:
        if len(self.groups) == 1:
            raise _refused("unexpected )", self.pattern)
        return self.groups.pop().closers + ")"

    def _flags(self, match: re.Match[str]) -> str:
        letters = match["letters"]
        on, _, off = letters.partition("-")
        if not set(on + off) <= set("imsU") or (not letters and match["end"] == ")") or letters.endswith("-"):
            raise _refused("invalid or unsupported Perl syntax", self.pattern)
        if "U" in letters:
            raise Undetermined
        self.ignores_case |= "i" in on
        multiline = "m" not in off and ("m" in on or self.groups[-1].multiline)
        if match["end"] == ":":
            self.groups[-1].begun = True
            self.groups.append(_Group(multiline))
        else:
            self._set(match.end(), multiline=multiline)
        return f"(?{letters}:"

    def _set(self, position: int, *, multiline: bool) -> None:
        """Let flags hold for the rest of the group, which an alternative after its beginning would split."""
        group = self.groups[-1]
        if group.begun and "|" in self.pattern[position:]:
            raise Undetermined
        group.multiline = multiline
        group.closers += ")"


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


def matches_beginning(pattern: Value, text: str) -> bool:
    """Tell whether every text of a beginning has a match for certain: one in it that no end or border is asked of."""
    plain = isinstance(pattern, str) and not re.search(r"[$\\]|\(\?", pattern)
    return plain and compiled(str(pattern)).regex.search(text) is not None


def _checked(pattern: str) -> Re2Pattern:
    checked = compiled(pattern)
    if 0 < len(checked.names) < checked.regex.groups:
        raise EvaluationError("invalid regexp pattern: cannot mix both named and unnamed capture groups", found=pattern)
    return checked


def _captured(pattern: Re2Pattern, found: re.Match[str]) -> Value:
    if pattern.names:
        return found.groupdict()
    return list(found.groups()) if pattern.regex.groups else found[0]


def _matches(pattern: Re2Pattern, value: str) -> Iterator[re.Match[str]]:
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
