"""Expressions: conditionals, operations and terms.

The docstring of each method is its production of the grammar: HCL Native Syntax Specification, "Expressions".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from infraspec.hcl import ast, lexer
from infraspec.hcl.lexer import IN_LINE, MAX_CHAIN, Mode
from infraspec.hcl.templates import StringParser

ATTRIBUTE_SPLAT: Final = ".*"
FULL_SPLAT: Final = "[*]"
"""The step `[*]`, and the iterator's name for its element where a splat stands inside a splat: no identifier is so."""


class TraversalParser(StringParser):
    """The productions of traversals: HCL Native Syntax Specification, "Index Operator" to "Splat Operators"."""

    def traversal(self, node: ast.Expression) -> ast.Expression:
        """Parse `traversal = step*`."""
        for _ in range(MAX_CHAIN):
            step = self._step()
            if step is None:
                return node
            if step == FULL_SPLAT:
                return self._full_splat(node)
            node = self._attribute_splat(node) if step == ATTRIBUTE_SPLAT else apply(node, step)
        raise self.too_deep()

    def _step(self) -> str | ast.Expression | None:
        """Parse `step = "." identifier | "." digit+ | ".*" | "[*]" | "[" expression "]"`.

        Return a name, an index, ATTRIBUTE_SPLAT or FULL_SPLAT, or None if what follows is no step.
        """
        character = self.look()
        if character == ".":
            if found := lexer.attribute_step(self.text, self.ahead):
                self.pos = found.end()
                return found[1]
            return self._unusual_step()
        return self._index() if character == "[" else None

    def _index(self) -> str | ast.Expression:
        self.pos = self.ahead
        if found := lexer.full_splat(self.text, self.pos):
            self.pos = found.end()
            self.take("]", "the splat is not closed")
            return FULL_SPLAT
        mode = self.open()
        key = self.expression()
        self.take("]", "the index is not closed")
        self.close(mode)
        return key

    def _unusual_step(self) -> str | ast.Expression | None:
        """Parse a step whose dot is followed by blanks, `*` or digits: the form of an index in old configurations."""
        if self.text.startswith("...", self.ahead):
            return None
        self.pos = self.ahead + 1
        character = self.look()
        self.pos = self.ahead
        if found := lexer.identifier(self.text, self.pos):
            self.pos = found.end()
            return found[0]
        if character == "*":
            self.pos += 1
            return ATTRIBUTE_SPLAT
        if found := lexer.legacy_index(self.text, self.pos):
            self.pos = found.end()
            return ast.Literal(int(found[0]), found.start())
        if not character.isdecimal():
            raise self.error("no-attribute", self.pos)
        return self.number()

    def _attribute_splat(self, target: ast.Expression) -> ast.Splat:
        """Parse `attributeSplat = ".*" ("." identifier | "." digit+)*`; what follows applies to the result."""
        steps: list[str | ast.Expression] = []
        while self.look() == ".":
            step = self._step()
            if step is None:
                break
            if step == ATTRIBUTE_SPLAT:
                raise self.error("splat-in-splat", self.ahead)
            steps.append(step)
        return ast.Splat(target, full=False, steps=tuple(steps), at=target.at)

    def _full_splat(self, target: ast.Expression) -> ast.Expression:
        """Parse `fullSplat = "[*]" step*`; all steps apply to each element.

        A splat among the steps makes a tuple of tuples, which no steps of Splat can say. It becomes
        `[for each in target[*] : each…]`, with FULL_SPLAT as the iterator's name.
        """
        steps: list[str | ast.Expression] = []
        for _ in range(MAX_CHAIN):
            step = self._step()
            if step is None:
                return ast.Splat(target, full=True, steps=tuple(steps), at=target.at)
            if step in (ATTRIBUTE_SPLAT, FULL_SPLAT):
                return self._nested_splat(target, steps, full=step == FULL_SPLAT)
            steps.append(step)
        raise self.too_deep()

    def _nested_splat(self, target: ast.Expression, steps: list[str | ast.Expression], *, full: bool) -> ast.ForTuple:
        element: ast.Expression = ast.Name(FULL_SPLAT, target.at)
        for step in steps:
            element = apply(element, step)
        self.enter()
        result = self._full_splat(element) if full else self.traversal(self._attribute_splat(element))
        self.nesting -= 1
        elements = ast.Splat(target, full=True, steps=(), at=target.at)
        return ast.ForTuple(None, FULL_SPLAT, elements, result, None, target.at)


def apply(node: ast.Expression, step: str | ast.Expression) -> ast.GetAttr | ast.Index:
    """Return the node for a step after another node."""
    return ast.GetAttr(node, step, node.at) if isinstance(step, str) else ast.Index(node, step, node.at)


