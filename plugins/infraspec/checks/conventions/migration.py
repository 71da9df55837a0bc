"""The way of existing resources to the names and tags of the contract: what becomes of each, and in which steps."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.conventions.names import name_attribute, name_by_label, naming_rules
from infraspec.checks.conventions.tags import check_tags
from infraspec.checks.plan_review.data_loss import SECRET
from infraspec.contract.models import Contract
from infraspec.conventions.hcl_lines import attribute_line
from infraspec.conventions.naming import NamingRule, read_name, renaming
from infraspec.core.finding import Location, Verdict
from infraspec.core.unknown import Text, Unknown, Value, render
from infraspec.resource_types import Renaming, resource_type
from infraspec.terraform.plan import ChangeKind, Plan, Resource


class Migration(Struct, frozen=True):
    """A resource that does not keep to a rule. `kind` is "name" or "tags"; `new` may have a `{placeholder}` to fill in.

    `line` is the HCL to write. `keeps_data` says that it holds what a replacement would lose. `moved` is the block
    that keeps the old one beside the new one, `command` what does the same to the state; empty where neither is needed.
    """

    kind: str
    type: str
    address: str
    location: Location | None
    old: str
    new: str
    how: Renaming
    line: str
    keeps_data: bool = False
    moved: str = ""
    command: str = ""
    clashes: tuple[str, ...] = ()
    """Other resources of the type that are, or are to be, of the same new name: most types take a name once."""


class MigrationPlan(Struct, frozen=True):
    """What has to change in an environment, names first.

    `certain` says that a state or a plan tells which resources exist; without, all that the source declares are
    taken to. `unjudged` are addresses whose name is not known.
    """

    environment: str
    certain: bool
    migrations: tuple[Migration, ...] = ()
    unjudged: tuple[str, ...] = ()
    judged: int = 0


def plan_migration(plan: Plan, contract: Contract, environment: str) -> MigrationPlan:
    """Work out the migration of an environment. Raises ContractError as the rules `names` and `tags` do.

    What the plan creates does not exist yet, and is left out. Of what it changes, the name before counts.
    """
    changes = {change.address: change for change in plan.changes if not change.drift and not change.deposed}
    existing = tuple(
        resource
        for resource in plan.managed()
        if resource.address not in changes or changes[resource.address].kind is not ChangeKind.CREATE
    )
    rules = naming_rules(plan, contract, environment)
    migrations: list[Migration] = []
    unjudged: list[str] = []
    taken: dict[tuple[str, str], list[str]] = {}
    for resource in existing:
        if resource.type not in contract.names.patterns:
            continue
        attribute = name_attribute(plan, contract, resource.type)
        planned = read_name(resource.type, resource.values, resource.address, attribute)
        change = changes.get(resource.address)
        before = change.before if change else {}
        old = read_name(resource.type, before, resource.address, attribute) if before else planned
        rule = rules(resource)
        verdict = rule.judge(old) if isinstance(old, str | Text | Unknown) else Verdict.VIOLATED
        if verdict is Verdict.PROVEN:
            taken[resource.type, render(old)] = [resource.address]
        elif verdict is Verdict.UNDETERMINED:
            unjudged.append(resource.address)
        else:
            new = _new_name(rule, old, planned)
            new = new or name_by_label(resource, rule, is_only=len(plan.managed(resource.type)) == 1)
            migrations.append(_rename(resource, attribute, old, new or rule.patterns[0].template()[0]))
    if contract.tags.common or contract.tags.resource:
        migrations += _tags(plan.replaced(resources=existing), contract, environment)
    certain = plan.from_plan_file or plan.origin.startswith("state ")
    told = tuple(_with_clashes(migrations, taken))
    return MigrationPlan(environment, certain, told, tuple(unjudged), len(existing))


def _with_clashes(migrations: list[Migration], taken: dict[tuple[str, str], list[str]]) -> list[Migration]:
    """Tell the names that two resources of a type would have; a name with a placeholder is not one yet."""
    for entry in migrations:
        if entry.kind == "name" and "{" not in entry.new and entry.new != "…":
            taken.setdefault((entry.type, entry.new), []).append(entry.address)
    return [
        replace(entry, clashes=tuple(a for a in taken.get((entry.type, entry.new), ()) if a != entry.address))
        for entry in migrations
    ]


def _new_name(rule: NamingRule, old: Value, planned: Value) -> str | None:
    """Return the name that the source already has, if it is a good one; else the nearest, None if none is near."""
    if isinstance(planned, str) and planned != old and rule.judge(planned) is Verdict.PROVEN:
        return planned
    return rule.suggest(old) if isinstance(old, str) else None


def _rename(resource: Resource, attribute: str, old: Value, new: str) -> Migration:
    how = renaming(resource.type, attribute)
    keeps_data = how is not Renaming.IN_PLACE and (resource_type(resource.type).stateful or resource.type == SECRET)
    prefix = f"{resource.module}." if resource.module else ""
    block = f"{prefix}{resource.type}.{resource.name}"
    moved = f"moved {{\n  from = {block}\n  to   = {block}_old\n}}" if keeps_data else ""
    command = f"terraform state mv '{block}' '{block}_old'" if keeps_data else ""
    return Migration(
        "name",
        resource.type,
        resource.address,
        resource.location_of(attribute),
        "none" if old is None else render(old),
        new,
        how,
        attribute_line(attribute, new),
        keeps_data,
        moved,
        command,
    )


def _tags(plan: Plan, contract: Contract, environment: str) -> Iterator[Migration]:
    for finding in check_tags(plan.replaced(uncertain={}), contract, environment):
        if finding.verdict is Verdict.VIOLATED:
            yield Migration(
                "tags",
                plan.by_address[finding.address].type,
                finding.address,
                finding.location,
                "; ".join(finding.found.splitlines()),
                "; ".join(finding.expected.splitlines()),
                Renaming.IN_PLACE,
                finding.remedy,
            )
