"""Regular expressions of the RE2 syntax, which Terraform uses, as patterns of Python's `re`.

Source: "RE2 syntax" of the RE2 project. What RE2 refuses is refused: lookaround, back references, possessive
quantifiers. What Python has no counterpart for (classes of Unicode, the ungreedy flag) is Undetermined.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

from msgspec import Struct, field

from infraspec.errors import EvaluationError
from infraspec.terraform.functions.re2_classes import SPACE_ESCAPES, character_class, code_point
from infraspec.terraform.symbolic import Undetermined

_MOST_REPETITIONS = 1000
_TOKEN = re.compile(
    r"""
    (?P<quoted>\\Q(?P<inner>.*?)(?:\\E|\Z))
  | (?P<number>\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\[1-7][0-7]{1,2}|\\0[0-7]{0,2})
  | (?P<unicode>\\[pP])
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
_KINDS = (
    "quoted",
    "number",
    "unicode",
    "escape",
    "named",
    "flags",
    "group",
    "close",
    "repeat",
    "class",
    "meta",
    "other",
)
_ESCAPES = {"d": "[0-9]", "D": "[^0-9]", "w": r"\w", "W": r"\W", "s": f"[{SPACE_ESCAPES}]", "S": f"[^{SPACE_ESCAPES}]"}
_ESCAPES |= {"A": r"\A", "z": r"\Z", "b": r"\b", "B": r"\B"} | {letter: f"\\{letter}" for letter in "aftnrv"}


_ANCHORS = frozenset({"^", "$", r"\A", r"\z", r"\b", r"\B"})


class Pattern(Struct, frozen=True):
    """A compiled pattern, and whether it ignores case anywhere."""

    regex: re.Pattern[str]
    ignores_case: bool

    @property
    def names(self) -> list[str]:
        """Return the names of the groups, in order."""
        return list(self.regex.groupindex)


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Pattern:
    """Compile a pattern; EvaluationError if RE2 would refuse it, Undetermined if Python cannot express it."""
    translator = _Translator(pattern)
    translated = translator.translate()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return Pattern(re.compile(translated, re.ASCII), translator.ignores_case)
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
            kind = next(kind for kind in _KINDS if match[kind] is not None)
            if kind == "repeat":
                self._check_repeated(previous)
            pieces.append(self._token(kind, match))
            previous = match[0] if kind in {"meta", "escape"} else kind
        return "".join(pieces) + self.groups[0].closers

    def _check_repeated(self, previous: str) -> None:
        if previous == "repeat":
            raise _refused("a repetition is repeated", self.pattern)
        if previous in _ANCHORS:
            raise Undetermined

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
                raise Undetermined
            case "class":
                return character_class(match[0])
            case _:
                return self._simple(kind, match)

    def _simple(self, kind: str, match: re.Match[str]) -> str:
        found = match[0]
        if kind == "escape":
            return self._escape(found[1])
        if kind == "repeat":
            return self._repeat(match)
        if kind == "meta":
            return r"\Z" if found == "$" and not self.groups[-1].multiline else found
        if found in {"[", "(", "\\"}:
            raise _refused(f"{found} is not complete or not supported", self.pattern)
        return re.escape(found)

    def _escape(self, character: str) -> str:
        if character in _ESCAPES:
            return _ESCAPES[character]
        if character.isascii() and not character.isalnum():
            return re.escape(character)
        raise _refused(f"invalid escape sequence \\{character}", self.pattern)

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