_KEY_GROUPS: Final = 2
"""The groups of `lexicon.object_item` before those of its value."""
_CONSTANT_NAMES: Final = {value: name for name, value in lexer.CONSTANTS.items()}


class BracketParser(TraversalParser):
    """The productions of brackets: HCL Native Syntax Specification, "Collection Values", "For Expressions"."""

    def parentheses(self) -> ast.Parentheses:
        """Parse `parentheses = "(" expression ")"`."""
        at = self.pos
        mode = self.open()
        inner = self.expression()
        self.take(")", "the parenthesis is not closed")
        self.close(mode)
        return ast.Parentheses(inner, at)

    def arguments(self, name: str, at: int) -> ast.Call:
        """Parse `arguments = "(" [expression ("," expression)* ["," | "..."]] ")"`."""
        arguments, expand = self._items(")", lexer.argument_item)
        return ast.Call(name, arguments, expand, at)

    def tuple_or_for(self) -> ast.Tuple | ast.ForTuple:
        """Parse `tuple = "[" [expression ("," expression)* [","]] "]"`."""
        at = self.pos
        if found := lexer.for_intro(self.text, at + 1):
            return self._for_tuple(at, found.end())
        items, _ = self._items("]", lexer.tuple_item)
        return ast.Tuple(items, at)

    def _items(
        self, closer: str, simple_item: Callable[[str, int], re.Match[str] | None]
    ) -> tuple[tuple[ast.Expression, ...], bool]:
        """Parse expressions up to the closing bracket; tell whether `...` follows the last one."""
        opened = self.pos
        mode = self.open()
        items: list[ast.Expression] = []
        expand = False
        while True:
            if found := simple_item(self.text, self.pos):
                group = found.lastindex or 0
                items.append(self.simple_operand(group, found[group], found.start(group)))
                self.pos = found.end()
                if self.text[self.pos - 1] == closer:
                    break
                continue
            if self.at_closer(closer, opened):
                break
            items.append(self.expression())
            character = self.look()
            if character == ",":
                self.pos = self.ahead + 1
            elif closer == ")" and self.text.startswith("...", self.ahead):
                self.pos = self.ahead + 3
                self.take(")", "an expanded argument is not the last one")
                expand = True
                break
            elif character and character != closer:
                raise self.error("no-comma", self.ahead, closer=closer)
        self.close(mode)
        return tuple(items), expand

    def object_or_for(self) -> ast.Object | ast.ForObject:
        """Parse `object = "{" [item (("," | newline) item)* ["," | newline]] "}"`."""
        at = self.pos
        if found := lexer.for_intro(self.text, at + 1):
            return self._for_object(at, found.end())
        mode = self.open()
        self.mode = IN_LINE
        items: list[tuple[ast.Expression, ast.Expression]] = []
        while item := self._object_item(at):
            items.append(item)
        self.close(mode)
        return ast.Object(tuple(items), at)

    def _object_item(self, opened: int) -> tuple[ast.Expression, ast.Expression] | None:
        """Parse `item = key expression ("," | newline)`, or the closing brace, for which None is returned."""
        found = lexer.object_item(self.text, self.pos)
        if found is None:
            self.pos = lexer.free_blank(self.text, self.pos).end()
            if self.text.startswith("}", self.pos):
                self.pos += 1
                return None
            if self.pos >= len(self.text):
                raise self.error("open-brace", opened)
            key = self._key()
        else:
            self.pos = found.end()
            at = found.start(1)
            key = ast.Literal(found[1], at) if at >= 0 else ast.Literal(found[2], found.start(2) - 1)
            group = found.lastindex or 0
            if group > _KEY_GROUPS:
                return key, self.simple_operand(group - _KEY_GROUPS, found[group], found.start(group))
        value = self.expression()
        separator = lexer.object_separator(self.text, self.pos)
        if separator:
            self.pos = separator.end()
            return key, value
        if not self.look():
            raise self.error("open-brace", opened)
        raise self.error("value-goes-on", self.ahead)

    def _key(self) -> ast.Expression:
        """Parse `key = (identifier | expression) ("=" | ":")`."""
        key = self.expression()
        character = self.look()
        if character not in ("=", ":") or self.text.startswith(("==", "=>", "::"), self.ahead):
            remedy = "in the value of an argument, write = before the brace" if character == "{" else ""
            raise self.error("key-without-value", self.ahead, remedy=remedy)
        self.pos = self.ahead + 1
        if isinstance(key, ast.Name):
            return ast.Literal(key.name, key.at)
        if isinstance(key, ast.Literal) and (key.value is None or isinstance(key.value, bool)):
            return ast.Literal(_CONSTANT_NAMES[key.value], key.at)
        return key

    def _for_tuple(self, at: int, pos: int) -> ast.ForTuple:
        """Parse `forTuple = "[" "for" names "in" expression ":" expression ["if" expression] "]"`."""
        mode, key, value, collection = self._for_head(pos)
        result = self.expression()
        condition = self._for_condition()
        self.take("]", '"for" does not end after its result')
        self.close(mode)
        return ast.ForTuple(key, value, collection, result, condition, at)

    def _for_object(self, at: int, pos: int) -> ast.ForObject:
        """Parse `forObject = "{" "for" names "in" expression ":" pair ["..."] ["if" expression] "}"`.

        A pair is `expression "=>" expression`.
        """
        mode, key, value, collection = self._for_head(pos)
        result_key = self.expression()
        self.take("=>", '"for" in braces has no value for its key')
        result = self.expression()
        self.look()
        group = self.text.startswith("...", self.ahead)
        if group:
            self.pos = self.ahead + 3
        condition = self._for_condition()
        self.take("}", '"for" does not end after its result')
        self.close(mode)
        return ast.ForObject(key, value, collection, result_key, result, group, condition, at)

    def _for_head(self, pos: int) -> tuple[Mode, str | None, str, ast.Expression]:
        """Parse `names "in" expression ":"`, from the names on."""
        mode = self.open()
        self.pos = pos
        key, value = self.iterator_names()
        collection = self.expression()
        self.take(":", '"for" has no result')
        return mode, key, value, collection

    def _for_condition(self) -> ast.Expression | None:
        found = lexer.keyword(self.text, self.pos)
        if found is None or found[1] != "if":
            return None
        self.pos = found.end()
        return self.expression()


