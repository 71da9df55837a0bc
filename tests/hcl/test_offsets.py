"""Where nodes are: offsets that lead to the right place of the text."""

from typing import Any

import pytest

from infraspec.hcl.ast import Attribute, Node
from infraspec.hcl.json_syntax import parse_json
from infraspec.hcl.parser import parse, parse_expression


def _nodes(value: Any) -> list[Node]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        return [node for item in value for node in _nodes(item)]
    if not isinstance(value, Node):
        return []
    return [value, *(node for name in value.__struct_fields__ for node in _nodes(getattr(value, name)))]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a.b[0]", ["Index a.b[0]", "GetAttr a.b[0]", "Name a.b[0]", "Literal 0]"]),
        (' "x" ', ['Literal "x" ']),
        ("( -a )", ["Parentheses ( -a )", "Unary -a )", "Name a )"]),
        ("1 + b", ["Binary 1 + b", "Literal 1 + b", "Name b"]),
        ('"p ${ a }"', ['Template "p ${ a }"', 'Interpolation ${ a }"', 'Name a }"']),
        ('"${~ a ~}"', ['Template "${~ a ~}"', 'Interpolation ${~ a ~}"', 'Name a ~}"']),
        ('"%{ if a }x%{ endif }"', ['Template "%{ if', "TemplateIf %{ if a", "Name a }x"]),
        ("[ 'x'"[:1] + ' "x", y ]', ['Tuple [ "x"', 'Literal "x", y', "Name y ]"]),
        ('{ "k" = v }', ['Object { "k"', 'Literal "k" =', "Name v }"]),
        ("{ k = 1 }", ["Object { k", "Literal k = 1", "Literal 1 }"]),
        ("f( x )", ["Call f( x )", "Name x )"]),
        ("a ? b : c", ["Conditional a ? b", "Name a ? b", "Name b : c", "Name c"]),
        ("[for x in y : x]", ["ForTuple [for x", "Name y : x", "Name x]"]),
        ("a.*.b[0]", ["Index a.*.b", "Splat a.*.b", "Name a.*.b", "Literal 0]"]),
        ("a[ * ].b", ["Splat a[ * ]", "Name a[ * ]"]),
        ("<<E\n x ${a}\nE\n", ["Template <<E", "Interpolation ${a}", "Name a}"]),
    ],
)
def test_node_begins_at_its_first_character(text: str, places: list[str]) -> None:
    """The offset of a node is that of its first character, that of an operation or traversal its first operand's."""
    nodes = _nodes(parse_expression(text, "f"))

    assert len(places) == len(nodes)
    for node, place in zip(nodes, places, strict=True):
        kind, begin = place.split(" ", 1)
        assert kind == type(node).__name__
        assert text[node.at :].startswith(begin)  # type: ignore[attr-defined] # every kind of expression has it


def test_arguments_and_blocks_end_after_their_last_character() -> None:
    """From `at` to `end` is the whole argument or block, without blanks, comments and newline after it."""
    source = '# c\na  =  1 # d\nb "x" { c = [\n2\n]  }\n\nd = <<E\ne\n  E  \nf = "g"\nh = i.j\nk = (l)  \n'
    body = parse(source, "f").body

    assert {
        "a": "a  =  1",
        "d": "d = <<E\ne\n  E",
        "f": 'f = "g"',
        "h": "h = i.j",
        "k": "k = (l)",
    } == {name: source[item.at : item.end] for name, item in body.attributes.items()}
    (block,) = body.blocks
    assert 'b "x" { c = [\n2\n]  }' == source[block.at : block.end]
    inner = block.body.attributes["c"]
    assert "c = [\n2\n]" == source[inner.at : inner.end]


def test_places_count_lines_and_characters() -> None:
    """Lines and columns count from 1, a character outside ASCII as one, a byte order mark not at all."""
    file = parse('\ufeffé = "日本"\r\n\r\nb {\r\n\t名 = x\r\n}\r\n', "f")
    inner = file.body.blocks[0].body.attributes["名"]

    assert ["f:1:1", "f:1:5", "f:3:1", "f:4:2", "f:4:6"] == [
        file.source.place(at)
        for at in (
            file.body.attributes["é"].at,
            _at(file.body.attributes["é"]),
            file.body.blocks[0].at,
            inner.at,
            _at(inner),
        )
    ]


def _at(attribute: Attribute) -> int:
    return attribute.expression.at


def test_json_values_have_places_in_the_json_text() -> None:
    """A value of JSON, and a reference inside its text, has the line and column of the JSON file."""
    file = parse_json('{\n  "locals": {\n    "a": "x ${b.c}",\n    "d": [1]\n  }\n}\n', "f.tf.json")
    attributes = file.body.blocks[0].body.attributes
    places = [file.source.place(node.at) for node in _nodes(attributes["a"].expression)]  # type: ignore[attr-defined]

    assert "f.tf.json:2:3" == file.source.place(file.body.blocks[0].at)
    assert ["f.tf.json:3:11", "f.tf.json:3:13", "f.tf.json:3:15", "f.tf.json:3:15"] == places
    assert ["f.tf.json:4:5", "f.tf.json:4:10"] == [
        file.source.place(attributes["d"].at),
        file.source.place(attributes["d"].expression.at),
    ]
