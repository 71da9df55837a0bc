"""A small service in ECS with all that it needs, as a tree that edits change and that is then written in a layout.

data/trees.json has its documents and nodes, which are resources and data sources. How these are named, spread over
modules, instantiated and written down is the layout's. In all values `@role.arn` is an attribute of a node, wherever it
is used, and `<account>` a fact of the layout. data/edits.json has the edits, a row each.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

Json = Any
Body = dict[str, Json]
"""Arguments of a block: `= text` is an HCL expression, `doc:name` a document, a list of objects are nested blocks."""

DATA = Path(__file__).parent / "data"
REFERENCE = re.compile(r"@([a-z_]+)\.([a-z_]+)")
_FACT = re.compile(r"<([a-z_]+)>")
_BY_TEXT = {
    "@secret.arn": "<secrets><secret>-??????",
    "@parameter.arn": "arn:<partition>:ssm:<region>:<account>:parameter<parameter>",
}


class Layout(Struct, frozen=True, forbid_unknown_fields=True):
    """How a tree is written.

    `form` is that of its documents: jsonencode, data, heredoc, template or local. `modules` has the nodes of each
    module, `each` the key of those with for_each (a number is a count). `grant` is how the role has its policy, by_text
    whether it names what it reads by ARNs written out.
    """

    name: str
    form: str
    facts: dict[str, str]
    grant: str = "inline"
    by_text: bool = False
    modules: dict[str, tuple[str, ...]] = {}
    each: dict[str, str | int] = {}
    module_each: dict[str, str] = {}
    label: str = "{}"


class Trees(Struct, frozen=True, forbid_unknown_fields=True):
    """What data/trees.json has; a layout's facts go over `facts`."""

    documents: dict[str, Json]
    nodes: dict[str, tuple[str, Body]]
    facts: dict[str, str]
    layouts: tuple[Layout, ...]


TREES = msgspec.json.decode((DATA / "trees.json").read_bytes(), type=Trees)
LAYOUTS = TREES.layouts


def policy(*statements: Json) -> Json:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Json, resource: Json = "*") -> Json:
    """Return a statement that allows something."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}


class Tree:
    """The service: key, secret, parameter, log group, repository, two roles, task definition, cluster and network."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.facts = {**TREES.facts, **layout.facts}
        self.documents, self.nodes = copy.deepcopy((TREES.documents, TREES.nodes))
        self.provider: list[str] = []
        """Further lines of the provider's block."""
        self.more: list[str] = []
        """Further blocks of the root module."""
        if layout.by_text:
            for statement in self.documents["policy"]["Statement"]:
                statement["Resource"] = _BY_TEXT.get(statement["Resource"], statement["Resource"])
        grant(self, layout.grant)

    def filled(self, text: str) -> str:
        """Return a text with the facts of the layout in it; `upper_role` is the fact `role` in upper case."""
        while _FACT.search(text):
            text = _FACT.sub(lambda found: self._fact(found[1]), text)
        return text

    def _fact(self, name: str) -> str:
        kind, _, rest = name.partition("_")
        return self.filled(f"<{rest}>").upper() if kind == "upper" else self.facts[name]


# What an edit is made of: the first word of a change, and what follows it


def at(tree: Tree, document: str, index: int, fields: Json, *without: str) -> None:
    """Replace fields of a statement of a document, and take others out."""
    _change(tree.documents[document]["Statement"][index], fields, without)


def top(tree: Tree, document: str, fields: Json, *without: str) -> None:
    """Replace elements of a document, and take others out."""
    _change(tree.documents[document], fields, without)


def put(tree: Tree, node: str, arguments: Body, *without: str) -> None:
    """Replace arguments of a node, and take others out."""
    _change(tree.nodes[node][1], arguments, without)


def _change(tree: dict[str, Json], fields: Json, without: tuple[str, ...]) -> None:
    tree.update(copy.deepcopy(fields))
    for name in without:
        del tree[name.removeprefix("-")]


def add(tree: Tree, document: str, *statements: Json) -> None:
    """Add statements to a document."""
    tree.documents[document]["Statement"].extend(copy.deepcopy(statements))


def pad(tree: Tree, document: str, count: int) -> None:
    """Add a statement about so many buckets to a document."""
    add(tree, document, allow("s3:GetObject", [f"arn:<partition>:s3:::files-{number:04}/*" for number in range(count)]))


def cut(tree: Tree, document: str, index: int) -> None:
    """Take a statement out of a document."""
    del tree.documents[document]["Statement"][index]