class ExpressionParser(BracketParser):
    """The productions of expressions."""

    def expression(self) -> ast.Expression:
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
        return ast.Conditional(condition, if_true, if_false, condition.at)

    def operation(self, tightest: int) -> ast.Expression:
        """Parse `operation = term (operator term)*`, of operators that bind at least as tightly as asked for."""
        left = self.term()
        for _ in range(MAX_CHAIN):
            found = lexer.binary_operator(self.text, self.ahead)
            if found is None:
                return left
            precedence = lexer.PRECEDENCE[found[0]]
            if precedence < tightest:
                return left
            self.pos = found.end()
            left = ast.Binary(found[0], left, self.operation(precedence + 1), left.at)
        raise self.too_deep()

    def term(self) -> ast.Expression:
        """Parse `term = (number | name | call | template | parentheses | tuple | object | unary) traversal`."""
        character = self.look()
        self.pos = self.ahead
        parse = _TERMS.get(character)
        node = parse(self) if parse else self.name_or_call()
        if self.look() in (".", "["):
            return self.traversal(node)
        return node

    def unary(self) -> ast.Unary:
        """Parse `unary = ("-" | "!") term`."""
        at = self.pos
        self.pos += 1
        self.enter()
        operand = self.term()
        self.nesting -= 1
        return ast.Unary(self.text[at], operand, at)

    def name_or_call(self) -> ast.Expression:
        """Parse `name = identifier ("." identifier)*`, `call = identifier ("::" identifier)* arguments`."""
        at = self.pos
        found = lexer.traversal(self.text, at)
        if found is None:
            raise self.error("no-expression", at)
        self.pos = found.end()
        character = self.look()
        if character not in ("(", ":") or "." in found[0]:
            return self.names(found[0], at)
        name = found[0] + self._namespaced()
        if self.text.startswith("(", self.ahead):
            self.pos = self.ahead
            return self.arguments(name, at)
        if name != found[0]:
            raise self.error("no-arguments", self.ahead)
        return self.names(name, at)

    def _namespaced(self) -> str:
        name = ""
        while self.text.startswith("::", self.ahead):
            self.pos = self.ahead + 2
            self.look()
            found = lexer.identifier(self.text, self.ahead)
            if found is None:
                raise self.error("no-function", self.ahead)
            self.pos = found.end()
            self.look()
            name += f"::{found[0]}"
        return name


_TERMS: Final[dict[str, Callable[[ExpressionParser], ast.Expression]]] = {
    '"': ExpressionParser.quoted,
    "<": ExpressionParser.heredoc,
    "(": ExpressionParser.parentheses,
    "[": ExpressionParser.tuple_or_for,
    "{": ExpressionParser.object_or_for,
    "-": ExpressionParser.unary,
    "!": ExpressionParser.unary,
    **dict.fromkeys("0123456789", ExpressionParser.number),
}
