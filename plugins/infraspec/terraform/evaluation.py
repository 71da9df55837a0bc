"""What all module instances of one evaluation share: files read, data known, limits, diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field

from infraspec.errors import LimitError, TerraformError
from infraspec.finding import Location
from infraspec.terraform.configuration import Configuration, read_configuration
from infraspec.terraform.files import RootFiles
from infraspec.terraform.known_data import KnownData
from infraspec.terraform.plan import NOT_EVALUATED, Diagnostic, Uncertain

MOST_INSTANCES = 100_000
"""How many resource and module instances one evaluation may have."""

MOST_PER_BLOCK = 20_000
"""How many instances one count or for_each may make."""


class Library:
    """Configurations by directory, each read once; shared by the environments of a session."""

    def __init__(self, show: Callable[[Path], str] = str) -> None:
        self.show = show
        self._known: dict[Path, Configuration] = {}

    def read(self, directory: Path) -> Configuration:
        """Return the configuration of a directory."""
        key = directory.resolve()
        if key not in self._known:
            self._known[key] = read_configuration(directory, self.show(directory), self.show)
        return self._known[key]


class Evaluation(Struct):
    """The shared state of one evaluation of a root module."""

    library: Library
    root: Path
    files: RootFiles
    known: KnownData
    workspace: str = "default"
    installed: Mapping[str, Path] = field(default_factory=dict)
    """Directories of modules that `terraform init` has downloaded, by dotted call path."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    """What is being evaluated, outermost first."""
    uncertain: dict[str, Uncertain] = field(default_factory=dict)
    """Why it is not known whether there is an instance, by the address of the one that stands for any."""
    opaque_modules: list[str] = field(default_factory=list)
    instances: int = 0
    module_calls: int = 0

    def count(self, number: int, address: str, place: str) -> None:
        """Count new instances; LimitError past a bound."""
        self.instances += number
        if number > MOST_PER_BLOCK or self.instances > MOST_INSTANCES:
            raise LimitError(
                f"{address} would make {number} instances, {self.instances} in all",
                place=place,
                expected=f"at most {MOST_PER_BLOCK} instances of one block and {MOST_INSTANCES} of a root",
                remedy="correct count or for_each",
            )

    def opaque(self, address: str, source: str, location: Location | None) -> None:
        """Note a module whose source is not here."""
        self.opaque_modules.append(address)
        self.warn(
            f"{address} {NOT_EVALUATED}: its source {source} is not in .terraform/modules; its resources are not "
            "seen and its outputs are unknown",
            location,
            "run `terraform get` or `terraform init -backend=false` in the root module",
        )

    def warn(self, message: str, location: Location | None, remedy: str = "") -> None:
        """Note something that limits what can be said."""
        self.diagnostics.append(Diagnostic("warning", message, location, remedy))

    def report(self, message: str, location: Location | None) -> None:
        """Note something that would stop Terraform."""
        self.diagnostics.append(Diagnostic("error", message, location))


def too_deep(place: str) -> LimitError:
    """Return the error for references that lead one into the next without end in sight."""
    return LimitError(
        "the configuration refers too deeply",
        place=place,
        expected="fewer locals, modules or calls that lead one into the next",
    )


def place_error(error: TerraformError, place: str, address: str) -> None:
    """Complete an evaluation error with the place and the address it arose at."""
    if not error.place:
        error.place = place
    if address and address not in error.message:
        error.message = f"{error.message} (in {address})"
        error.args = (error.message,)
