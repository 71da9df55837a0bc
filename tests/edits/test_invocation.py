"""Edits of what calls what get the verdict of `invoke-access` that AWS's documentation gives them, in every layout.

data/invocation.json has the wirings, each with what it takes to be let in. An edit is written for a kind of target and
is made of every wiring to it: each pair is judged in one layout, which a seed chooses as for the edits of a service.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from infraspec.checks.invocation.invoke_access import check_invoke_access
from infraspec.contract.models import Contract
from infraspec.terraform.provider.known_data import KnownData
from tests.edits.test_edits import RANK, SEED
from tests.edits.trees import DATA, Body, Json, Layout, Tree, allow, policy
from tests.edits.writer import written
from tests.terraform.sources import plan_of


class Wired(Struct, frozen=True, forbid_unknown_fields=True):
    """One wiring: `source` is what the service sends, `like` a pattern of it; `other` and `foreign` are not.

    `account` tells whether AWS documents that the service sends the account, `invoked` that a caller of an API names
    the function by the ARN to invoke it.
    """

    name: str
    to: str
    service: str
    source: str
    like: str
    other: str
    nodes: dict[str, tuple[str, Body]]
    foreign: str = ""
    account: bool = False
    invoked: bool = False


class Trees(Struct, frozen=True, forbid_unknown_fields=True):
    """What data/invocation.json has."""

    facts: dict[str, str]
    layouts: tuple[Layout, ...]
    nodes: dict[str, dict[str, tuple[str, Body]]]
    wirings: tuple[Wired, ...]


TREES = msgspec.json.decode((DATA / "invocation.json").read_bytes(), type=Trees)


class Calls(Tree):
    """A caller, its target, and the gate of the target: its permission or policy."""

    def __init__(self, wired: Wired, layout: Layout) -> None:
        self.layout, self.wired = layout, wired
        target = "@target.invoke_arn" if wired.invoked else "@target.arn"
        service = {"queue": "sqs", "topic": "sns", "function": "lambda:function"}[wired.to]
        given = {
            "service": wired.service, "source": wired.source, "like": wired.like, "other": wired.other,
            "foreign": wired.foreign, "target": target, "aws_key": f"alias/aws/{service}",
            "arn": f"arn:<partition>:{service}:<region>:<account>:<{wired.to}>",
        }  # fmt: skip
        self.facts = {**TREES.facts, **layout.facts, **given}
        self.nodes = {**copy.deepcopy(wired.nodes), **copy.deepcopy(TREES.nodes[wired.to])}
        self.documents = {"gate": policy(self.statement())}
        self.provider: list[str] = []
        self.more: list[str] = []

    def statement(self, **fields: Json) -> Json:
        """Return the statement that lets the caller in, with other fields."""
        action = "sqs:SendMessage" if self.wired.to == "queue" else "sns:Publish"
        usual = {"Principal": {"Service": "<service>"}, "Condition": {"ArnLike": {"aws:SourceArn": "<source>"}}}
        fields = {**allow(action, "@target.arn"), **usual, **fields}
        return {name: value for name, value in fields.items() if value is not None}

    def statements(self, *all_: Json) -> None:
        """Replace the statements of the gate's policy."""
        self.documents["gate"] = policy(*all_)

    def gate(self, **arguments: Json) -> None:
        """Replace arguments of the permission; None takes one out."""
        body = {**self.nodes["gate"][1], **arguments}
        self.nodes["gate"] = self.nodes["gate"][0], {name: value for name, value in body.items() if value is not None}

    def calls(self, target: str) -> None:
        """Let the caller name its target otherwise."""
        self.facts["target"] = target

    def encrypt(self, *all_: Json, **key: Json) -> None:
        """Encrypt the target with a key of its own, whose policy has statements, or is the default one."""
        body: Body = {"description": "messages", **key}
        if all_:
            root = {"Effect": "Allow", "Principal": {"AWS": "<root>"}, "Action": "kms:*", "Resource": "*"}
            self.documents["key"] = policy(root, *all_)
            body["policy"] = "doc:key"
        self.nodes = {"key": ("aws_kms_key", body), **self.nodes}
        self.nodes["target"][1]["kms_master_key_id"] = "@key.arn"


