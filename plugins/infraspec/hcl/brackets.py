"""What stands in brackets: parentheses, arguments of calls, tuples, objects and their `for` forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from infraspec.errors import HclSyntaxError
from infraspec.hcl import lexicon
from infraspec.hcl.cursor import IN_LINE
from infraspec.hcl.nodes import Call, Expression, ForObject, ForTuple, Literal, Name, Object, Parentheses, Tuple
from infraspec.hcl.traversals import TraversalParser

_KEY_GROUPS: Final = 2
"""The groups of `lexicon.object_item` before those of its value."""
_CONSTANT_NAMES: Final = {value: name for name, value in lexicon.CONSTANTS.items()}


class BracketParser(TraversalParser):
    """The productions of brackets: HCL Native Syntax Specification, "Collection Values", "For Expressions"."""

    def parentheses(self) -> Parentheses:
        """Parse `parentheses = "(" expression ")"`."""
        at = self.pos
        mode = self.open()
        inner = self.expression()
        self.take(")", "the parenthesis is not closed")
        self.close(mode)
        return Parentheses(inner, at)

    def arguments(self, name: str, at: int) -> Call:
        """Parse `arguments = "(" [expression ("," expression)* ["," | "..."]] ")"`."""
        arguments, expand = self._items(")", lexicon.argument_item)
        return Call(name, arguments, expand, at)

    def tuple_or_for(self) -> Tuple | ForTuple:
        """Parse `tuple = "[" [expression ("," expression)* [","]] "]"`."""
        at = self.pos
        if found := lexicon.for_intro(self.text, at + 1):
            return self._for_tuple(at, found.end())
        items, _ = self._items("]", lexicon.tuple_item)
        return Tuple(items, at)

    def _items(
        self, closer: str, simple_item: Callable[[str, int], re.Match[str] | None]
    ) -> tuple[tuple[Expression, ...], bool]:
        """Parse expressions up to the closing bracket; tell whether `...` follows the last one."""
        opened = self.pos
        mode = self.open()
        items: list[Expression] = []
        expand = False
        while True:
            if found := simple_item(self.text, self.pos):
                group = found.lastindex or 0
                items.append(self.simple_operand(group, found[group], found.start(group)))
                self.pos = found.end()
                if self.text[self.pos - 1] == closer:
                    break
                continue
            if self._at_closer(closer, opened):
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
                raise self.error("the comma is missing", self.ahead, expected=f'"," or "{closer}"')
        self.close(mode)
        return tuple(items), expand

    def _at_closer(self, closer: str, opened: int) -> bool:
        character = self.look()
        if not character:
            raise self.error("the bracket is not closed", opened, expected=f'"{closer}"', found="the end of the file")
        if character == closer:
            self.pos = self.ahead + 1
        return character == closer

    def object_or_for(self) -> Object | ForObject:
        """Parse `object = "{" [item (("," | newline) item)* ["," | newline]] "}"`."""
        at = self.pos
        if found := lexicon.for_intro(self.text, at + 1):
            return self._for_object(at, found.end())
        mode = self.open()
        self.mode = IN_LINE
        items: list[tuple[Expression, Expression]] = []
        while item := self._object_item(at):
            items.append(item)
        self.close(mode)
        return Object(tuple(items), at)

    def _object_item(self, opened: int) -> tuple[Expression, Expression] | None:
        """Parse `item = key expression ("," | newline)`, or the closing brace, for which None is returned."""
        found = lexicon.object_item(self.text, self.pos)
        if found is None:
            self.pos = lexicon.free_blank(self.text, self.pos).end()
            if self.text.startswith("}", self.pos):
                self.pos += 1
                return None
            if self.pos >= len(self.text):
                raise self._unclosed_brace(opened)
            key = self._key()
        else:
            self.pos = found.end()
            at = found.start(1)
            key = Literal(found[1], at) if at >= 0 else Literal(found[2], found.start(2) - 1)
            group = found.lastindex or 0
            if group > _KEY_GROUPS:
                return key, self.simple_operand(group - _KEY_GROUPS, found[group], found.start(group))
        value = self.expression()
        separator = lexicon.object_separator(self.text, self.pos)
        if separator:
            self.pos = separator.end()
            return key, value
        if not self.look():
            raise self._unclosed_brace(opened)
        raise self.error("the value does not end with its line", self.ahead, expected='a newline, "," or "}"')

    def _unclosed_brace(self, opened: int) -> HclSyntaxError:
        return self.error("the brace is not closed", opened, expected='"}"', found="the end of the file")

    def _key(self) -> Expression:
        """Parse `key = (identifier | expression) ("=" | ":")`."""
        key = self.expression()
        character = self.look()
        if character not in ("=", ":") or self.text.startswith(("==", "=>", "::"), self.ahead):
            remedy = "in the value of an argument, write = before the brace" if character == "{" else ""
            raise self.error("the key has no value", self.ahead, expected='"=" or ":"', remedy=remedy)
        self.pos = self.ahead + 1
        if isinstance(key, Name):
            return Literal(key.name, key.at)
        if isinstance(key, Literal) and (key.value is None or isinstance(key.value, bool)):
            return Literal(_CONSTANT_NAMES[key.value], key.at)
        return key

    def _for_tuple(self, at: int, pos: int) -> ForTuple:
        """Parse `forTuple = "[" "for" names "in" expression ":" expression ["if" expression] "]"`."""
        mode = self.open()
        self.pos = pos
        key, value = self.iterator_names()
        collection = self.expression()
        self.take(":", '"for" has no result')
        result = self.expression()
        condition = self._for_condition()
        self.take("]", '"for" does not end after its result')
        self.close(mode)
        return ForTuple(key, value, collection, result, condition, at)

    def _for_object(self, at: int, pos: int) -> ForObject:
        """Parse `forObject = "{" "for" names "in" expression ":" pair ["..."] ["if" expression] "}"`.

        A pair is `expression "=>" expression`.
        """
        mode = self.open()
        self.pos = pos
        key, value = self.iterator_names()
        collection = self.expression()
        self.take(":", '"for" has no result')
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
        return ForObject(key, value, collection, result_key, result, group, condition, at)

    def _for_condition(self) -> Expression | None:
        found = lexicon.keyword(self.text, self.pos)
        if found is None or found[1] != "if":
            return None
        self.pos = found.end()
        return self.expression()
