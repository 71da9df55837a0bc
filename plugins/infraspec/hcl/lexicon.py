"""The tokens of HCL as regular expressions, and its operators.

Source: HCL Native Syntax Specification, "Lexical Elements". The parser has no token stream: each production matches
one expression at its position, so most arguments, items and strings cost a single match in C. Repetitions are
possessive (`*+`), so no input makes a match go back over what it took.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, cast

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
PRECEDENCE: Final = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
"""HCL Native Syntax Specification, "Operations": the higher number binds tighter; all associate to the left."""
