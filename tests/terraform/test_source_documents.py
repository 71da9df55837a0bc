"""Policy documents are the JSON that the provider makes of them; what is not known stands in its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import EvaluationError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, is_known
from infraspec.terraform.provider.policy_document import SourceDocument, render_document
from tests.terraform.sources import output_of

CASES = json.loads((Path(__file__).parent / "data" / "policy_documents.json").read_text(encoding="utf-8"))
ARN = Unknown("aws_sqs_queue.main.arn")
SOURCE = """
data "aws_iam_policy_document" "d" {
%s
}
output "value" {
  value = data.aws_iam_policy_document.d.%s
}
"""


def rendered(directory: Path, case: dict[str, Any], attribute: str = "json") -> Value:
    """Return the document of a case."""
    return output_of(directory, SOURCE % ("\n".join(case["document"]), attribute))


@pytest.mark.parametrize("case", [case for case in CASES if "json" in case], ids=lambda case: case["name"])
def test_document(tmp_path: Path, case: dict[str, Any]) -> None:
    """A document is written with two blanks of indentation, keys and elements in the provider's order."""
    expected = json.dumps(case["json"], indent=2, ensure_ascii=False)
    for character in "<>&":
        expected = expected.replace(character, f"\\u{ord(character):04x}")

    assert rendered(tmp_path, case) == expected


@pytest.mark.parametrize("case", [case for case in CASES if "error" in case], ids=lambda case: case["name"])
def test_document_that_the_provider_refuses(tmp_path: Path, case: dict[str, Any]) -> None:
    """What the provider refuses, or does not survive, is an error at its place."""
    with pytest.raises(EvaluationError) as caught:
        rendered(tmp_path, case)

    assert case["error"] in caught.value.message
    assert "main.tf:2" in caught.value.place


def test_minified_document(tmp_path: Path) -> None:
    """`minified_json` is the same without blanks."""
    case = next(case for case in CASES if case["name"] == "angle brackets")

    text = rendered(tmp_path, case, "minified_json")
    assert text.startswith('{"Version":"2012-10-17","Statement":[{"Sid":"A",')
    assert r'"Resource":"\u003ca\u003e\u0026b"' in text
    assert json.loads(text) == case["json"]


def statements(**values: Value) -> list[Value]:
    """Return the statements of a document with unknown parts."""
    document = render_document(values)
    assert isinstance(document, JsonText)
    tree = document.tree
    assert isinstance(tree["Statement"], list)
    return tree["Statement"]


def of(*parts: dict[str, Value]) -> Value:
    """Return the JSON text of a document of some statements."""
    tree = {"Statement": [*parts]}
    return json.dumps(tree) if is_known(tree) else JsonText(tree)


READ = {"sid": "Read", "actions": ["a:Get"], "resources": [ARN]}
READ_TREE = {"Sid": "Read", "Effect": "Allow", "Action": "a:Get", "Resource": ARN}


def test_unknown_parts_stand_in_their_place() -> None:
    """An unknown ARN, condition, principal or list leaves the rest of its statement known."""
    block = {
        "effect": "Deny",
        "actions": Unknown("var.actions"),
        "resources": ["b", ARN, Text((ARN, "/&{aws:username}"))],
        "principals": [{"type": "AWS", "identifiers": Unknown("var.roles")}],
        "condition": [{"test": "StringEquals", "variable": "a", "values": Unknown("var.values")}],
    }

    assert statements(statement=[block]) == [
        {
            "Effect": "Deny",
            "Action": Unknown("var.actions"),
            "Resource": ["b", ARN, Text((ARN, "/${aws:username}"))],
            "Principal": {"AWS": Unknown("var.roles")},
            "Condition": {"StringEquals": {"a": Unknown("var.values")}},
        }
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"principals": Unknown("var.p")},
        {"principals": [Unknown("var.p")]},
        {"principals": [{"type": Unknown("var.p"), "identifiers": ["a"]}]},
        {"principals": [{"type": "A", "identifiers": ["a"]}, {"type": "A", "identifiers": Unknown("var.p")}]},
        {"condition": Unknown("var.c")},
        {"condition": [{"test": "A", "variable": "b", "values": ["c"]}, Unknown("var.c")]},
        {"condition": [{"test": Unknown("var.c"), "variable": "b", "values": ["c"]}]},
        {"condition": [{"test": "A", "variable": "b", "values": ["c"]}, {"test": "A", "variable": Unknown("var.c")}]},
    ],
)
def test_principals_and_conditions_that_cannot_be_told_are_unknown(block: dict[str, Value]) -> None:
    """Principals or conditions of an unknown number, type or test are unknown as a whole, never left out."""
    (statement,) = statements(statement=[{"actions": ["a:B"], **block}])

    assert isinstance(statement["Principal" if "principals" in block else "Condition"], Unknown)


