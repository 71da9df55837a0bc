"""Traversals: attributes, indexes and splats after a term."""

from __future__ import annotations

from typing import Final

from infraspec.hcl import lexicon
from infraspec.hcl.cursor import MAX_CHAIN
from infraspec.hcl.nodes import Expression, ForTuple, GetAttr, Index, Literal, Name, Splat
from infraspec.hcl.strings import StringParser

ATTRIBUTE_SPLAT: Final = ".*"
FULL_SPLAT: Final = "[*]"
"""The step `[*]`, and the iterator's name for its element where a splat stands inside a splat: no identifier is so."""


class TraversalParser(StringParser):
    """The productions of traversals: HCL Native Syntax Specification, "Index Operator" to "Splat Operators"."""

    def traversal(self, node: Expression) -> Expression:
        """Parse `traversal = step*`."""
        for _ in range(MAX_CHAIN):
            step = self._step()
            if step is None:
                return node
            if step == FULL_SPLAT:
                return self._full_splat(node)
            node = self._attribute_splat(node) if step == ATTRIBUTE_SPLAT else apply(node, step)
        raise self.too_deep()

    def _step(self) -> str | Expression | None:
        """Parse `step = "." identifier | "." digit+ | ".*" | "[*]" | "[" expression "]"`.

        Return a name, an index, ATTRIBUTE_SPLAT or FULL_SPLAT, or None if what follows is no step.
        """
        character = self.look()
        if character == ".":
            if found := lexicon.attribute_step(self.text, self.ahead):
                self.pos = found.end()
                return found[1]
            return self._unusual_step()
        return self._index() if character == "[" else None

    def _index(self) -> str | Expression:
        self.pos = self.ahead
        if found := lexicon.full_splat(self.text, self.pos):
            self.pos = found.end()
            self.take("]", "the splat is not closed")
            return FULL_SPLAT
        mode = self.open()
        key = self.expression()
        self.take("]", "the index is not closed")
        self.close(mode)
        return key

    def _unusual_step(self) -> str | Expression | None:
        """Parse a step whose dot is followed by blanks, `*` or digits: the form of an index in old configurations."""
        if self.text.startswith("...", self.ahead):
            return None
        self.pos = self.ahead + 1
        character = self.look()
        self.pos = self.ahead
        if found := lexicon.identifier(self.text, self.pos):
            self.pos = found.end()
            return found[0]
        if character == "*":
            self.pos += 1
            return ATTRIBUTE_SPLAT
        if found := lexicon.legacy_index(self.text, self.pos):
            self.pos = found.end()
            return Literal(int(found[0]), found.start())
        if not character.isdecimal():
            raise self.error("the dot is not followed by a name", self.pos, expected="an attribute name")
        return self.number()

    def _attribute_splat(self, target: Expression) -> Splat:
        """Parse `attributeSplat = ".*" ("." identifier | "." digit+)*`; what follows applies to the result."""
        steps: list[str | Expression] = []
        while self.look() == ".":
            step = self._step()
            if step is None:
                break
            if step == ATTRIBUTE_SPLAT:
                raise self.error(
                    "a splat stands inside another", self.ahead, expected="an attribute name", found='".*"'
                )
            steps.append(step)
        return Splat(target, full=False, steps=tuple(steps), at=target.at)

    def _full_splat(self, target: Expression) -> Expression:
        """Parse `fullSplat = "[*]" step*`; all steps apply to each element.

        A splat among the steps makes a tuple of tuples, which no steps of Splat can say. It becomes
        `[for each in target[*] : each…]`, with FULL_SPLAT as the iterator's name.
        """
        steps: list[str | Expression] = []
        for _ in range(MAX_CHAIN):
            step = self._step()
            if step is None:
                return Splat(target, full=True, steps=tuple(steps), at=target.at)
            if step in (ATTRIBUTE_SPLAT, FULL_SPLAT):
                return self._nested_splat(target, steps, full=step == FULL_SPLAT)
            steps.append(step)
        raise self.too_deep()

    def _nested_splat(self, target: Expression, steps: list[str | Expression], *, full: bool) -> ForTuple:
        element: Expression = Name(FULL_SPLAT, target.at)
        for step in steps:
            element = apply(element, step)
        self.enter()
        result = self._full_splat(element) if full else self.traversal(self._attribute_splat(element))
        self.nesting -= 1
        elements = Splat(target, full=True, steps=(), at=target.at)
        return ForTuple(None, FULL_SPLAT, elements, result, None, target.at)


def apply(node: Expression, step: str | Expression) -> GetAttr | Index:
    """Return the node for a step after another node."""
    return GetAttr(node, step, node.at) if isinstance(step, str) else Index(node, step, node.at)
