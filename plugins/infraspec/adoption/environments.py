"""The environments of a repository: by folder, by variable file or by workspace.

An account that is not true would prove what does not hold. So one is taken only from where it can mean nothing else;
one that merely occurs, in an ARN, is a hint for people.

Source: Terraform Language Documentation, "Workspaces" (`terraform.workspace`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.adoption.roots import (
    ENVIRONMENT_WORDS,
    Root,
    constant,
    environment_word,
    is_production,
    name_of_path,
    unique,
    valid_name,
)
from infraspec.adoption.variable_files import (
    VARIABLES,
    BackendFile,
    EnvironmentFile,
    FilesByRoot,
    backends_of,
    by_environment,
    files_of,
    is_partial,
    named_by,
    shared_of,
)
from infraspec.core.errors import InfraspecError
from infraspec.hcl.ast import Expression, Literal, Object, Tuple
from infraspec.hcl.files import parse_variables
from infraspec.terraform.configuration.declarations import SourceBody

_ACCOUNT_NAME = re.compile(r"^(aws_?)?account(_?(id|number))?$|^aws_account", re.IGNORECASE)
_REGION_NAME = re.compile(r"^(aws_?)?(default_?)?region$", re.IGNORECASE)
_ACCOUNT = re.compile(r"^\d{12}$")
_REGION = re.compile(r"^[a-z]{2,4}(-[a-z]+)+-\d$")
_ARN_ACCOUNT = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(\d{12}):")


class AccountPlace(Struct, frozen=True):
    """A value and where it was found; `certain` if it can mean nothing else."""

    value: str
    source: str
    certain: bool = True


def account_of(root: Root, files: Sequence[EnvironmentFile]) -> AccountPlace | None:
    """Return the account that a root is deployed to: of variables named so, the provider, or else of its ARNs."""
    if found := _named(root, files, _ACCOUNT_NAME, _ACCOUNT):
        return found
    for value in _of_provider(root):
        if _ACCOUNT.match(value):
            return AccountPlace(value, "the provider block")
    seen = {found for text in root.texts() for found in _ARN_ACCOUNT.findall(text)}
    return (
        AccountPlace(seen.pop(), "the only account in the ARNs of the root module", certain=False)
        if len(seen) == 1
        else None
    )


def region_of(root: Root, files: Sequence[EnvironmentFile], workflow_regions: Iterable[str]) -> AccountPlace | None:
    """Return the region that the provider of a root takes from outside: of variables, or of the only one in CI."""
    if found := _named(root, files, _REGION_NAME, _REGION):
        return found
    regions = sorted(set(workflow_regions))
    return AccountPlace(regions[0], "AWS_REGION of the workflows") if len(regions) == 1 else None


def workflow_regions(texts: Iterable[str]) -> list[str]:
    """Return the values of AWS_REGION, AWS_DEFAULT_REGION and aws-region in the text of workflows."""
    pattern = re.compile(r"(?:AWS_(?:DEFAULT_)?REGION|aws-region)[\"']?\s*[:=]\s*[\"']?([a-z]{2,4}(?:-[a-z]+)+-\d)\b")
    return [found for text in texts for found in pattern.findall(text)]


def _named(
    root: Root, files: Sequence[EnvironmentFile], name: re.Pattern[str], value: re.Pattern[str]
) -> AccountPlace | None:
    """Return the first of the constants whose name and value are so."""
    found = (AccountPlace(given, source) for called, given, source in _constants(root, files) if name.search(called))
    return next((one for one in found if value.match(one.value)), None)


def _constants(root: Root, files: Sequence[EnvironmentFile]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and place of what is written as a constant text, in files before the configuration."""
    for file in reversed(files):
        yield from ((name, value, f"{name} in {file.path}") for name, value in file.constants.items())
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


def _text(body: SourceBody, name: str) -> str:
    value = constant(body, name)
    return value if isinstance(value, str) else ""


