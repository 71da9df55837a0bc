"""Operands without brackets: names, traversals of plain steps, numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from infraspec.hcl import lexicon
from infraspec.hcl.cursor import MAX_CHAIN, Cursor
from infraspec.hcl.nodes import Expression, GetAttr, Literal, Name, exact_number

PLAIN_TEXT: Final = 1
"""The group of `lexicon.SIMPLE` that matches text, without its quotes."""
_TRAVERSAL: Final = 2
_LARGEST_EXPONENT: Final = 4000
_LONGEST_NUMBER: Final = 4000


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
        node: Expression = Literal(lexicon.CONSTANTS[root], at) if root in lexicon.CONSTANTS else Name(root, at)
        for step in steps:
            node = GetAttr(node, step, at)
        return node

    def number(self) -> Literal:
        """Parse `number = digit+ ["." digit*] [("e" | "E") ["+" | "-"] digit+]`."""
        at = self.pos
        token = lexicon.number(self.text, at)
        if token is None:
            raise self.error("an expression is missing", at, expected="an expression")
        self.pos = token.end()
        form = lexicon.number_form(token[0])
        if form is None:
            raise self.error(
                "this is not a number",
                at,
                expected="a number such as 15, 1.5 or 1e3",
                found=f'"{token[0][:40]}"',
                remedy='write versions and addresses as text, in quotes (")',
            )
        if len(token[0]) > _LONGEST_NUMBER or abs(int(form[1] or 0)) > _LARGEST_EXPONENT:
            raise self.error("the number is too large", at, expected=f"at most {_LONGEST_NUMBER} digits", found="more")
        value = Decimal(token[0])
        return Literal(exact_number(value), at)
