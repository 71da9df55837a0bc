"""Which feature of a task definition needs which permission, of which role: each row with the AWS document it is from.

The rows are data, in access_table.json; `docs/access.md` shows them. Which resource each action is asked for is worked
out by the modules that use a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct, field

EXECUTION, TASK = "execution", "task"


class Source(Struct, frozen=True):
    """An AWS document, by its title."""

    title: str
    url: str

    def __str__(self) -> str:
        return self.title


class Access(Struct, frozen=True, forbid_unknown_fields=True):
    """One row: a feature, the role that needs the actions, and the resource as a policy names it.

    `certain` is false where the feature works without the permission under a condition that no plan shows; `note` then
    says which. What such a row asks for is never VIOLATED. The actions of a row that `is_one_statement` are of use only
    together: those that are missing are one finding, with one statement to add.

    A row of trust says in `principal` which service assumes the role, in `named_by` which resource type names it and
    where, in `beside` what else has to be in that block. What such a role needs are the rows of the same `role` with a
    `target`, an ARN whose parts in braces are looked up in the blocks around the role, and that has `where` in it;
    `keys` are the condition keys of the request, filled alike. In a row of FireLens, of one of the `outputs`, these are
    the options of the log driver.

    `when` has what has to stand beside for the row to hold: a pattern by its path, an empty one where nothing may.
    `each` is the path of blocks, or of the states of a definition, for each of which the row is asked. A row that
    `reads` is about a secret or parameter of that ARN, with its key, the second action being that of a parameter; one
    that is `declared` holds where the contract names the role among the readers of the secret; one that is `unless`
    where the plan has no resource of that ARN. One that is `intended` by an action is certain where a policy of the
    role names that action; elsewhere it holds for that action alone, in doubt. `purpose` says what it is for where the
    target does not. `subnets` is where the network of the workload is named, where its own code makes the request.
    """

    feature: str
    role: str
    actions: tuple[str, ...]
    resource: str
    source: Source
    note: str = ""
    certain: bool = True
    is_one_statement: bool = False
    principal: str = ""
    named_by: str = ""
    beside: str = ""
    target: str = ""
    where: str = ""
    outputs: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    when: Mapping[str, str] = field(default_factory=dict)
    each: str = ""
    reads: bool = False
    declared: bool = False
    unless: str = ""
    intended: str = ""
    purpose: str = ""
    subnets: str = ""


class RoleRows(Struct, frozen=True):
    """The row of trust of a role that something names, and the rows of what such a role needs.

    `covers` has what the rows are about: a pattern by the path of what says what the role is used for. Of a value
    that does not match nothing is known.
    """

    trust: Access
    needs: tuple[Access, ...]
    covers: Mapping[str, str] = field(default_factory=dict)


def _rows() -> Mapping[str, Access]:
    """Read the rows; the file has the address of each document once, by its title."""
    tree = msgspec.json.decode(Path(__file__).with_name("access_table.json").read_bytes())
    documents = {title: Source(title, url) for title, url in tree["sources"].items()}
    named = {name: {**row, "source": documents[row["source"]]} for name, row in tree["rows"].items()}
    return msgspec.convert(named, dict[str, Access])


ROWS = _rows()
"""Every row by its name, in the order of the documentation."""

NAMED_ROLES = tuple(
    RoleRows(trust, tuple(row for row in ROWS.values() if row.target and row.role == trust.role))
    for trust in ROWS.values()
    if trust.named_by
)
"""The roles that services, capacity providers and Express Mode name."""