def key_statement(action: Json, **fields: Json) -> Json:
    """Return a statement of a key's policy that lets the service use it."""
    return {**allow(action), "Principal": {"Service": "<service>"}, **fields}


Change = Callable[[Calls], None]
USE = ["kms:GenerateDataKey*", "kms:Decrypt"]
OTHER = {"Service": "batch.amazonaws.com"}


def _nothing(_tree: Calls) -> None:
    """Leave a tree as it is."""


def _of_function() -> Iterator[tuple[str, str, Change]]:
    """Yield the edits of a function's permission: verdicts, name, change."""
    yield "P", "as it is", _nothing
    yield "P", "no source", lambda tree: tree.gate(source_arn=None)
    yield "P", "a source with a wildcard", lambda tree: tree.gate(source_arn=tree.wired.like)
    yield "P", "the function by its ARN", lambda tree: tree.gate(function_name="@target.arn")
    yield "P", "the function by its name as text", lambda tree: tree.gate(function_name="<function>")
    partial = "<account>:function:<function>"
    yield "P", "the function by a part of its ARN", lambda tree: tree.gate(function_name=partial)
    whole = f"arn:<partition>:lambda:<region>:{partial}"
    yield "P", "the function by its ARN as text", lambda tree: tree.gate(function_name=whole)
    yield "P", "all actions", lambda tree: tree.gate(action="lambda:*")
    yield "P", "everybody with the source", lambda tree: tree.gate(principal="*")
    yield "P", "one permission more, of another service", _another(principal="batch.amazonaws.com")
    yield "P", "one permission more, of another source", _another(source_arn="<other>")
    yield "P", "an alias with its permission", _alias(qualifier="live")
    yield "P", "an alias by reference", _alias(qualifier="@live.name")
    yield "P", "an alias by its ARN", _alias(function_name="@live.arn")
    yield "P", "a version with its permission", _of_version
    yield "A", "the account beside the source", lambda tree: tree.gate(source_account="<account>")
    yield "A", "the account without the source", lambda tree: tree.gate(source_arn=None, source_account="<account>")
    yield "V", "no permission", _ungated
    yield "V", "another service", lambda tree: tree.gate(principal="batch.amazonaws.com")
    yield "V", "an account for a principal", lambda tree: tree.gate(principal="<account>")
    yield "V", "a role for a principal", lambda tree: tree.gate(principal="arn:<partition>:iam::<account>:role/caller")
    yield "V", "another source", lambda tree: tree.gate(source_arn="<other>")
    yield "V", "a source of another account", lambda tree: tree.gate(source_arn="<foreign>")
    yield "V", "another account", lambda tree: tree.gate(source_account="<other_account>")
    yield (
        "V",
        "another account without a source",
        lambda tree: tree.gate(source_arn=None, source_account="<other_account>"),
    )
    yield "V", "another action", lambda tree: tree.gate(action="lambda:GetFunction")
    yield "V", "the action of URLs", lambda tree: tree.gate(action="lambda:InvokeFunctionUrl")
    yield "V", "another function", _another_function
    yield "V", "another function by name", lambda tree: tree.gate(function_name="<function>-2")
    yield (
        "V",
        "a function of another account",
        lambda tree: tree.gate(function_name="arn:<partition>:lambda:<region>:<other_account>:function:<function>"),
    )
    yield "V", "a qualifier that the caller does not name", lambda tree: tree.gate(qualifier="live")
    yield "V", "a qualifier in the name", lambda tree: tree.gate(function_name="<function>:live")
    yield "V", "an alias without a permission", _alias()
    yield "V", "an alias with that of another", _alias(qualifier="next")
    skill = {"event_source_token": "amzn1.ask.skill.1"}
    yield "V", "a token that the service does not send", lambda tree: tree.gate(**skill)
    yield "V", "an organization", lambda tree: tree.gate(principal_org_id="o-1234567890")
    yield "U", "a source that is not known", _unknown("source_arn")
    yield "U", "a function that is not known", _unknown("function_name")
    yield "U", "a principal that is not known", _unknown("principal")
    yield "U", "perhaps no permission", _perhaps
    yield "U", "a function of another stack", _function_elsewhere
    yield "P", "no permission, and no caller", _uncalled