def document(tree: Tree, name: str, value: Json) -> None:
    """Replace a document, or make one."""
    tree.documents[name] = copy.deepcopy(value)


def statements(tree: Tree, name: str, *all_: Json) -> None:
    """Replace all statements of a document."""
    document(tree, name, policy(*all_))


def drop(tree: Tree, *nodes: str) -> None:
    """Take nodes out."""
    for node in nodes:
        del tree.nodes[node]


def new(tree: Tree, node: str, type_: str, body: Body) -> None:
    """Add a node to the root module; the type of a data source begins with `data.`."""
    tree.nodes[node] = type_, copy.deepcopy(body)


def holds(tree: Tree, node: str, type_: str, body: Body, *all_: Json) -> None:
    """Add a node with a policy of its own."""
    statements(tree, node, *all_)
    new(tree, node, type_, {"policy": f"doc:{node}", **body})


def grant(tree: Tree, how: str) -> None:
    """Give the role its policy: `inline`, or as a customer managed policy that is `attached`."""
    tree.nodes.pop("policy", None)
    body = {"name": "<policy>", "policy": "doc:policy"}
    if how == "inline":
        new(tree, "grant", "aws_iam_role_policy", {**body, "role": "@role.name"})
        return
    new(tree, "policy", "aws_iam_policy", {**body, "path": "<policy_path>"})
    new(tree, "grant", "aws_iam_role_policy_attachment", {"role": "@role.name", "policy_arn": "@policy.arn"})


def attach(tree: Tree, arn: str) -> None:
    """Attach another managed policy to the execution role."""
    new(tree, "other", "aws_iam_role_policy_attachment", {"role": "@role.name", "policy_arn": arn})


def container(tree: Tree, fields: Json) -> None:
    """Replace fields of the container definition."""
    tree.documents["containers"][0].update(copy.deepcopy(fields))


def log(tree: Tree, options: dict[str, str]) -> None:
    """Replace options of the log driver."""
    tree.documents["containers"][0]["logConfiguration"]["options"].update(options)


def secret(tree: Tree, index: int, value: str) -> None:
    """Let the container have a secret, or parameter, from elsewhere."""
    tree.documents["containers"][0]["secrets"][index]["valueFrom"] = value


def default_tags(tree: Tree, *tags: str) -> None:
    """Give the provider default tags."""
    tree.provider += ["  default_tags {", "    tags = {", *tags, "    }", "  }"]


def block(tree: Tree, text: str) -> None:
    """Write a block into the root module."""
    tree.more.append(text)


def kms_grant(tree: Tree, body: Body) -> None:
    """Make a grant of the key, and take the statement for the key away."""
    cut(tree, "policy", 2)
    given = {"key_id": "@key.key_id", "grantee_principal": "@role.arn", "operations": ["Decrypt"]}
    new(tree, "given", "aws_kms_grant", {**given, **body})


def secret_policy(tree: Tree, *all_: Json) -> None:
    """Give the secret a policy."""
    holds(tree, "shared", "aws_secretsmanager_secret_policy", {"secret_arn": "@secret.arn"}, *all_)


def boundary(tree: Tree, role: str, *all_: Json) -> None:
    """Give a role a permissions boundary of the plan."""
    holds(tree, "limit", "aws_iam_policy", {"name": "<family>-limit"}, *all_)
    put(tree, role, {"permissions_boundary": "@limit.arn"})


def organization(tree: Tree, type_: str, target: str, *all_: Json) -> None:
    """Make a policy of the organization, by its account, and attach it to a target, if there is one."""
    held_by = {"provider": "= aws.organization"}
    statements(tree, "control", *all_)
    body = {"name": "<family>", "type": type_, "content": "doc:control", **held_by}
    new(tree, "control", "aws_organizations_policy", body)
    if target:
        attached = {"policy_id": "@control.id", "target_id": target, **held_by}
        new(tree, "control_at", "aws_organizations_policy_attachment", attached)
    block(tree, 'provider "aws" {\n  alias  = "organization"\n  region = "<region>"\n}')


def endpoint(tree: Tree, body: Body, *all_: Json) -> None:
    """Make an interface endpoint of Secrets Manager in the VPC of the service."""
    usual = {
        "vpc_id": "@vpc.id",
        "service_name": "com.amazonaws.<region>.secretsmanager",
        "vpc_endpoint_type": "Interface",
        "private_dns_enabled": True,
        "subnet_ids": ["@subnet.id"],
    }
    holds(tree, "gate", "aws_vpc_endpoint", {**usual, **body}, *all_)


