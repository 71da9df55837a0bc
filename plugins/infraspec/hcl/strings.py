"""Quoted templates, heredocs and raw templates."""

from __future__ import annotations

import re
from functools import lru_cache

from infraspec.errors import HclSyntaxError
from infraspec.hcl import lexicon
from infraspec.hcl.cursor import IN_BRACKETS, MAX_NESTING
from infraspec.hcl.nodes import Interpolation, Literal, Template
from infraspec.hcl.operands import OperandParser
from infraspec.hcl.template_pieces import Directive, Parts, Pieces, UnbalancedDirectiveError, assemble
from infraspec.unknown import composed

_KEYWORDS = ("if", "else", "endif", "for", "endfor")
_ESCAPES_EXPECTED = r"one of \n \r \t \" \\ \uXXXX \UXXXXXXXX"


class StringParser(OperandParser):
    """The productions of template expressions."""

    def quoted(self) -> Literal | Template:
        r"""Parse `quotedTemplate = '"' (text | escape | interpolation | directive)* '"'`."""
        at = self.pos
        if plain := lexicon.quoted_plain(self.text, at):
            self.pos = plain.end()
            return Literal(plain[1], at)
        self.pos = at + 1
        pieces = Pieces(by_line=False)
        while True:
            if found := lexicon.quoted_text(self.text, self.pos):
                pieces.add_text(self._unescape(found[0], self.pos))
                self.pos = found.end()
            character = self.text[self.pos : self.pos + 1]
            if character == '"':
                self.pos += 1
                return self._template(pieces, at)
            if character not in ("$", "%"):
                raise self._unclosed(at)
            self._sequence(pieces)

    def _unclosed(self, at: int) -> HclSyntaxError:
        at_end = self.pos + self.text.startswith("\\", self.pos) >= len(self.text)
        if at_end:
            return self.error("the text has no closing quote", at, expected='"', found="the end of the file")
        return self.error(
            "quoted text ends with its line",
            self.pos,
            expected='a closing "',
            found="the end of the line",
            remedy=r"close the text, write \n for a newline, or use a heredoc (<<EOT) for text of several lines",
        )

    def heredoc(self) -> Literal | Template:
        """Parse `heredocTemplate = ("<<" | "<<-") marker newline line* marker newline`."""
        at = self.pos
        start = lexicon.heredoc_start(self.text, at)
        if start is None:
            raise self.error(
                "a heredoc begins with a marker that ends its line", at, expected="<<EOT or <<-EOT, then a newline"
            )
        indented, marker = start[1] == "-", start[2]
        end = self._heredoc_end(marker, start.end(), at)
        body = self.text[start.end() : end.start()]
        if "\r" in body and (lone := lexicon.lone_return(self.text, start.end(), end.start())):
            raise self.error(
                "a carriage return stands alone", lone.start(), expected="a newline after it", found=r'"\r"'
            )
        if not indented and "${" not in body and "%{" not in body:
            self.pos = end.end()
            return Literal(body, at)
        self.pos = start.end()
        pieces = Pieces(by_line=True)
        end = self._heredoc_pieces(pieces, marker, end, at)
        if indented:
            pieces.flush()
        self.pos = end.end()
        return self._template(pieces, at)

    def _heredoc_pieces(self, pieces: Pieces, marker: str, end: re.Match[str], at: int) -> re.Match[str]:
        """Add the pieces of a heredoc's body. An interpolation may run over what looked like the end marker."""
        while True:
            if found := lexicon.raw_text(self.text, self.pos, end.start()):
                pieces.add_text(_unescape_raw(found[0]))
                self.pos = found.end()
            if self.pos == end.start():
                return end
            self._sequence(pieces)
            if self.pos > end.start():
                end = self._heredoc_end(marker, self.pos, at)

    def _heredoc_end(self, marker: str, start: int, at: int) -> re.Match[str]:
        if end := _end_marker(marker).search(self.text, start):
            return end
        last_line = self.text[self.text.rfind("\n") + 1 :]
        if last_line.strip() == marker:
            raise self.error(
                "the heredoc is not closed",
                len(self.text),
                expected=f"a newline after {marker}",
                remedy="end the file with a newline",
            )
        raise self.error(
            "the heredoc is not closed",
            at,
            expected=f"a line with nothing but {marker}",
            found="the end of the file",
        )

    def raw_template(self) -> Literal | Template:
        """Parse the whole text as a template without quotes: text | interpolation | directive."""
        pieces = Pieces(by_line=True)
        while self.pos < len(self.text):
            if found := lexicon.raw_text(self.text, self.pos):
                pieces.add_text(_unescape_raw(found[0]))
                self.pos = found.end()
            if self.pos < len(self.text):
                self._sequence(pieces)
        return self._template(pieces, 0)

    def _template(self, pieces: Pieces, at: int) -> Literal | Template:
        try:
            parts: Parts = assemble(pieces.items, MAX_NESTING)
        except UnbalancedDirectiveError as error:
            raise self.error(str(error), error.at, expected=error.expected) from None
        if not parts:
            return Literal("", at)
        first = parts[0]
        return Literal(first, at) if len(parts) == 1 and isinstance(first, str) else Template(parts, at)

    def _sequence(self, pieces: Pieces) -> None:
        """Parse `sequence = interpolation | directive`."""
        if self.text[self.pos] == "%":
            self._directive(pieces)
        elif simple := lexicon.interpolation(self.text, self.pos):
            node = Interpolation(self.names(simple[1], simple.start(1)), self.pos)
            self.pos = simple.end()
            pieces.add(node, trims_before=False, trims_after=False)
        else:
            self._interpolation(pieces)

    def _interpolation(self, pieces: Pieces) -> None:
        """Parse `interpolation = ("${" | "${~") expression ("}" | "~}")`."""
        at = self.pos
        trims_before = self._open_sequence()
        mode, self.mode = self.mode, IN_BRACKETS
        expression = self.expression()
        trims_after = self._close_sequence("interpolation", "write $${ if the text itself is meant to have ${")
        self.mode = mode
        pieces.add(Interpolation(expression, at), trims_before=trims_before, trims_after=trims_after)

    def _directive(self, pieces: Pieces) -> None:
        """Parse `directive = ("%{" | "%{~") ("if" expression | "for" … | "else" | "endif" | "endfor") ("}" | "~}")`."""
        at = self.pos
        trims_before = self._open_sequence()
        mode, self.mode = self.mode, IN_BRACKETS
        directive = self._directive_head(at)
        trims_after = self._close_sequence("directive", "write %%{ if the text itself is meant to have %{")
        self.mode = mode
        pieces.add(directive, trims_before=trims_before, trims_after=trims_after)

    def _directive_head(self, at: int) -> Directive:
        found = lexicon.keyword(self.text, self.pos)
        if found is None or found[1] not in _KEYWORDS:
            self.look()
            raise self.error(
                "a template directive has no such keyword",
                self.ahead if found is None else found.start(1),
                expected=f"one of {', '.join(_KEYWORDS)}",
                remedy="write %%{ if the text itself is meant to have %{",
            )
        self.pos = found.end()
        if found[1] == "if":
            return Directive("if", at, self.expression())
        if found[1] == "for":
            key, value = self.iterator_names()
            return Directive("for", at, self.expression(), key, value)
        return Directive(found[1], at)

    def iterator_names(self) -> tuple[str | None, str]:
        """Parse `value in` or `key, value in`."""
        found = lexicon.iterators(self.text, self.pos)
        if found is None:
            self.look()
            raise self.error(
                '"for" has no name for its element', self.ahead, expected="for NAME in … or for KEY, VALUE in …"
            )
        self.pos = found.end()
        keyword = lexicon.keyword(self.text, self.pos)
        if keyword is None or keyword[1] != "in":
            self.look()
            raise self.error('"for" has no "in" after its names', self.ahead, expected='"in"')
        self.pos = keyword.end()
        return (found[1], found[2]) if found[2] is not None else (None, found[1])

    def _open_sequence(self) -> bool:
        self.enter()
        trims = self.text.startswith("~", self.pos + 2)
        self.pos += 3 if trims else 2
        return trims

    def _close_sequence(self, what: str, remedy: str) -> bool:
        self.look()
        trims = self.text.startswith("~}", self.ahead)
        if not trims and not self.text.startswith("}", self.ahead):
            raise self.error(
                f"the {what} is not closed after its expression", self.ahead, expected='"}"', remedy=remedy
            )
        self.pos = self.ahead + (2 if trims else 1)
        self.nesting -= 1
        return trims

    def _unescape(self, text: str, at: int) -> str:
        if "\\" not in text and "{" not in text:
            return text

        def decode(escape: re.Match[str]) -> str:
            if escape[0][0] != "\\":
                return escape[0][1:]
            if known := lexicon.ESCAPES.get(escape[3] or ""):
                return known
            digits = escape[1] or escape[2]
            if digits and (code := int(digits, 16)) <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004
                return chr(code)
            raise self.error(
                "the backslash begins no escape sequence",
                at + escape.start(),
                expected=_ESCAPES_EXPECTED,
                found=f'"{escape[0]}"',
                remedy=r"write \\ for a backslash",
            )

        return composed(lexicon.quoted_escape.sub(decode, text))


def _unescape_raw(text: str) -> str:
    return text.replace("$${", "${").replace("%%{", "%{") if "{" in text else text


@lru_cache(maxsize=256)
def _end_marker(marker: str) -> re.Pattern[str]:
    return re.compile(rf"^[^\S\n]*+{re.escape(marker)}(?:(?=[ \t]*+\r?\n)|[^\S\n]*+(?=\n))", re.MULTILINE)