def test_unknown_documents_stand_for_their_statements() -> None:
    """A source document that is not known is one unknown statement; so is one of an unknown number of blocks."""
    source = Unknown("data.http.policy.body")

    assert statements(source_policy_documents=[source], statement=[Unknown("blocks"), READ]) == [
        Unknown("statements of data.http.policy.body"),
        Unknown("blocks"),
        READ_TREE,
    ]
    assert isinstance(statements(source_policy_documents=Unknown("var.documents"))[0], Unknown)
    assert isinstance(statements(source_policy_documents=[JsonText({"Statement": Unknown("var.s")})])[0], Unknown)


def test_an_own_statement_may_take_the_place_of_an_unknown_one() -> None:
    """A statement that an unknown document may override is not known; one without sid is safe."""
    blocks = [READ, {"actions": ["a:Put"]}]
    found = statements(statement=blocks, override_policy_documents=[Unknown("var.document")])

    assert isinstance(found[0], Unknown)
    assert "perhaps overridden" in found[0].address
    assert found[1:] == [{"Effect": "Allow", "Action": "a:Put"}, Unknown("statements of var.document")]


@pytest.mark.parametrize(
    ("sid", "replaced"),
    [("Read", True), ("Write", False), (Unknown("var.sid"), None), (Text(("R", Unknown("var.sid"))), None)],
)
def test_overriding_by_sid(sid: Value, replaced: bool | None) -> None:  # noqa: FBT001 - a verdict
    """A sid that is the same replaces, one that differs does not, one that may be the same leaves it unknown."""
    override = {"Sid": sid, "Effect": "Deny", "Resource": ARN}
    found = statements(statement=[READ], override_policy_documents=[of(override)])

    if replaced:
        assert found == [override]
    else:
        assert found[1:] == [override]
        assert (found[0] == READ_TREE) is (replaced is False)


def test_version_of_unknown_documents() -> None:
    """No version is greater than that of 2012, so that an unknown one matters only beside an older one."""
    source = Unknown("var.document")
    trees = [
        render_document({"version": version, "source_policy_documents": [source]}).tree
        for version in ("2012-10-17", "2008-10-17")
    ]

    assert [tree["Version"] for tree in trees] == ["2012-10-17", Unknown("version of var.document")]


def test_a_sensitive_document_is_not_shown() -> None:
    """What a sensitive source document says is unknown."""
    document = SourceDocument.decode(Sensitive("var.document", '{"Statement": [{"Sid": "hunter2"}]}'))

    assert "hunter2" not in repr(document)
    assert [type(statement) for statement in document.statements] == [Unknown]


def test_holes_in_a_document_stay() -> None:
    """Text with an unknown part decodes to a document that holds it, in keys too."""
    text = Text(('{"Statement": [{"Effect": "Allow", "Resource": "', ARN, '", "', ARN, '": 1}]}'))
    (statement,) = SourceDocument.decode(text).statements

    assert statement == {"Effect": "Allow", "Resource": ARN, f"{ARN}": 1}
    assert SourceDocument.decode(of({"Principal": Text(("x", ARN))})).statements == [{"Principal": "*"}]


DECODED = {
    "in a value": ('"{\\"a\\": \\"x-${var.u}\\", \\"b\\": 1}"', {"a": Text(("x-", Unknown("var.u"))), "b": 1}),
    "in place of a value": ('"{\\"a\\": ${var.u}, \\"b\\": 1}"', {"a": Unknown("var.u"), "b": 1}),
    "between two values": (
        '"[\\"${var.u}\\", \\"${var.u}${var.u}\\"]"',
        [Unknown("var.u"), Text((Unknown("var.u"),) * 2)],
    ),
    "in a key": ('"{\\"a-${var.u}\\": 1, \\"b\\": 1}"', None),
    "in place of a part": ('"{${var.u} \\"b\\": 1}"', None),
    "in what jsonencode makes": ("jsonencode({ a = var.u, b = 1 })", {"a": Unknown("var.u"), "b": 1}),
}


@pytest.mark.parametrize("case", DECODED)
def test_json_keeps_its_structure_around_what_is_not_known(tmp_path: Path, case: str) -> None:
    """What is not known in it is part of the value in which it stands, and of a key or of more nothing is known."""
    text, expected = DECODED[case]
    found = output_of(tmp_path, f'variable "u" {{}}\noutput "value" {{\n  value = jsondecode({text})\n}}\n')

    assert (expected == found) if expected else isinstance(found, Unknown)
