"""Expressions: conditionals, operations and terms.

The docstring of each method is its production of the grammar: HCL Native Syntax Specification, "Expressions".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from infraspec.hcl import lexicon
from infraspec.hcl.brackets import BracketParser
from infraspec.hcl.cursor import MAX_CHAIN
from infraspec.hcl.nodes import Binary, Conditional, Expression, Unary


class ExpressionParser(BracketParser):
    """The productions of expressions."""

    def expression(self) -> Expression:
        """Parse `expression = operation ["?" expression ":" expression]`."""
        if simple := self.mode[1](self.text, self.pos):
            group = simple.lastindex or 0
            self.pos = simple.end()
            return self.simple_operand(group, simple[group], simple.start(group))
        condition = self.operation(1)
        if not self.text.startswith("?", self.ahead):
            return condition
        self.pos = self.ahead + 1
        self.enter()
        if_true = self.expression()
        self.take(":", "the conditional has no second result")
        if_false = self.expression()
        self.nesting -= 1
        return Conditional(condition, if_true, if_false, condition.at)

    def operation(self, tightest: int) -> Expression:
        """Parse `operation = term (operator term)*`, of operators that bind at least as tightly as asked for."""
        left = self.term()
        for _ in range(MAX_CHAIN):
            found = lexicon.binary_operator(self.text, self.ahead)
            if found is None:
                return left
            precedence = lexicon.PRECEDENCE[found[0]]
            if precedence < tightest:
                return left
            self.pos = found.end()
            left = Binary(found[0], left, self.operation(precedence + 1), left.at)
        raise self.too_deep()

    def term(self) -> Expression:
        """Parse `term = (number | name | call | template | parentheses | tuple | object | unary) traversal`."""
        character = self.look()
        self.pos = self.ahead
        parse = _TERMS.get(character)
        node = parse(self) if parse else self.name_or_call()
        if self.look() in (".", "["):
            return self.traversal(node)
        return node

    def unary(self) -> Unary:
        """Parse `unary = ("-" | "!") term`."""
        at = self.pos
        self.pos += 1
        self.enter()
        operand = self.term()
        self.nesting -= 1
        return Unary(self.text[at], operand, at)

    def name_or_call(self) -> Expression:
        """Parse `name = identifier ("." identifier)*`, `call = identifier ("::" identifier)* arguments`."""
        at = self.pos
        found = lexicon.traversal(self.text, at)
        if found is None:
            raise self.error("an expression is missing", at, expected="an expression")
        self.pos = found.end()
        character = self.look()
        if character not in ("(", ":") or "." in found[0]:
            return self.names(found[0], at)
        name = found[0] + self._namespaced()
        if self.text.startswith("(", self.ahead):
            self.pos = self.ahead
            return self.arguments(name, at)
        if name != found[0]:
            raise self.error("the function has no arguments", self.ahead, expected='"("')
        return self.names(name, at)

    def _namespaced(self) -> str:
        name = ""
        while self.text.startswith("::", self.ahead):
            self.pos = self.ahead + 2
            self.look()
            found = lexicon.identifier(self.text, self.ahead)
            if found is None:
                raise self.error("the namespace holds no name", self.ahead, expected="the name of a function")
            self.pos = found.end()
            self.look()
            name += f"::{found[0]}"
        return name


_TERMS: Final[dict[str, Callable[[ExpressionParser], Expression]]] = {
    '"': ExpressionParser.quoted,
    "<": ExpressionParser.heredoc,
    "(": ExpressionParser.parentheses,
    "[": ExpressionParser.tuple_or_for,
    "{": ExpressionParser.object_or_for,
    "-": ExpressionParser.unary,
    "!": ExpressionParser.unary,
    **dict.fromkeys("0123456789", ExpressionParser.number),
}
