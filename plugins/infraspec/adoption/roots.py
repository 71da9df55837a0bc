"""The root modules of a repository: directories that have a backend or a provider and that no other one calls.

Source: Terraform Language Documentation, "Backend Configuration" (only a root module has one) and "Providers Within
Modules" (provider configurations belong to the root module).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from infraspec.contract.paths import UNIT_FILE, roots_below
from infraspec.core.errors import ErrorCollector, InfraspecError, RootMissingError
from infraspec.core.finding import Location
from infraspec.core.runtime import text_or_nothing
from infraspec.core.unknown import Value
from infraspec.hcl.ast import Literal
from infraspec.terraform.configuration.declarations import Configuration, SourceBody
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from infraspec.terraform.terragrunt import UnitRoot, read_root


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENVIRONMENT_WORDS = _words(
    """
    demo dev develop development int integration live local nonprod perf prd preprod preproduction preview prod
    production qa sandbox sbx stage staging stg test testing tst uat
    """
)
PRODUCTION = ("prod", "production", "prd", "live")

_GENERIC = _words(
    """
    . account accounts aws cdktf.out deploy deployment deployments env environment environments envs example examples
    iac infra infrastructure live main root roots src stack stacks terraform terraforms terragrunt test tests tf tofu
    """
)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_PARTING = re.compile(r"[-_.]+")


def environment_word(text: str) -> str | None:
    """Return the word of a file's or directory's name that an environment is called by: `dev` of `app-dev`."""
    if text.lower() in ENVIRONMENT_WORDS:
        return text
    return next((word for word in reversed(_PARTING.split(text)) if word.lower() in ENVIRONMENT_WORDS), None)


def is_production(name: str) -> bool:
    """Tell whether an environment is production, by its name."""
    return bool(set(PRODUCTION) & set(_PARTING.split(name.lower())))


def name_of_path(path: str) -> str:
    """Return a name for an environment by the path of its root: `prod-network` of `terraform/envs/prod/network`."""
    parts = [part for part in path.split("/") if part.lower() not in _GENERIC]
    last = path.rpartition("/")[2]
    return valid_name("-".join(parts or ([last] if last.lower() in ENVIRONMENT_WORDS else [])))


def valid_name(text: str) -> str:
    """Return a text as the name of an environment: letters, digits, dots, dashes and underscores."""
    return _NOT_IN_NAMES.sub("-", text).strip("-_.")


def unique(name: str, others: Iterable[str], *prefixes: str) -> str:
    """Return a name that no other has, with a prefix in front or a number behind if need be."""
    taken = set(others)
    candidates = [name, *(f"{prefix}-{name}" for prefix in prefixes if prefix and prefix != name)]
    number = 2
    while all(candidate in taken for candidate in candidates):
        candidates.append(f"{name}-{number}")
        number += 1
    return next(candidate for candidate in candidates if candidate not in taken)


WORKLOADS = MappingProxyType(
    {
        "aws_ecs_task_definition": "task definition",
        "aws_lambda_function": "function",
        "aws_scheduler_schedule": "schedule",
        "aws_pipes_pipe": "pipe",
        "aws_sfn_state_machine": "state machine",
        "aws_apprunner_service": "App Runner service",
        "aws_batch_job_definition": "job definition",
        "aws_db_proxy": "database proxy",
        "aws_iam_role": "role",
    }
)
"""What verdicts of access are about, by resource type."""
RUNNING = frozenset({"aws_ecs_service", *WORKLOADS}) - {"aws_iam_role"}
"""What a contract is about in the first place."""
_SOURCE = re.compile(r'^\s*source\s*=\s*"(\.[^"]*)"', re.MULTILINE)
_WORKLOAD = re.compile(rf'^[ \t]*resource[ \t]+"({"|".join(WORKLOADS)})"', re.MULTILINE)


def unjudged(
    directory: Path, plans: Iterable[Plan], parsed: Mapping[Path, Configuration] = MappingProxyType({})
) -> tuple[dict[str, list[Location]], list[str]]:
    """Return where a repository has resources that access is about and of which no plan has any, by type.

    With them what modules are not here, if there is none in any plan. Plans are asked for as long as it takes; what
    lies below examples and tests does not count where nothing runs it. `parsed` are directories that were read.
    """
    found: dict[str, list[Location]] = {}
    for path in roots_below(directory):
        if not (_ASIDE - _MODULES) & set(path.lower().split("/")):
            known = parsed.get(directory / path)
            for type_, place in _workloads(directory, path) if known is None or known.errors else _declared(known):
                found.setdefault(type_, []).append(place)
    absent, made = dict[str, None](), False
    for plan in plans:
        types = {resource.type for resource in plan.managed(*WORKLOADS)}
        found = {type_: places for type_, places in found.items() if type_ not in types}
        made = made or bool(types)
        absent |= dict.fromkeys(one.partition(" ")[0] for one in plan.unevaluated)
        if made and not found:
            break
    return found, [] if made else list(absent)


def _declared(configuration: Configuration) -> Iterator[tuple[str, Location]]:
    for (mode, type_, _), body in configuration.resources.items():
        if mode == "managed" and type_ in WORKLOADS:
            yield type_, body.location


def _workloads(directory: Path, path: str) -> Iterator[tuple[str, Location]]:
    """Yield the types of WORKLOADS that the files of a directory declare, whether or not they can be parsed."""
    for file in sorted(one for one in (directory / path).iterdir() if one.suffix in (".tf", ".tofu")):
        text = text_or_nothing(file, directory)
        for match in _WORKLOAD.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            yield match[1], Location(file.relative_to(directory).as_posix(), line)


_MODULES = frozenset({"module", "modules", "_module", "_modules"})
_ASIDE = _MODULES | {"example", "examples", "test", "tests", "fixture", "fixtures", "testdata", "vendor"}


class Root(Struct, frozen=True):
    """A root module. `path` is relative to the repository, `.` for its top; `modules` are the local ones in it.

    `is_unit` tells that Terragrunt makes it, which gives it its values.
    """

    path: str
    configuration: Configuration
    modules: tuple[Configuration, ...] = ()
    is_unit: bool = False

    @property
    def directory(self) -> Path:
        """Where it lies."""
        return self.configuration.directory

    @property
    def runs(self) -> bool:
        """Whether it, or a local module of it, declares a task definition, a service or a function."""
        return _runs((self.configuration, *self.modules))

    @property
    def uses_workspaces(self) -> bool:
        """Whether its files, or those of its modules, mention `terraform.workspace` or `tofu.workspace`."""
        return any("terraform.workspace" in text or "tofu.workspace" in text for text in self.texts())

    def texts(self) -> Iterator[str]:
        """Yield the text of each of its files, and of those of its modules."""
        for configuration in (self.configuration, *self.modules):
            yield from _texts(configuration)


class Roots(Struct, frozen=True):
    """What was found: `roots`; `aside`, paths of roots below examples and tests; `broken`, what cannot be parsed."""

    roots: tuple[Root, ...]
    aside: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()


def find_roots(directory: Path, library: Library) -> Roots:
    """Read every directory of Terraform and tell the root modules from the others.

    Roots below `examples`, `tests`, `modules` and the like count only if there is no other: a repository of modules is
    known by its examples. Where nothing has a backend or a provider, or nothing that has makes any of WORKLOADS, what
    nobody calls is a root. A directory of which a part cannot be parsed is told by the rest, and is `broken` as well;
    what it calls is no root for all that.
    """
    read: dict[str, Configuration] = {}
    units: dict[str, UnitRoot] = {}
    broken: list[tuple[str, str]] = []
    torn: set[str] = set()
    for path in roots_below(directory):
        try:
            if (directory / path / UNIT_FILE).is_file():
                unit = read_root(directory / path, library, KnownData(), {}, directory)
                ErrorCollector([*unit.configuration.errors]).finalize()
                units[path] = unit
            else:
                read[path] = library.readable(directory / path)
                ErrorCollector([*read[path].errors]).finalize()
        except RootMissingError as error:
            broken += [] if path in units or error.place.endswith(UNIT_FILE) else [(path, str(error).splitlines()[0])]
        except InfraspecError as error:
            broken.append((path, str(error).splitlines()[0]))
            torn |= set(_called_in_text(directory / path))
    by_directory = {os.path.normpath(configuration.directory): configuration for configuration in read.values()}
    included = {file for each in units.values() for file in each.included}
    made = {path: each for path, each in units.items() if (directory / path / UNIT_FILE).resolve() not in included}
    broken = [(path, why) for path, why in broken if (directory / path / UNIT_FILE).resolve() not in included]
    called = torn | {target for configuration in read.values() for target in _called(configuration)}
    called |= {os.path.relpath(each.configuration.directory.resolve(), directory.resolve()) for each in made.values()}
    called |= {target for each in made.values() for target in _called(each.configuration)}
    alone = {path: each for path, each in read.items() if path not in called and _is_alone(path, each, called)}
    found = {path: each.configuration for path, each in made.items()}
    found |= {path: each for path, each in alone.items() if each.providers or has_backend(each)}
    if not found:
        found = {path: each for path, each in alone.items() if each.resources or each.calls}
    elif not any(_runs((each, *_reached(each, by_directory))) for each in found.values()):
        found |= {path: each for path, each in alone.items() if _runs((each, *_reached(each, by_directory)))}
    aside = [path for path in found if _ASIDE & set(path.lower().split("/"))]
    chosen = [path for path in found if path not in aside] or list(found)
    return Roots(
        tuple(Root(path, found[path], tuple(_reached(found[path], by_directory)), path in made) for path in chosen),
        tuple(path for path in aside if path not in chosen),
        tuple(broken),
    )


def _is_alone(path: str, configuration: Configuration, called: AbstractSet[str]) -> bool:
    """Tell whether nobody calls a directory; what has a backend may be called by its examples all the same."""
    is_called = os.path.normpath(configuration.directory) in called
    return not is_called or (has_backend(configuration) and not _MODULES & set(path.lower().split("/")))


def _reached(configuration: Configuration, by_directory: Mapping[str, Configuration]) -> Iterator[Configuration]:
    """Yield the local modules that a root module is made of, each once."""
    pending, seen = [configuration], set[str]()
    while pending:
        for target in _called(pending.pop()):
            if target in by_directory and target not in seen:
                seen.add(target)
                pending.append(by_directory[target])
                yield by_directory[target]


def _called_in_text(directory: Path) -> Iterator[str]:
    """Yield the local modules that a directory names as sources, whether or not it can be parsed."""
    for file in directory.glob("*.tf"):
        for source in _SOURCE.findall(text_or_nothing(file, directory)):
            yield os.path.normpath(directory / source)


def _runs(configurations: Iterable[Configuration]) -> bool:
    """Tell whether a root module with its local modules declares a task definition, a service or a function."""
    declared = (key for configuration in configurations for key in configuration.resources)
    return any(mode == "managed" and type_ in RUNNING for mode, type_, _ in declared)


def has_backend(configuration: Configuration) -> bool:
    """Tell whether there is a `backend` or `cloud` block."""
    return any(block.type in ("backend", "cloud") for body in configuration.terraform for block, _ in body.blocks)


def constant(body: SourceBody, name: str) -> Value:
    """Return the value of an attribute that is written as a constant, else None."""
    if name not in body.attributes:
        return None
    expression = body.attributes[name][0].expression
    return expression.value if isinstance(expression, Literal) else None


def _called(configuration: Configuration) -> Iterator[str]:
    for body in configuration.calls.values():
        source = constant(body, "source")
        if isinstance(source, str) and source.startswith("."):
            yield os.path.normpath(configuration.directory / source)


def _texts(configuration: Configuration) -> Iterator[str]:
    """Yield the text of each file of a directory."""
    tables = (configuration.providers, configuration.calls, configuration.variables, configuration.outputs)
    bodies = [*configuration.terraform, *configuration.resources.values(), *(b for t in tables for b in t.values())]
    sources = [body.source for body in bodies] + [source for _, source in configuration.locals.values()]
    yield from {source.name: source.text for source in sources}.values()
