"""What is decoded of a plan or state file: the few fields that are needed, their values as raw text.

Fields that are not named here are skipped while scanning, and Raw fields are views of the file's text that cost nothing
until they are decoded. So a plan of 50 MB loads in a fraction of a second.

Source: "JSON Output Format" (Terraform documentation) and, for raw states, the state file format version 4.

PowerShell writes `terraform show -json > plan.json` as UTF-16 with a byte order mark, so that is accepted too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from infraspec.core.errors import PlanError

Buffer = bytes | memoryview
T = TypeVar("T")

REMEDY = "terraform show -json plan.tfplan > plan.json"
_BYTE = re.compile(r" \(byte (\d+)\)$")
_EXPECTED_TEXT = "JSON as `terraform show -json` prints it"


def read(path: Path) -> bytes:
    """Read a file; PlanError if that is not possible."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise PlanError("the file does not exist", place=str(path), remedy=REMEDY) from None
    except IsADirectoryError:
        raise PlanError(
            "this is a directory", place=str(path), expected=f"a file: {_EXPECTED_TEXT}", remedy=REMEDY
        ) from None
    except OSError as error:
        raise PlanError(
            "the file cannot be read",
            place=str(path),
            expected="a file that the user running the tests may read",
            found=error.strerror or str(error),
            remedy="check its owner and its mode",
        ) from None


def to_utf8(data: bytes, name: str) -> Buffer:
    """Return the text as UTF-8 without byte order mark; PlanError for what is no text at all."""
    if data.startswith(b"PK"):
        raise PlanError(
            "this is a binary plan, which only terraform can read",
            place=name,
            expected=_EXPECTED_TEXT,
            found="a zip archive",
            remedy=f"terraform show -json {name} > plan.json",
        )
    if not data.strip():
        raise PlanError("the file is empty", place=name, expected=_EXPECTED_TEXT, remedy=REMEDY)
    encoding = json.detect_encoding(data)
    if encoding == "utf-8":
        return data
    if encoding == "utf-8-sig":
        return memoryview(data)[3:]
    try:
        return data.decode(encoding).encode()
    except UnicodeError as error:
        raise PlanError(
            f"the file is not complete {encoding.upper()} text",
            place=name,
            found=error.reason if isinstance(error, UnicodeDecodeError) else "text that cannot be encoded",
            remedy=REMEDY,
        ) from None