def env_file(tree: Tree, key: str, named: str) -> None:
    """Make an object in a bucket, and let the container read an environment file of the bucket."""
    arn = "arn:<partition>:s3:::<container>-files-<account>"
    new(tree, "bucket", "aws_s3_bucket", {"bucket": "<container>-files-<account>"})
    new(tree, "object", "aws_s3_object", {"bucket": "@bucket.id", "key": key, "content": "A=1"})
    container(tree, {"environmentFiles": [{"type": "s3", "value": f"{arn}/{named}"}]})
    add(tree, "policy", allow("s3:GetObject", f"{arn}/*"), allow("s3:GetBucketLocation", arn))


def infra(tree: Tree, service: str, managed: str, *all_: Json) -> None:
    """Make a role that a service assumes, with a policy of AWS, or of its own, if there is one."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    statements(tree, "infra_trust", statement)
    new(tree, "infra", "aws_iam_role", {"name": "<family>-infra", "assume_role_policy": "doc:infra_trust"})
    if all_:
        holds(tree, "infra_grant", "aws_iam_role_policy", {"role": "@infra.name"}, *all_)
    if managed:
        attached = {"role": "@infra.name", "policy_arn": f"<aws_policy>{managed}"}
        new(tree, "infra_grant", "aws_iam_role_policy_attachment", attached)


def routed(tree: Tree, options: dict[str, str]) -> None:
    """Send the container's log through FireLens."""
    containers = tree.documents["containers"]
    router = {
        "name": "router",
        "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:3.0.0",
        "essential": True,
        "firelensConfiguration": {"type": "fluentbit"},
        "logConfiguration": containers[0]["logConfiguration"],
    }
    container(tree, {"logConfiguration": {"logDriver": "awsfirelens", "options": {"region": "<region>", **options}}})
    containers.append(router)


def mounted(tree: Tree, *all_: Json) -> None:
    """Mount a file system with IAM authorization, which has a policy if there are statements."""
    volume = {
        "file_system_id": "@files.id",
        "transit_encryption": "ENABLED",
        "authorization_config": [{"iam": "ENABLED"}],
    }
    new(tree, "files", "aws_efs_file_system", {"creation_token": "<family>"})
    put(tree, "task", {"volume": [{"name": "files", "efs_volume_configuration": [volume]}]})
    container(tree, {"mountPoints": [{"sourceVolume": "files", "containerPath": "/files"}]})
    if all_:
        holds(tree, "files_policy", "aws_efs_file_system_policy", {"file_system_id": "@files.id"}, *all_)


VERBS: Mapping[str, Callable[..., None]] = {
    verb.__name__: verb
    for verb in (
        *(at, top, put, add, pad, cut, document, statements, drop, new, holds, grant, attach, container, log, secret),
        *(
            default_tags,
            block,
            kms_grant,
            secret_policy,
            boundary,
            organization,
            endpoint,
            env_file,
            infra,
            routed,
            mounted,
        ),
    )
}


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """Edits that one document of AWS or Terraform decides: verdict, name, and changes; `rule` has to object as well."""

    dimension: str
    source: str
    edits: list[list[Json]]
    rule: str = ""


class _Edits(Struct, frozen=True, forbid_unknown_fields=True):
    features: dict[str, list[list[Json]]]
    tables: list[Table]


_LETTERS = {"P": "proven", "V": "violated", "U": "undetermined"}


class Edit(Struct, frozen=True):
    """Changes of a tree, and the verdicts of the whole that are right after them.

    A harmful one makes `rule` object, beside any other; it makes no sense in the layouts of `skip`.
    """

    dimension: str
    name: str
    changes: list[list[Json]]
    expected: frozenset[str]
    source: str
    rule: str
    skip: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, verdict: str, name: str, *changes: list[Json]) -> Edit:
        """Read a row: `VU but modules` is violated or undetermined, in all layouts but one."""
        letters, _, skip = verdict.partition(" but ")
        expected = frozenset(_LETTERS[letter] for letter in letters)
        rule = "" if "P" in letters else table.rule
        return cls(table.dimension, name, list(changes), expected, table.source, rule, tuple(skip.split()))

    def make(self, tree: Tree) -> None:
        """Change a tree."""
        for change in self.changes:
            for verb, *arguments in _EDITS.features[change[1]] if change[0] == "use" else [change]:
                VERBS[verb](tree, *arguments)

    def __str__(self) -> str:
        return f"{self.dimension}: {self.name}"


_EDITS = msgspec.json.decode((DATA / "edits.json").read_bytes(), type=_Edits)
EDITS = [Edit.of(table, *row) for table in _EDITS.tables for row in table.edits]
