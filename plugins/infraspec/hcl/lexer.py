"""A position in a text that is parsed: how blanks are skipped there, what errors say, how deep the text may nest.

Source: HCL Native Syntax Specification, "Lexical Elements". The parser has no token stream: each production matches
one expression at its position, so most arguments, items and strings cost a single match in C. Repetitions are
possessive (`*+`), so no input makes a match go back over what it took.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, cast

import msgspec
from msgspec import Struct

from infraspec.core.errors import HclSyntaxError
from infraspec.hcl.ast import Expression, GetAttr, Literal, Name, SourceText

IDENTIFIER: Final = r"[^\W\d][\w\-\u0300-\u036f\u3099\u309a]*+"
"""A letter or `_`, then letters, digits, `_`, `-` and combining marks of any script."""
TRAVERSAL: Final = rf"{IDENTIFIER}(?:\.{IDENTIFIER})*+"

_COMMENT: Final = r"/\*(?s:.*?)\*/"
_LINE_COMMENT: Final = r"\#[^\n]*+|//[^\n]*+"
LINE_BLANK: Final = rf"(?:[ \t]++|{_COMMENT})*+"
"""Blanks where a newline ends an argument."""
FREE_BLANK: Final = rf"(?:[ \t\n]++|\r\n|{_LINE_COMMENT}|{_COMMENT})*+"
"""Blanks inside brackets, where newlines and line comments are blanks too."""

PLAIN: Final = r'(?:[^"\\$%\r\n]++|[$%](?!\{))*+'
"""Quoted text without an escape or a template sequence."""
SIMPLE: Final = rf'(?:"({PLAIN})"|({TRAVERSAL})|([0-9]{{1,18}}+))'
"""An operand of one match: plain text, a traversal such as `var.x.y`, an integer. Three groups."""

_ENDS_FREE: Final = r"(?=[ \t\r\n]*+(?:[,\])}]|:(?!:)|=(?!=)))"
_ENDS_LINE: Final = r"(?=[ \t]*+(?:[,\])}\#]|:(?!:)|=(?!=)|\r?\n|//|\Z))"
_ENDS_ARGUMENT: Final = r"(?=[ \t]*+(?:\r?\n|\#|//|\Z))"

Blank = Callable[[str, int], re.Match[str]]
"""Matches everywhere, if only the empty text."""
line_blank: Final = cast("Blank", re.compile(LINE_BLANK).match)
free_blank: Final = cast("Blank", re.compile(FREE_BLANK).match)

identifier: Final = re.compile(IDENTIFIER).match
traversal: Final = re.compile(TRAVERSAL).match
keyword: Final = re.compile(rf"{FREE_BLANK}({IDENTIFIER})").match

simple_in_line: Final = re.compile(SIMPLE + _ENDS_LINE).match
"""A simple operand that is the whole expression, where newlines count."""
simple_in_brackets: Final = re.compile(SIMPLE + _ENDS_FREE).match
"""A simple operand that is the whole expression, where newlines are blanks."""

body_item: Final = re.compile(
    rf"{FREE_BLANK}({IDENTIFIER})[ \t]*+(?:(=(?![=>])[ \t]*+)(?:{SIMPLE}{_ENDS_ARGUMENT}|)|)"
).match
"""The head of an argument, with its value if that is simple (groups 3 to 5), or the type of a block (group 1 only)."""
block_header: Final = re.compile(rf'((?:[ \t]*+(?:"{PLAIN}"|{IDENTIFIER}))*+)[ \t]*+\{{').match
block_labels: Final = re.compile(rf'"({PLAIN})"|({IDENTIFIER})').findall
own_lines: Final = re.compile(rf"{LINE_BLANK}(?=\r?\n|\#|//|\}}|\Z)").match
"""What follows the opening brace of a block whose items stand on lines of their own."""
line_end: Final = re.compile(rf"{LINE_BLANK}(?:\r?\n|{_LINE_COMMENT}|\Z)").match

tuple_item: Final = re.compile(rf"{FREE_BLANK}{SIMPLE}{FREE_BLANK}[,\]]").match
argument_item: Final = re.compile(rf"{FREE_BLANK}{SIMPLE}{FREE_BLANK}[,)]").match
object_item: Final = re.compile(
    rf'{FREE_BLANK}(?:({IDENTIFIER})|"({PLAIN})")[ \t]*+(?:=(?![=>])|:(?!:))[ \t]*+'
    rf"(?:{SIMPLE}[ \t]*+(?:,|\r?\n|(?=[}}\#]|//))|)"
).match
"""A key and its separator, with the value and what ends it if that is simple (groups 3 to 5)."""
object_separator: Final = re.compile(rf"{LINE_BLANK}(?:,|\r?\n|{_LINE_COMMENT}|(?=\}}))").match
iterators: Final = re.compile(rf"{FREE_BLANK}({IDENTIFIER})(?:{FREE_BLANK},{FREE_BLANK}({IDENTIFIER})|)").match
for_intro: Final = re.compile(rf"{FREE_BLANK}for(?![\w-])(?={FREE_BLANK}{IDENTIFIER})").match

attribute_step: Final = re.compile(rf"\.({IDENTIFIER})").match
legacy_index: Final = re.compile(r"[0-9]{1,18}+(?![eE][+-]?[0-9])").match
"""The number in `x.0`, and each one in `x.0.1`."""
full_splat: Final = re.compile(rf"\[{LINE_BLANK}\*").match
number: Final = re.compile(r"[0-9](?:(?:[0-9.]|[eE][+-]?[0-9])*(?:[0-9]|[eE][+-]?[0-9]))?").match
number_form: Final = re.compile(r"[0-9]++(?:\.[0-9]*+)?(?:[eE]([+-]?[0-9]{1,9}+))?").fullmatch
binary_operator: Final = re.compile(r"\|\||&&|==|!=|<=|>=|<|>|\+|-|\*|/(?![/*])|%").match

quoted_plain: Final = re.compile(rf'"({PLAIN})"').match
quoted_text: Final = re.compile(r'(?:[^"\\$%\r\n]++|\\[^\r\n]|\$\$\{|%%\{|[$%](?!\{))++').match
quoted_escape: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|\$\$\{|%%\{")
raw_text: Final = re.compile(r"(?:[^$%]++|\$\$\{|%%\{|[$%](?!\{))++").match
interpolation: Final = re.compile(rf"\$\{{[ \t]*+({TRAVERSAL})[ \t]*+\}}").match
"""`${ var.x }`, the interpolation of one match."""
heredoc_start: Final = re.compile(rf"<<(-?)({IDENTIFIER})\r?\n").match
lone_return: Final = re.compile(r"\r(?!\n)").search
lines: Final = re.compile(r"[^\n]*+\n|[^\n]++").findall

ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_LEVELS: Final = ("||", "&&", "== !=", "< > <= >=", "+ -", "* / %")
PRECEDENCE: Final = {operator: level for level, row in enumerate(_LEVELS, 1) for operator in row.split()}
"""HCL Native Syntax Specification, "Operations": the higher number binds tighter; all associate to the left."""


MAX_NESTING: Final = 200
"""How many brackets, blocks, templates and conditionals may stand inside each other."""
MAX_CHAIN: Final = 250
"""How many operators or traversal steps may follow each other: each nests the tree one deeper."""
MAX_DIGITS: Final = 4000
"""The digits of the largest number, beyond which it is hardly one."""
Mode: TypeAlias = tuple[Blank, Callable[[str, int], "re.Match[str] | None"]]
IN_LINE: Final[Mode] = (line_blank, simple_in_line)
"""How to skip blanks and match a simple expression where a newline ends an argument."""
IN_BRACKETS: Final[Mode] = (free_blank, simple_in_brackets)
"""The same where newlines are blanks."""

_WIDEST_EXCERPT: Final = 400
_WIDEST_WORD: Final = 40
_word = re.compile(r"[\w-]+|::|=>|==|\.\.\.|&&|\|\||.", re.DOTALL).match
_VALUE: Final = re.compile(r"\{([a-z]+)\}")


class SyntaxText(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of an error; `{name}` stands for a value that the parser gives."""

    message: str
    expected: str
    found: str = ""
    remedy: str = ""