def parse(text: Buffer, kind: type[T], name: str) -> T:
    """Decode JSON text to a type.

    Raises msgspec.ValidationError if it is JSON of another shape, and PlanError with line and column if it is not
    JSON. No message quotes the text, which may hold secrets.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise _not_json(text, str(error), name) from None
    except UnicodeDecodeError:
        raise _not_utf8(text, name) from None
    except RecursionError:
        raise PlanError("the JSON is nested too deeply", place=name, remedy=REMEDY) from None


def misshapen(kind: str, problem: str, name: str, remedy: str) -> PlanError:
    """Return the error for JSON that has not the shape of a kind of file; `problem` is what msgspec says."""
    reason, _, place = problem.partition(" - at ")
    return PlanError(
        f"the file is not what {kind} says: {reason[:1].lower()}{reason[1:]}",
        place=f"{name}: {place.strip('`')}" if place else name,
        remedy=remedy,
    )


def _not_json(text: Buffer, message: str, name: str) -> PlanError:
    raw = bytes(text)
    found = _BYTE.search(message)
    position = int(found[1]) if found else len(raw)
    if "trailing" in message:
        position -= 1  # msgspec has read the character by then
    place = f"{name}:{_line_column(raw, position)}"
    if raw.lstrip().startswith(b'{"@level"'):
        return PlanError(
            "this is the log of `terraform plan -json`, not a plan", place=place, expected=_EXPECTED_TEXT, remedy=REMEDY
        )
    if found is None:
        return PlanError(
            "the JSON ends too early", place=place, expected="a complete file", found="a truncated one", remedy=REMEDY
        )
    return PlanError(
        "the file is not JSON", place=place, expected=_EXPECTED_TEXT, found=_BYTE.sub("", message), remedy=REMEDY
    )


def _not_utf8(text: Buffer, name: str) -> PlanError:
    raw = bytes(text)
    position = 0
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        position = error.start
    return PlanError("the text is not UTF-8", place=f"{name}:{_line_column(raw, position)}", remedy=REMEDY)


def _line_column(raw: bytes, position: int) -> str:
    before = raw[:position]
    line_start = before.rfind(b"\n") + 1
    column = len(before[line_start:].decode(errors="replace")) + 1
    line = before.count(b"\n") + 1
    return f"{line}:{column}"


ABSENT = Raw(b"")
NULL = b"null"


class Instance(Struct, gc=False):
    """A resource instance of planned_values, prior_state or a state."""

    address: str
    type: str
    name: str
    mode: str = "managed"
    index: int | str | None = None
    provider_name: str = ""
    values: Raw = ABSENT
    sensitive_values: Raw = ABSENT
    deposed_key: str = ""


class PlannedModule(Struct, gc=False):
    """A module instance with its resources; the root module has no address."""

    address: str = ""
    resources: list[Instance] = []
    child_modules: list[PlannedModule] = []


class Output(Struct, gc=False):
    """An output value of the root module, or a variable, from which a provider may take its region."""

    sensitive: bool = False
    value: Raw = ABSENT


class StateValues(Struct, gc=False):
    """What planned_values holds, and `values` of a state."""

    outputs: dict[str, Output] = {}
    root_module: PlannedModule = msgspec.field(default_factory=PlannedModule)


class PriorState(Struct, gc=False):
    """The state a plan starts from."""

    values: StateValues | None = None


class ChangeDetail(Struct, gc=False):
    """What happens to an object."""

    actions: tuple[str, ...] = ()
    before: Raw = ABSENT
    after: Raw = ABSENT
    after_unknown: Raw = ABSENT
    before_sensitive: Raw = ABSENT
    after_sensitive: Raw = ABSENT
    replace_paths: list[list[str | int]] = []
    importing: dict[str, Any] | None = None


class ResourceChange(Struct, gc=False):
    """An entry of resource_changes or resource_drift."""

    change: ChangeDetail
    address: str = ""
    type: str = ""
    name: str = ""
    mode: str = "managed"
    index: int | str | None = None
    module_address: str = ""
    provider_name: str = ""
    previous_address: str = ""
    action_reason: str = ""
    deposed: str = ""


class ProviderConfiguration(Struct, gc=False):
    """A provider block, or a provider that is only required."""

    name: str = ""
    alias: str = ""
    module_address: str = ""
    expressions: dict[str, Any] = {}


class ConfiguredResource(Struct, gc=False):
    """A resource block: its provider, and which arguments it sets."""

    address: str
    provider_config_key: str = ""
    expressions: dict[str, Raw] = {}


class PlannedModuleCall(Struct, gc=False):
    """A call of a module, and the arguments that it sets."""

    module: ConfiguredModule | None = None
    expressions: dict[str, Raw] = {}


class ConfiguredOutput(Struct, gc=False):
    """An output block."""

    expression: Raw = ABSENT


class ConfiguredModule(Struct, gc=False):
    """A module of the configuration."""

    resources: list[ConfiguredResource] = []
    module_calls: dict[str, PlannedModuleCall] = {}
    outputs: dict[str, ConfiguredOutput] = {}


class PlannedConfiguration(Struct, gc=False):
    """The configuration a plan was made from."""

    provider_config: dict[str, ProviderConfiguration] = {}
    root_module: ConfiguredModule | None = None


class CheckProblem(Struct, gc=False):
    """Why a check failed; Terraform does not allow sensitive values in it."""

    message: str = ""


class CheckAddress(Struct, gc=False):
    """What a check is about."""

    to_display: str = ""
    kind: str = ""


class CheckInstance(Struct, gc=False):
    """The outcome for one instance."""

    address: CheckAddress = msgspec.field(default_factory=CheckAddress)
    status: str = ""
    problems: list[CheckProblem] = []


class PlannedCheck(Struct, gc=False):
    """The outcome of a condition or check block."""

    address: CheckAddress = msgspec.field(default_factory=CheckAddress)
    status: str = ""
    instances: list[CheckInstance] | None = None


class PlanFileDocument(Struct, gc=False):
    """A plan, a state as `terraform show -json` prints it, or a raw state: their top level together."""

    format_version: Any = UNSET
    version: Any = UNSET
    terraform_version: Any = UNSET
    # plan
    variables: dict[str, Output] = {}
    planned_values: StateValues | UnsetType = UNSET
    resource_changes: list[ResourceChange] | UnsetType = UNSET
    resource_drift: list[ResourceChange] = []
    deferred_changes: list[Raw] = []
    output_changes: dict[str, ChangeDetail] | UnsetType = UNSET
    prior_state: PriorState | None = None
    configuration: PlannedConfiguration | UnsetType = UNSET
    checks: list[PlannedCheck] = []
    complete: bool | None = None
    errored: bool = False
    # state as shown
    values: StateValues | UnsetType = UNSET
    # raw state
    serial: Any = UNSET
    lineage: Any = UNSET
    resources: Raw | UnsetType = UNSET
    outputs: Raw = ABSENT
    check_results: Raw = ABSENT
    modules: Raw | UnsetType = UNSET
    encrypted_data: Raw | UnsetType = UNSET
