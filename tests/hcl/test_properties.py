"""What holds for every text and every tree, tried on many."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infraspec.core.errors import HclSyntaxError, InputErrorGroup
from infraspec.hcl.ast import (
    Binary,
    Call,
    Conditional,
    File,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Interpolation,
    Literal,
    Name,
    Object,
    Parentheses,
    Splat,
    Template,
    TemplateFor,
    TemplateIf,
    Tuple,
    Unary,
)
from infraspec.hcl.json_syntax import parse_json
from infraspec.hcl.parser import parse, parse_expression, parse_template
from tests.hcl.printing import write
from tests.hcl.trees import same, strip_offsets

TOKENS = (
    *"\"{}[]()=:,.?~$%#*!-+/<>&|\\;\n\r\t '`0a\u00e9\ufeff\x00",
    *("${", "%{", "//", "/*", "*/", "<<E\n", "<<-E\n", "E\n", "==", "=>", "...", "::", "\\n", "\\u00e9", "\r\n", "~}"),
    *("for ", " in ", " if ", "%{ if a }", "%{ else }", "%{ endif }", "$${", "[*]", ".*", "1.5", "e3", "true", "null"),
    *('a = "b"\n', "a = b.c\n", 'b "c" {\n', "}\n", '"a": ', "\ud800", "\U0001f600", "e\u0301"),
)
PARSERS = [parse, parse_expression, parse_template, parse_json, lambda text, name: parse_json(text, name, "variables")]
thorough = settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("parser", PARSERS)
@thorough
@given(text=st.lists(st.sampled_from(TOKENS), max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_a_tree_or_a_syntax_error(parser: Callable[[str, str], Any], text: str) -> None:
    """Whatever the text, the outcome is a tree, or errors with place, expectation and finding."""
    try:
        tree = parser(text, "f")
    except (HclSyntaxError, InputErrorGroup) as error:
        for item in error.errors if isinstance(error, InputErrorGroup) else (error,):
            assert item.place.startswith("f:")
            assert item.expected
            assert item.found
    else:
        attributes = tree.body.attributes.values() if isinstance(tree, File) else ()
        for attribute in attributes:
            assert 0 <= attribute.at < attribute.end <= len(tree.source.text)


NAMES = ["a", "b1", "var", "each", "x-y", "_z", "\u540d", "local"]
OPERATORS = ["||", "&&", "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%"]
names = st.sampled_from(NAMES)
texts = st.text(alphabet='ab "\\\n\t${}%~\u00e9\u540d\U0001f600', max_size=6)
literals = st.none() | st.booleans() | st.integers(0, 10**20) | texts | st.just(1.5)


class _Grower:
    """Grow a tree from what hypothesis draws; `depth` is how many levels it may still have."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self._draw = draw

    def expression(self, depth: int) -> Any:
        """Return any expression."""
        match self._draw(st.sampled_from(["term", "term", "unary", "binary", "conditional"])):
            case "unary":
                return Unary(self._draw(st.sampled_from("-!")), self.term(depth), 0)
            case "binary":
                return Binary(self._draw(st.sampled_from(OPERATORS)), self.term(depth), self.term(depth), 0)
            case "conditional":
                return Conditional(self.term(depth), self.term(depth), self.term(depth), 0)
        return self.term(depth)

    def term(self, depth: int) -> Any:
        """Return an expression that can be an operand."""
        if depth == 0:
            return Name(self._draw(names), 0) if self._draw(st.booleans()) else Literal(self._draw(literals), 0)
        kinds = [self._traversal, self._collection, self._for, self._call, self._template, self._parentheses]
        return self._draw(st.sampled_from(kinds))(depth - 1)

    def _parentheses(self, depth: int) -> Parentheses:
        return Parentheses(self.expression(depth), 0)

    def _target(self, depth: int) -> Any:
        return self._parentheses(depth) if self._draw(st.booleans()) else Name(self._draw(names), 0)

    def _several(self, depth: int, least: int = 0) -> tuple[Any, ...]:
        return tuple(self.expression(depth) for _ in range(self._draw(st.integers(least, 2))))

    def _traversal(self, depth: int) -> Any:
        target = self._target(depth)
        steps = tuple(self._draw(st.lists(names, max_size=2)))
        match self._draw(st.sampled_from(["attribute", "index", "attribute splat", "full splat"])):
            case "attribute":
                return GetAttr(target, self._draw(names), 0)
            case "index":
                return Index(target, self.expression(depth), 0)
            case "attribute splat":
                return Splat(target, full=False, steps=steps, at=0)
        return Splat(target, full=True, steps=(*steps, *self._several(depth)), at=0)

    def _collection(self, depth: int) -> Any:
        if self._draw(st.booleans()):
            return Tuple(self._several(depth), 0)
        keys = [self._parentheses(0) if self._draw(st.booleans()) else Literal(self._draw(names), 0) for _ in "ab"]
        return Object(tuple(zip(keys, self._several(depth), strict=False)), 0)

    def _call(self, depth: int) -> Call:
        if self._draw(st.booleans()):
            return Call(self._draw(names), self._several(depth, 1), expand=True, at=0)
        return Call(self._draw(st.sampled_from(["f", "core::max"])), self._several(depth), expand=False, at=0)

    def _for(self, depth: int) -> Any:
        key, value = self._draw(st.none() | names), self._draw(names)
        collection, result = self.expression(depth), self.expression(depth)
        condition = self.expression(depth) if self._draw(st.booleans()) else None
        if self._draw(st.booleans()):
            return ForTuple(key, value, collection, result, condition, 0)
        group = self._draw(st.booleans())
        return ForObject(key, value, collection, self.expression(depth), result, group, condition, 0)

    def _template(self, depth: int) -> Template:
        parts: list[Any] = [self._sequence(depth)]
        if self._draw(st.booleans()):
            parts.insert(self._draw(st.integers(0, 1)), self._draw(texts.filter(bool)))
        return Template((*parts, self._sequence(depth)) if self._draw(st.booleans()) else tuple(parts), 0)

    def _sequence(self, depth: int) -> Any:
        inner = Interpolation(self.expression(depth), 0)
        body = (self._draw(texts.filter(bool)), inner)
        match self._draw(st.sampled_from(["interpolation", "if", "for"])):
            case "if":
                return TemplateIf(self.expression(depth), body, body if self._draw(st.booleans()) else (), 0)
            case "for":
                return TemplateFor(self._draw(st.none() | names), self._draw(names), self.expression(depth), body, 0)
        return inner


@st.composite
def trees(draw: Callable[..., Any]) -> Any:
    """Return an expression of up to three levels."""
    return _Grower(draw).expression(draw(st.integers(0, 3)))


@thorough
@given(tree=trees())
def test_tree_written_as_text_reads_as_the_same_tree(tree: Any) -> None:
    """A tree survives being written and read: nothing in it is read as something else."""
    text = write(tree)

    assert same(tree, strip_offsets(parse_expression(text, "f"))), text


@thorough
@given(text=st.text(alphabet='ab "\\\n\t${}%~é\r', max_size=30))
def test_heredoc_keeps_its_text(text: str) -> None:
    """The text of a heredoc, its template sequences escaped, is its value to the last blank."""
    text = text.replace("\r", "\r\n") + "\n"
    escaped = "".join(f"{character}" for character in text).replace("${", "$${").replace("%{", "%%{")

    assert text == parse(f"a = <<END\n{escaped}END\n", "f").body.attributes["a"].expression.value  # type: ignore[union-attr]