_DEFAULT = "default"
_WORKSPACE = r"terraform\.workspace"
_COMPARED = re.compile(rf"""{_WORKSPACE}\s*[!=]=\s*"([A-Za-z0-9_-]+)\"""")
_AUTOMATIC = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")


def workspaces_of(root: Root) -> list[str]:
    """Return the workspaces that the source compares with, `default` included; none if it compares with that alone.

    A map that is looked up by the workspace, or by a local value that is made of it, has its name for a key:
    `var.instance_type[terraform.workspace]`. What a pipeline happens to select is none for that.
    """
    texts = list(root.texts())
    looked_up = (name for map_ in _looked_up(root, texts) for name in _keys(root, *map_))
    named = (name for name in looked_up if name == _DEFAULT or environment_word(name))
    names = list(dict.fromkeys((*_compared(texts), *named)))
    return [] if names == [_DEFAULT] else names


def deploys_default(root: Root) -> bool:
    """Tell whether the default workspace is one that is deployed: there are no others, or the source asks for it."""
    return not root.uses_workspaces or _DEFAULT in _compared(root.texts())


def _compared(texts: Iterable[str]) -> Iterator[str]:
    return (name for text in texts for name in _COMPARED.findall(text))


def _looked_up(root: Root, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the maps that are looked up by the workspace: ("var", "instance_type")."""
    made_of_it = [
        name
        for name, (attribute, source) in root.configuration.locals.items()
        if "terraform.workspace" in source.text[attribute.at : attribute.end]
    ]
    key = "|".join([_WORKSPACE, *(rf"local\.{re.escape(name)}\b(?!\.)" for name in made_of_it)])
    map_ = r"\b(?P<kind>var|local)\.(?P<name>[\w-]+)"
    for form in (
        rf"{map_}\s*\[\s*(?:{key})\s*\]",
        rf"\blookup\(\s*{map_}\s*,\s*(?:{key})",
        rf"\bcontains\(\s*keys\(\s*{map_}\s*\)\s*,\s*(?:{key})",
    ):
        for text in texts:
            yield from ((found["kind"], found["name"]) for found in re.finditer(form, text))


def _keys(root: Root, kind: str, name: str) -> Iterator[str]:
    """Yield the keys that a local value or a variable is written with, in its default or in a file loaded by itself."""
    configuration = root.configuration
    expressions = [values[name] for values in _automatic(root) if name in values] if kind == "var" else []
    if kind == "local" and name in configuration.locals:
        expressions.append(configuration.locals[name][0].expression)
    body = configuration.variables.get(name)
    if kind == "var" and body is not None and "default" in body.attributes:
        expressions.append(body.attributes["default"][0].expression)
    for expression in expressions:
        yield from _literal_keys(expression)


def _automatic(root: Root) -> Iterator[dict[str, Expression]]:
    for pattern in _AUTOMATIC:
        for path in sorted(root.directory.glob(pattern)):
            try:
                attributes = parse_variables(path, path.name).body.attributes
            except InfraspecError:
                continue
            yield {name: attribute.expression for name, attribute in attributes.items()}


def _literal_keys(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Object):
        yield from (key.value for key, _ in expression.items if isinstance(key, Literal) and isinstance(key.value, str))


class EnvironmentCandidate(Struct, frozen=True):
    """An environment as it was found. `origin` says by what, for people; `variables` are named by its name."""

    name: str
    root: Root
    origin: str
    files: Sequence[EnvironmentFile] = ()
    workspace: str = "default"
    variables: Mapping[str, str] = field(default_factory=dict)
    account: AccountPlace | None = None
    region: AccountPlace | None = None

    @property
    def var_files(self) -> tuple[str, ...]:
        """The paths of its files of values."""
        return tuple(file.path for file in self.files)


def find_environments(
    roots: Sequence[Root],
    files: Sequence[EnvironmentFile],
    backends: Sequence[BackendFile],
    regions: Sequence[str],
) -> list[EnvironmentCandidate]:
    """Return the environments of the roots, those that run something first, production last of them.

    `regions` are those that workflows set.
    """
    found: list[EnvironmentCandidate] = []
    of_values, of_states = FilesByRoot(roots, files), FilesByRoot(roots, backends)
    alone = sum(map(is_partial, roots)) == 1
    for root in roots:
        mine, states = files_of(root, of_values), backends_of(root, of_states, alone=alone)
        for given in _of_root(root, mine, states, alone=len(roots) == 1):
            taken = [candidate.name for candidate in found]
            chosen = unique(given.name, taken, name_of_path(root.path), valid_name(root.path.rpartition("/")[2]))
            account, region = account_of(root, given.files), region_of(root, given.files, regions)
            found.append(replace(given, name=chosen, account=account, region=region))
    return sorted(
        found, key=lambda each: (not each.root.runs, is_production(each.name), environment_word(each.name) is None)
    )


def _of_root(
    root: Root, files: Sequence[EnvironmentFile], backends: Mapping[str, str], *, alone: bool
) -> Iterator[EnvironmentCandidate]:
    """Yield the environments of a root: several if its path names none, and files or workspaces do."""
    groups, named = by_environment(files), name_of_path(root.path)
    if root.is_unit:
        yield EnvironmentCandidate(named or "main", root, f"unit {root.path}")
        return
    worded = environment_word(named)
    profiles = {name: group for name, group in groups.items() if worded and name.startswith(f"{worded}-")}
    own = groups.get(worded or "", next(iter(groups.values()), []) if len(groups) == 1 else [])
    found = [replace(each, name=each.name[len(worded or "") + 1 :]) for each in _of_values(root, profiles)]
    if worded is None:
        selected = workspaces_of(root) if root.uses_workspaces else []
        found += _of_values(root, groups)
        if not selected and deploys_default(root) and not (found and root.uses_workspaces):
            found += _of_states(root, groups, shared_of(files), backends)
        found = found or [EnvironmentCandidate(name, root, f"workspace {name}", own, name) for name in selected]
    if found:
        prefix = "" if alone or not named else f"{named}-"
        yield from (replace(each, name=prefix + each.name) for each in found)
        return
    unnamed = "default" if root.uses_workspaces else "main"
    name = named if worded else (_declared(root) or named or unnamed)
    yield EnvironmentCandidate(name, root, f"root module {root.path}", own)


def _of_values(root: Root, groups: Mapping[str, Sequence[EnvironmentFile]]) -> Iterator[EnvironmentCandidate]:
    """Yield the environments that variable files are named by."""
    if len(groups) > 1 or any(map(environment_word, groups)):
        for name, own in groups.items():
            workspace = (own[-1].environment or name) if root.uses_workspaces else "default"
            yield EnvironmentCandidate(name, root, f"variable file {own[-1].path}", own, workspace)


def _of_states(
    root: Root,
    groups: Mapping[str, Sequence[EnvironmentFile]],
    shared: Sequence[EnvironmentFile],
    backends: Mapping[str, str],
) -> Iterator[EnvironmentCandidate]:
    """Yield the environments that have a file for their state and none for their values: the name is their value.

    Where files of values are named otherwise than those of states, it is open what belongs to what.
    """
    for name in backends if groups.keys() <= backends.keys() else ():
        variables = None if name in groups else named_by(root, name, shared)
        if variables is not None:
            yield EnvironmentCandidate(name, root, f"backend file {backends[name]}", shared, variables=variables)


def _declared(root: Root) -> str:
    """Return the value of a variable named `environment`, if the source says one."""
    for name in VARIABLES:
        body = root.configuration.variables.get(name)
        value = constant(body, "default") if body else None
        if isinstance(value, str) and value.lower() in ENVIRONMENT_WORDS:
            return valid_name(value)
    return ""