def _alias(**arguments: Json) -> Change:
    """Let the caller call an alias, for which the permission has arguments of its own."""

    def change(tree: Calls) -> None:
        body = {"name": "live", "function_name": "@target.function_name", "function_version": "@target.version"}
        tree.nodes["live"] = "aws_lambda_alias", body
        tree.calls("@live.invoke_arn" if tree.wired.invoked else "@live.arn")
        tree.gate(**arguments)

    return change


def _ungated(tree: Calls) -> None:
    del tree.nodes["gate"]


def _another(**arguments: Json) -> Change:
    def change(tree: Calls) -> None:
        type_, body = tree.nodes["gate"]
        tree.nodes["more"] = type_, {**body, **arguments}

    return change


def _another_function(tree: Calls) -> None:
    type_, body = tree.nodes["target"]
    tree.nodes["second"] = type_, {**body, "function_name": "<function>-2"}
    tree.gate(function_name="@second.function_name")


def _of_version(tree: Calls) -> None:
    tree.calls("@target.qualified_invoke_arn" if tree.wired.invoked else "@target.qualified_arn")
    tree.gate(qualifier="@target.version")


def _unknown(argument: str) -> Change:
    def change(tree: Calls) -> None:
        tree.nodes["given"] = "random_pet", {"length": 2}
        tree.gate(**{argument: "@given.id"})

    return change


def _perhaps(tree: Calls) -> None:
    tree.nodes["given"] = "random_integer", {"min": 0, "max": 1}
    tree.gate(count="@given.result")


def _function_elsewhere(tree: Calls) -> None:
    del tree.nodes["gate"]
    tree.nodes["target"] = "data.aws_lambda_function", {"function_name": "<function>"}


def _uncalled(tree: Calls) -> None:
    for node in ("gate", "caller", "route"):
        tree.nodes.pop(node, None)


