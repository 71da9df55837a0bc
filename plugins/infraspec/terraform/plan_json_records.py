"""What is decoded of a plan or state file: the few fields that are needed, their values as raw text.

Fields that are not named here are skipped while scanning, and Raw fields are views of the file's text that cost nothing
until they are decoded. So a plan of 50 MB loads in a fraction of a second.

Source: "JSON Output Format" (Terraform documentation) and, for raw states, the state file format version 4.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

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


class Module(Struct, gc=False):
    """A module instance with its resources; the root module has no address."""

    address: str = ""
    resources: list[Instance] = []
    child_modules: list[Module] = []


class Output(Struct, gc=False):
    """An output value of the root module."""

    sensitive: bool = False
    value: Raw = ABSENT


class StateValues(Struct, gc=False):
    """What planned_values holds, and `values` of a state."""

    outputs: dict[str, Output] = {}
    root_module: Module = msgspec.field(default_factory=Module)


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


class ModuleCall(Struct, gc=False):
    """A call of a module."""

    module: ConfiguredModule | None = None


class ConfiguredModule(Struct, gc=False):
    """A module of the configuration."""

    resources: list[ConfiguredResource] = []
    module_calls: dict[str, ModuleCall] = {}


class Configuration(Struct, gc=False):
    """The configuration a plan was made from."""

    provider_config: dict[str, ProviderConfiguration] = {}
    root_module: ConfiguredModule | None = None


class Variable(Struct, gc=False):
    """A variable of the root module; only read where a provider configuration takes its region from it."""

    value: Raw = ABSENT


class Problem(Struct, gc=False):
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
    problems: list[Problem] = []


class Check(Struct, gc=False):
    """The outcome of a condition or check block."""

    address: CheckAddress = msgspec.field(default_factory=CheckAddress)
    status: str = ""
    instances: list[CheckInstance] | None = None


class Document(Struct, gc=False):
    """A plan, a state as `terraform show -json` prints it, or a raw state: their top level together."""

    format_version: Any = UNSET
    version: Any = UNSET
    terraform_version: Any = UNSET
    # plan
    variables: dict[str, Variable] = {}
    planned_values: StateValues | UnsetType = UNSET
    resource_changes: list[ResourceChange] | UnsetType = UNSET
    resource_drift: list[ResourceChange] = []
    deferred_changes: list[Raw] = []
    output_changes: dict[str, ChangeDetail] | UnsetType = UNSET
    prior_state: PriorState | None = None
    configuration: Configuration | UnsetType = UNSET
    checks: list[Check] = []
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
