"""`infraspec simulate`: cases in, decisions out, and errors that say where."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infraspec.cli import main

READ = "secretsmanager:GetSecretValue"
DB = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": READ, "Resource": "*"}]}
CASE: dict[str, Any] = {
    "id": "read",
    "policies": [ALLOW],
    "request": {
        "principal": "arn:aws:sts::111122223333:assumed-role/app/1", "action": READ, "resource": DB,
        "resourceAccount": "111122223333", "context": {},
    },
}  # fmt: skip


def changed(**changes: Any) -> dict[str, Any]:
    """Return the case with other layers."""
    return {**CASE, **changes}


def simulate(*lines: str | dict[str, Any]) -> Result:
    """Run the command over the lines, given on standard input."""
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return CliRunner().invoke(main, ["simulate", "--cases", "-"], input=text)


CONDITION = {"StringEquals": {"aws:PrincipalTag/team": "core"}}
DENY = {"Statement": {"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*"}}
BROAD = {"Statement": {"Effect": "Allow", "Action": READ, "Resource": "arn:aws:secretsmanager:*:secret:db-*"}}


@pytest.mark.parametrize(
    ("case", "decision", "why"),
    [
        (CASE, "Allowed", "allowed by policies[0] Statement.0"),
        (
            changed(policies=[{"name": "app", "policy": ALLOW}, DENY]),
            "ExplicitlyDenied",
            "denied by policies[1] Statement (No): an explicit deny wins over every allow",
        ),
        (changed(policies=[]), "ImplicitlyDenied", "no statement allows it"),
        (
            changed(policies=[{"Statement": [{**ALLOW["Statement"][0], "Condition": CONDITION}]}]),  # type: ignore[dict-item]
            "ImplicitlyDenied",
            'policies[0] Statement.0: its Condition StringEquals aws:PrincipalTag/team "core" does not hold',
        ),
        (
            changed(boundary={"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}),
            "ImplicitlyDenied",
            "permissions boundary does not allow what the identity policies allow",
        ),
        (
            changed(scps=[[]], boundary={"Statement": []}),
            "ImplicitlyDenied",
            "permissions boundary and service control policies do not allow what the identity policies allow",
        ),
        (changed(policies=[BROAD]), "Undetermined", "AWS does not document whether"),
        (
            changed(policies=[DENY], request={**CASE["request"], "action": "sts:GetCallerIdentity", "resource": "*"}),
            "Allowed",
            "sts:GetCallerIdentity needs no permission",
        ),
    ],
)
def test_decisions(case: dict[str, Any], decision: str, why: str) -> None:
    """Each case gives one line with its id, the decision and the reason."""
    result = simulate(case, "", case)
    assert 0 == result.exit_code, result.output
    first, second = map(json.loads, result.stdout.splitlines())
    assert ("read", decision, first) == (first["id"], first["decision"], second)
    assert why in first["why"]


MALFORMED = [
    ("{", "<stdin>:2: $: the line is not JSON", "CaseError"),
    ("[]", "<stdin>:2: $: the case does not match the schema", "CaseError"),
    ('{"id": "\udcff"}'.encode("utf-8", "surrogateescape").decode("latin-1"), "<stdin>:2: $:", "CaseError"),
    ("[" * 5000, "<stdin>:2: $:", "CaseError"),
    (changed(policy=[]), "Object contains unknown field `policy`", "CaseError"),
    ({"id": "x"}, "Object missing required field `request`", "CaseError"),
    (changed(request={**CASE["request"], "action": 5}), "<stdin>:2: $.request.action:", "CaseError"),
    (changed(request={**CASE["request"], "context": {"k": {}}}), "<stdin>:2: $.request.context[...]:", "CaseError"),
    (changed(policies=[ALLOW, {"Statement": [{}]}]), "<stdin>:2: $.policies[1].Statement.0:", "PolicyError"),
    (changed(boundary={"name": "b", "policy": "{"}), "<stdin>:2: $.boundary.policy:", "PolicyError"),
    (changed(scps=[[], [{"Statement": "x"}]]), "<stdin>:2: $.scps[1][0].Statement:", "PolicyError"),
    (changed(resourcePolicy=ALLOW), "<stdin>:2: $.resourcePolicy.Statement.0:", "PolicyError"),
    (changed(scps=[ALLOW]), "<stdin>:2: $.scps[0]:", "CaseError"),
]


@pytest.mark.parametrize(("line", "message", "name"), MALFORMED, ids=map(str, range(len(MALFORMED))))
def test_malformed_lines_say_where(line: str | dict[str, Any], message: str, name: str) -> None:
    """A line that is no case is a named error with its number and JSON path, exit code 2, and no decision."""
    result = simulate(CASE, line)
    assert (2, "") == (result.exit_code, result.stdout)
    assert isinstance(result.exception, SystemExit)
    assert name in result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_all_errors_are_reported() -> None:
    """Every malformed line is reported, in order."""
    result = simulate("{", CASE, changed(policies=[{}]), "[]")
    assert ["1", "3", "4"] == re.findall(r"^<stdin>:(\d+): ", result.stderr, re.MULTILINE)


def test_files(tmp_path: Path) -> None:
    """A file is read by name, which stands in errors; one that is not there is an error with exit code 2."""
    file = tmp_path / "cases.jsonl"
    file.write_text("{", encoding="utf-8")
    result = CliRunner().invoke(main, ["simulate", "--cases", str(file)])
    assert (2, True) == (result.exit_code, f"{file}:1: $" in result.stderr)
    absent = CliRunner().invoke(main, ["simulate", "--cases", str(tmp_path / "absent")])
    assert (2, True) == (absent.exit_code, "absent" in absent.stderr)


def test_help_shows_a_case_that_runs() -> None:
    """The case of the help text is one that can be decided."""
    text = CliRunner().invoke(main, ["simulate", "--help"]).stdout
    shown = text[text.index('{"id": "read",\n') : text.index("policies        the")]
    result = simulate(shown.replace("\n", " ").replace("[[{…}], [{…}]]", "null"))
    assert '{"id":"read","decision":"Allowed","why":"allowed by policies[0] Statement.0"}\n' == result.stdout


def test_text() -> None:
    """Text is a table of id, decision and why, plain in a pipe."""
    lines = "\n".join(json.dumps(case) for case in (CASE, changed(id="read-nothing", policies=[])))
    ran = CliRunner().invoke(main, ["simulate", "--cases", "-", "--format", "text"], input=lines)

    assert ran.exit_code == 0
    assert ran.output.splitlines() == [
        "read          Allowed           allowed by policies[0] Statement.0",
        "read-nothing  ImplicitlyDenied  no statement allows it",
    ]
