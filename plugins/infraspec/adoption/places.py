"""The AWS account and region of an environment, as far as the repository says them.

An account that is not true would prove what does not hold. So one is taken only from where it can mean nothing else;
one that merely occurs, in an ARN, is a hint for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from infraspec.adoption.roots import Root, constant
from infraspec.adoption.variable_files import VariableFile
from infraspec.hcl.nodes import Literal, Tuple
from infraspec.terraform.body import Body

_ACCOUNT_NAME = re.compile(r"^(aws_?)?account(_?(id|number))?$|^aws_account", re.IGNORECASE)
_REGION_NAME = re.compile(r"^(aws_?)?(default_?)?region$", re.IGNORECASE)
_ACCOUNT = re.compile(r"^\d{12}$")
_REGION = re.compile(r"^[a-z]{2,4}(-[a-z]+)+-\d$")
_ARN_ACCOUNT = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(\d{12}):")


class Place(Struct, frozen=True):
    """A value and where it was found; `certain` if it can mean nothing else."""

    value: str
    source: str
    certain: bool = True


def account_of(root: Root, files: Sequence[VariableFile]) -> Place | None:
    """Return the account that a root is deployed to: of variables named so, the provider, or else of its ARNs."""
    for name, value, source in (*_of_files(files), *_of_configuration(root)):
        if _ACCOUNT_NAME.search(name) and _ACCOUNT.match(value):
            return Place(value, source)
    for value in _of_provider(root):
        if _ACCOUNT.match(value):
            return Place(value, "the provider block")
    seen = {found for text in root.texts() for found in _ARN_ACCOUNT.findall(text)}
    return (
        Place(seen.pop(), "the only account in the ARNs of the root module", certain=False) if len(seen) == 1 else None
    )


def region_of(root: Root, files: Sequence[VariableFile], workflow_regions: Iterable[str]) -> Place | None:
    """Return the region that the provider of a root takes from outside: of variables, or of the only one in CI."""
    for name, value, source in (*_of_files(files), *_of_configuration(root)):
        if _REGION_NAME.search(name) and _REGION.match(value):
            return Place(value, source)
    regions = sorted(set(workflow_regions))
    return Place(regions[0], "AWS_REGION of the workflows") if len(regions) == 1 else None


def workflow_regions(texts: Iterable[str]) -> list[str]:
    """Return the values of AWS_REGION, AWS_DEFAULT_REGION and aws-region in the text of workflows."""
    pattern = re.compile(r"(?:AWS_(?:DEFAULT_)?REGION|aws-region)[\"']?\s*[:=]\s*[\"']?([a-z]{2,4}(?:-[a-z]+)+-\d)\b")
    return [found for text in texts for found in pattern.findall(text)]


def _of_files(files: Sequence[VariableFile]) -> Iterator[tuple[str, str, str]]:
    for file in reversed(files):
        yield from ((name, value, f"{name} in {file.path}") for name, value in file.constants.items())


def _of_configuration(root: Root) -> Iterator[tuple[str, str, str]]:
    for name, body in root.configuration.variables.items():
        value = constant(body, "default")
        if isinstance(value, str):
            yield name, value, f"the default of var.{name}"
    for name, (attribute, _) in root.configuration.locals.items():
        if isinstance(attribute.expression, Literal) and isinstance(attribute.expression.value, str):
            yield name, attribute.expression.value, f"local.{name}"


def _of_provider(root: Root) -> Iterator[str]:
    provider = root.configuration.providers.get("aws")
    if provider is None:
        return
    allowed = provider.attributes.get("allowed_account_ids")
    if allowed and isinstance(allowed[0].expression, Tuple) and len(allowed[0].expression.items) == 1:
        item = allowed[0].expression.items[0]
        yield str(item.value) if isinstance(item, Literal) else ""
    for position, (block, _) in enumerate(provider.blocks):
        if block.type == "assume_role":
            yield from _ARN_ACCOUNT.findall(_text(provider.inner(position), "role_arn"))


def _text(body: Body, name: str) -> str:
    value = constant(body, name)
    return value if isinstance(value, str) else ""
