"""What data sources and variables leave unknown, and the lines of the contract that make it known."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from infraspec.checks.managed_documents import statements_of
from infraspec.errors import InfraspecError
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.known_data import data_source_key
from infraspec.terraform.plan import Plan
from infraspec.unknown import MissingVariable, OtherStack, Sensitive, Unknown, UnreadData, sources, unknowns

_PLACEHOLDERS = {
    "ids": '["…"]',
    "names": '["…"]',
    "outputs": "{ … }",
    "policy": """'{"Version": "2012-10-17", "Statement": […]}'""",
    "assume_role_policy": """'{"Version": "2012-10-17", "Statement": […]}'""",
}
_WANTED = {"aws_iam_policy.arn": "policy", "aws_iam_role.arn": "assume_role_policy"}
"""What decides where a resource names a policy or a role: its documents, not its ARN."""


class UnknownData(Struct, frozen=True):
    """An attribute of a data source that is not known; `uses` resources depend on it."""

    key: str
    uses: int

    @property
    def line(self) -> str:
        """The line to put in `[known]`."""
        return f'"{self.key}" = {_PLACEHOLDERS.get(self.key.rpartition(".")[2], chr(34) + "…" + chr(34))}'


def unknown_data(plan: Plan) -> list[UnknownData]:
    """Return the attributes of data sources that resources depend on and that are not known, most used first.

    Data sources that answer from the account, the region, their own configuration or a snapshot are not among them, nor
    are those of AWS's own policies whose content infraspec has.
    """
    uses: dict[str, set[str]] = {}
    told, attributes = _told(plan), AwsAttributes(plan)
    for address, unknown in _unknowns(plan):
        if isinstance(attributes.narrow(unknown), str):
            continue
        for each in sources(unknown):
            match each.cause:
                case UnreadData(read, attribute) | OtherStack(read, attribute):
                    source = data_source_key(read)
                case _:
                    continue
            if source not in told:
                type_ = source.split(".")[-2]
                wanted = _WANTED.get(f"{type_}.{attribute}", attribute)
                uses.setdefault(f"{source}.{wanted}", set()).add(address)
    found = [UnknownData(key, len(addresses)) for key, addresses in uses.items()]
    return sorted(found, key=lambda each: (-each.uses, each.key))


def _told(plan: Plan) -> set[str]:
    """Return the data sources, without their keys, all instances of which are policies of AWS that are known."""
    of_policies = plan.data("aws_iam_policy")
    others = {data_source_key(each.address) for each in of_policies if statements_of(each) is None}
    return {data_source_key(each.address) for each in of_policies} - others


def unknown_variables(plan: Plan) -> list[tuple[str, int]]:
    """Return the root variables without a value that resources depend on, with how many do, most used first."""
    uses: dict[str, set[str]] = {}
    for address, unknown in _unknowns(plan):
        for each in sources(unknown):
            if isinstance(each.cause, MissingVariable) and not each.cause.module:
                uses.setdefault(each.cause.name, set()).add(address)
    return sorted(((name, len(addresses)) for name, addresses in uses.items()), key=lambda each: (-each[1], each[0]))


def _unknowns(plan: Plan) -> Iterator[tuple[str, Unknown]]:
    """Yield the unknowns of every resource with its address; an attribute that has no value is passed over."""
    for resource in plan.resources:
        for attribute in resource.values:
            try:
                found = list(unknowns(resource.values[attribute]))
            except InfraspecError:
                continue
            yield from ((resource.address, unknown) for unknown in found if not isinstance(unknown, Sensitive))