class SyntaxTexts(Struct, frozen=True, forbid_unknown_fields=True):
    """What syntax_errors.json says: names of what stands in a text, hints at what is meant by it, and the errors."""

    names: Mapping[str, str]
    hints: Mapping[str, str]
    errors: Mapping[str, SyntaxText]


@cache
def _texts() -> SyntaxTexts:
    return msgspec.json.decode(Path(__file__).with_name("syntax_errors.json").read_bytes(), type=SyntaxTexts)


class Cursor:
    """The text and the position reached.

    `pos` is the offset after the last token taken, `ahead` the offset of the next one once `look` or an operation has
    found it. `failed_at` is the offset of the last error.
    """

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = source.text
        self.reset(0)
        self.failed_at = 0

    def reset(self, pos: int) -> None:
        """Go on at an offset, outside all brackets."""
        self.pos = self.ahead = pos
        self.nesting = 0
        self.mode = IN_LINE

    def look(self) -> str:
        """Find the next token and return its first character, "" at the end of the text."""
        self.ahead = ahead = self.mode[0](self.text, self.pos).end()
        return self.text[ahead : ahead + 1]

    def take(self, token: str, message: str) -> None:
        """Take a token after blanks, or fail with a message."""
        self.look()
        if not self.text.startswith(token, self.ahead):
            raise self.error("missing-token", self.ahead, message=message, token=token)
        self.pos = self.ahead + len(token)

    def at_closer(self, closer: str, opened: int) -> bool:
        """Take the closing bracket if it is what follows, and tell so; fail at the end of the text."""
        character = self.look()
        if not character:
            raise self.error("open-bracket", opened, closer=closer)
        if character == closer:
            self.pos = self.ahead + 1
        return character == closer

    def enter(self) -> None:
        """Count one more level of nesting; the caller counts it down again."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.too_deep()

    def open(self) -> Mode:
        """Take an opening bracket; return the mode to hand to `close`."""
        self.enter()
        self.pos += 1
        mode, self.mode = self.mode, IN_BRACKETS
        return mode

    def close(self, mode: Mode) -> None:
        """Go back to the mode outside a bracket, whose closing counterpart has been taken."""
        self.nesting -= 1
        self.mode = mode

    def too_deep(self) -> HclSyntaxError:
        """Build the error for text that nests deeper than a reader of the tree can follow."""
        return self.error("too-deep", self.pos, nesting=MAX_NESTING, chain=MAX_CHAIN)

    def error(self, text: str, at: int, **values: object) -> HclSyntaxError:
        """Build the error for an offset, of which syntax_errors.json has the text, with the values in it."""
        if self.text.startswith("/*", at) and self.text.find("*/", at + 2) < 0:
            text = "open-comment"
        said = _texts().errors[text]
        parts = (said.message, said.expected, said.found, said.remedy)
        return self.told(at, *(_VALUE.sub(lambda name: str(values[name[1]]), part) for part in parts))

    def told(self, at: int, message: str, expected: str, found: str, remedy: str) -> HclSyntaxError:
        """Build the error for an offset with these texts; `found` is what stands there unless it is given."""
        self.failed_at = at
        return HclSyntaxError(
            message,
            place=self.source.place(at),
            expected=expected,
            found=found or self._describe(at),
            remedy=remedy or _texts().hints.get(self.text[at : at + 1], ""),
            excerpt=self._excerpt(at),
        )

    def exact(self, text: str, exponent: str | None, at: int) -> int | float | Decimal:
        """Return a number as `Literal` has it."""
        if len(text) > MAX_DIGITS or abs(Decimal(exponent or 0)) > MAX_DIGITS:
            raise self.error("too-large", at, digits=MAX_DIGITS)
        value = Decimal(text)
        if value == value.to_integral_value():
            return int(value)
        short = float(value)
        return short if Decimal(repr(short)) == value else value

    def _describe(self, at: int) -> str:
        found = _word(self.text, at)
        word = found[0] if found else ""
        if word in _texts().names:
            return _texts().names[word]
        return f'"{word}"' if len(word) <= _WIDEST_WORD else f'"{word[:_WIDEST_WORD]}…"'

    def _excerpt(self, at: int) -> str:
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        width = (len(self.text) if end < 0 else end) - start
        return self.source.excerpt(at) if width <= _WIDEST_EXCERPT else ""


PLAIN_TEXT: Final = 1
"""The group of `lexicon.SIMPLE` that matches text, without its quotes."""
_TRAVERSAL: Final = 2


class OperandParser(Cursor):
    """The productions of operands that hold no other expression."""

    def expression(self) -> Expression:
        """Parse an expression; ExpressionParser knows how."""
        raise NotImplementedError

    def simple_operand(self, group: int, value: str, start: int) -> Expression:
        """Build the node of a `lexicon.SIMPLE` match from the group that matched, its text and its offset."""
        if group == PLAIN_TEXT:
            return Literal(value, start - 1)
        if group == _TRAVERSAL:
            return self.names(value, start)
        return Literal(int(value), start)

    def names(self, text: str, at: int) -> Expression:
        """Build the node of `name.name…`."""
        root, *steps = text.split(".")
        if len(steps) > MAX_CHAIN:
            raise self.too_deep()
        node: Expression = Literal(CONSTANTS[root], at) if root in CONSTANTS else Name(root, at)
        for step in steps:
            node = GetAttr(node, step, at)
        return node

    def number(self) -> Literal:
        """Parse `number = digit+ ["." digit*] [("e" | "E") ["+" | "-"] digit+]`."""
        at = self.pos
        token = number(self.text, at)
        if token is None:
            raise self.error("no-expression", at)
        self.pos = token.end()
        form = number_form(token[0])
        if form is None:
            raise self.error("no-number", at, number=token[0][:40])
        return Literal(self.exact(token[0], form[1], at), at)