def _of_policy() -> Iterator[tuple[str, str, Change]]:
    """Yield the edits of the policy, and of the key, of a queue or topic."""
    says = _says
    yield "P", "as it is", _nothing
    for name, condition in (
        ("no condition", None),
        ("ArnEquals", {"ArnEquals": {"aws:SourceArn": "<source>"}}),
        ("StringEquals", {"StringEquals": {"aws:SourceArn": "<source>"}}),
        ("StringLike with a wildcard", {"StringLike": {"aws:SourceArn": "<like>"}}),
        ("ArnLike with a wildcard", {"ArnLike": {"AWS:SourceArn": "<like>"}}),
        ("one of two sources", {"ArnLike": {"aws:SourceArn": ["<other>", "<source>"]}}),
        ("over TLS", {"Bool": {"aws:SecureTransport": "true"}}),
    ):
        yield "P", name, says(Condition=condition)
    yield "P", "everybody with the source", says(Principal="*")
    yield "P", "everybody of AWS with the source", says(Principal={"AWS": "*"})
    yield "P", "one of two services", says(Principal={"Service": ["<service>", "batch.amazonaws.com"]})
    yield "P", "all resources", says(Resource="*")
    yield "P", "the target by its ARN as text", says(Resource="<arn>")
    yield "P", "one statement more", _more({**allow("*", "@target.arn"), "Principal": {"AWS": "<root>"}})
    yield "P", "a deny of another service", _more({**_deny(), "Principal": OTHER})
    plain = {**_deny(), "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    yield "P", "a deny without TLS", _more(plain)
    yield "P", "a deny of everybody who is no service", _more({
        **_deny(), "Principal": "*", "Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}},
    })  # fmt: skip
    yield "P", "the policy in the target itself", _inside
    yield (
        "A",
        "the account beside the source",
        says(Condition={"ArnLike": {"aws:SourceArn": "<source>"}, "StringEquals": {"aws:SourceAccount": "<account>"}}),
    )
    yield "V", "no policy", _ungated
    yield "V", "another service", says(Principal=OTHER)
    yield "V", "the account", says(Principal={"AWS": "<root>"}, Condition=None)
    yield "V", "another source", says(Condition={"ArnLike": {"aws:SourceArn": "<other>"}})
    yield "V", "a source of another account", says(Condition={"ArnEquals": {"aws:SourceArn": "<foreign>"}})
    yield "V", "another account", says(Condition={"StringEquals": {"aws:SourceAccount": "<other_account>"}})
    yield (
        "V",
        "wildcards that StringEquals does not take",
        says(Condition={"StringEquals": {"aws:SourceArn": "<like>"}}),
    )
    yield "V", "another action", says(Action=["sqs:ReceiveMessage", "sns:Subscribe"])
    yield "V", "another target", says(Resource="<arn>-2")
    yield "V", "what is beneath the target", says(Resource="@target.arn/*")
    organization = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    yield "V", "an organization", says(Condition=organization)
    role = {"ArnLike": {"aws:PrincipalArn": "arn:<partition>:iam::<account>:role/*"}}
    yield "V", "a role of the caller", says(Condition=role)
    yield "V", "a deny of everybody", _more({**_deny(), "Principal": "*"})
    yield "V", "a deny of the service", _more({**_deny(), "Principal": {"Service": "<service>"}})
    other = {"ArnNotLike": {"aws:SourceArn": "<other>"}}
    yield "V", "a deny of all sources but another", _more({**_deny(), "Principal": "*", "Condition": other})
    # The key
    yield "P", "a key with the service", lambda tree: tree.encrypt(key_statement(USE))
    yield "P", "a key with the service, for all", lambda tree: tree.encrypt(key_statement("kms:*"))
    yield "P", "a key with one statement for each action", lambda tree: tree.encrypt(*map(key_statement, USE))
    yield (
        "P",
        "a key with several services",
        lambda tree: tree.encrypt(key_statement(USE, Principal={"Service": ["<service>", "batch.amazonaws.com"]})),
    )
    yield "P", "a key that turns", lambda tree: tree.encrypt(key_statement(USE), enable_key_rotation=True)
    yield "V", "a key with its default policy", lambda tree: tree.encrypt()
    yield "V", "a key with another service", lambda tree: tree.encrypt(key_statement(USE, Principal=OTHER))
    yield "V", "a key to decrypt alone", lambda tree: tree.encrypt(key_statement("kms:Decrypt"))
    yield "V", "a key to encrypt alone", lambda tree: tree.encrypt(key_statement("kms:GenerateDataKey"))
    yield "V", "a key that denies", lambda tree: tree.encrypt(key_statement(USE), key_statement(USE, Effect="Deny"))
    yield "V", "a key that is not enabled", lambda tree: tree.encrypt(key_statement(USE), is_enabled=False)
    yield "V", "the key of AWS", _with_key("<aws_key>")
    yield "U", "a key of another stack", _with_key("arn:<partition>:kms:<region>:<account>:key/1234abcd")


def _says(**fields: Json) -> Change:
    return lambda tree: tree.statements(tree.statement(**fields))


def _more(statement: Json) -> Change:
    return lambda tree: tree.documents["gate"]["Statement"].append(statement)


def _deny() -> Json:
    return {**allow("*", "@target.arn"), "Effect": "Deny"}


def _inside(tree: Calls) -> None:
    del tree.nodes["gate"]
    tree.statements(tree.statement(Resource="<arn>", Condition={"ArnLike": {"aws:SourceArn": "<like>"}}))
    tree.nodes["target"][1]["policy"] = "doc:gate"


def _with_key(name: str) -> Change:
    return lambda tree: tree.nodes["target"][1].update(kms_master_key_id=name)


EDITS = {"function": list(_of_function()), "queue": list(_of_policy())}
EDITS["topic"] = EDITS["queue"]
_VERDICTS = {"P": "proven", "V": "violated", "U": "undetermined"}


def pairs() -> Iterator[tuple[Wired, str, str, Change]]:
    """Yield each wiring with each edit that makes sense of it."""
    for wired in TREES.wirings:
        for letters, name, change in EDITS[wired.to]:
            if wired.foreign or "of another account" not in name or "function" in name:
                yield wired, letters, name, change


def judged(wired: Wired, change: Change, layout: Layout, directory: Path) -> tuple[str, str]:
    """Return the worst verdict of the rule on an edited tree, and what it says."""
    tree = Calls(wired, layout)
    change(tree)
    _fill(tree)
    facts = tree.facts
    place = {"account_id": facts["account"], "region": facts["region"]}
    contract = Contract.model_validate({"project": {"application": "edits"}, "environments": {"prod": place}})
    known = KnownData.of({}, account=facts["account"], region=facts["region"], partition=facts["partition"])
    found = check_invoke_access(plan_of(directory, written(tree), known=known), contract, "prod")
    worst = max((finding.verdict.value for finding in found), key=RANK.index, default=RANK[0])
    return worst, "\n".join(map(str, found))


_REFERRING = re.compile(r"<(source|other|foreign|like|target)>")


def _fill(tree: Calls) -> None:
    """Put the facts that hold references where they stand, before the references are written."""

    def filled(value: Json) -> Json:
        match value:
            case str():
                return _REFERRING.sub(lambda found: tree.facts[found[1]], value)
            case dict():
                return {name: filled(item) for name, item in value.items()}
            case list():
                return [filled(item) for item in value]
            case _:
                return value

    tree.nodes = {name: (type_, filled(body)) for name, (type_, body) in tree.nodes.items()}
    tree.documents = filled(tree.documents)


def layouts(wired: Wired, name: str) -> list[Layout]:
    """Return the layouts in which an edit of a wiring is judged."""
    if SEED == "all":
        return list(TREES.layouts)
    number = int.from_bytes(hashlib.sha256(f"{SEED} {wired.name} {name}".encode()).digest()[:4])
    return [TREES.layouts[number % len(TREES.layouts)]]


@pytest.mark.parametrize("wired", TREES.wirings, ids=lambda wired: wired.name)
def test_edits(wired: Wired, tmp_path: Path) -> None:
    """Every edit has the verdict that the documentation gives it, whatever is wired and however it is written."""
    wrong = []
    for number, (_, letters, name, change) in enumerate(pair for pair in pairs() if pair[0] is wired):
        expected = letters.replace("A", "P" if wired.account else "PU")
        for layout in layouts(wired, name):
            verdict, told = judged(wired, change, layout, tmp_path / f"{number}{layout.name}")
            if verdict not in {_VERDICTS[letter] for letter in expected}:
                wrong.append(f"{wired.name}: {name} ({layout.name}): expected {expected}, said {verdict}\n{told}")
    assert wrong == [], "\n\n".join(wrong)


def test_the_table_is_balanced() -> None:
    """There are 120 edits and more of wirings, about half of them harmless, and none is twice in the table."""
    all_ = list(pairs())
    assert len({(wired.name, name) for wired, _, name, _ in all_}) == len(all_)
    assert len(all_) >= 120
    assert 0.4 <= sum(letters in {"P", "A"} for _, letters, _, _ in all_) / len(all_) <= 0.6


@pytest.mark.parametrize("wired", TREES.wirings, ids=lambda wired: wired.name)
def test_the_fix_of_a_finding_lets_the_caller_in(wired: Wired, tmp_path: Path) -> None:
    """What is missing wholly is a block to paste, and with it nothing is found any more."""
    layout = TREES.layouts[0]
    _, told = judged(wired, _ungated, layout, tmp_path / "before")
    fix = told.split("fix:")[1].rstrip()
    block = "\n".join(line.removeprefix(" " * 17) for line in fix.strip().splitlines())

    def repaired(tree: Calls) -> None:
        _ungated(tree)
        tree.more.append(block)

    assert "proven" == judged(wired, repaired, layout, tmp_path / "after")[0], block
