"""Rule `state-backend`: the state is remote, encrypted, locked, and no other environment's.

Source: Terraform Language Documentation, "Backend Type: s3".
"""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.contract.models import Contract, Environment
from infraspec.contract.static import State
from infraspec.core.finding import Finding, Related
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.unknown import Unknown, Value, render
from infraspec.terraform.configuration.settings import Backend, RootSettings

RULE = RULES["state-backend"]

_BLOCK = """terraform {{
  backend "{type}" {{
    bucket       = "…"
    key          = "{environment}/terraform.tfstate"
    region       = "{region}"
    encrypt      = true
    use_lockfile = true
  }}
}}"""


def check_state_backend(
    root_settings: Mapping[str, RootSettings], contract: Contract, environment: str
) -> list[Finding]:
    """Judge the backend of an environment; `root_settings` are those of all environments, to tell shared states.

    Backends other than s3 are judged by their type alone.
    """
    own = root_settings.get(environment)
    if own is None:
        return []
    rules = contract.state or State()
    backend = own.backend
    if backend.type != rules.backend:
        return [_wrong_type(own, rules, contract.environments[environment], environment)]
    if backend.type != "s3":
        return [RULE.about(own.root, "type", backend.location).proven(found=backend.type)]
    encrypted = _judge(
        RULE.about(own.root, "encrypt", backend.location),
        backend,
        backend.arguments.get("encrypt"),
        expected="encrypt = true",
        reason="the state holds the values of secrets",
        remedy="encrypt = true",
    )
    return [encrypted, _locked(own), _apart(root_settings, contract, environment)]


def _wrong_type(own: RootSettings, rules: State, environment: Environment, name: str) -> Finding:
    found = "no backend, so the state is a file beside the source" if own.backend.type == "local" else own.backend.type
    return RULE.about(own.root, "type", own.backend.location).violated(
        expected=f'backend "{rules.backend}"',
        found=found,
        reason="whoever applies has to have the same state, and nobody else may",
        remedy=_BLOCK.format(type=rules.backend, environment=name, region=environment.region or "…"),
    )


def _locked(own: RootSettings) -> Finding:
    subject, arguments = RULE.about(own.root, "lock", own.backend.location), own.backend.arguments
    table, expected = (
        arguments.get("dynamodb_table"),
        "use_lockfile = true (Terraform 1.11 and later), or a dynamodb_table",
    )
    if isinstance(table, str) and table:
        return subject.proven(expected=expected, found=f'dynamodb_table = "{table}"')
    return _judge(
        subject,
        own.backend,
        table if isinstance(table, Unknown) else arguments.get("use_lockfile"),
        expected=expected,
        reason="without a lock, two applies at a time lose resources from the state",
        remedy="use_lockfile = true",
    )


def _judge(subject: Subject, backend: Backend, value: Value, *, expected: str, reason: str, remedy: str) -> Finding:
    """Judge an argument that has to be true. One that is missing may be added at init, if others have to be."""
    if value is True:
        return subject.proven(expected=expected, found="true")
    is_partial = any(backend.arguments.get(name) is None for name in ("bucket", "key"))
    if isinstance(value, Unknown) or (value is None and is_partial):
        return _at_init(subject, expected, "not set here" if value is None else render(value), remedy)
    found = "not set" if value is None else render(value)
    return subject.violated(expected=expected, found=found, reason=reason, remedy=remedy)


def _at_init(subject: Subject, expected: str, found: str, remedy: str) -> Finding:
    return subject.undetermined(
        expected=expected,
        found=found,
        reason="it is given to terraform init with -backend-config, or not at all",
        remedy=f"write it in the backend block:\n{remedy}",
    )


def _apart(settings: Mapping[str, RootSettings], contract: Contract, environment: str) -> Finding:
    own = settings[environment]
    subject = RULE.about(own.root, "key", own.backend.location)
    expected = "a bucket and key that no other environment has"
    place = state_place(own.backend, contract.environments[environment])
    if place is None:
        return _at_init(subject, expected, "not known here", f'key = "{environment}/…"')
    sharing = [
        (name, other.backend.location)
        for name, other in settings.items()
        if name != environment and state_place(other.backend, contract.environments[name]) == place
    ]
    shown = "s3://" + "/".join(place)
    if not sharing:
        return subject.proven(expected=expected, found=shown)
    related = [Related("same state", f"environment {name}", location) for name, location in sharing]
    return RULE.about(own.root, "key", own.backend.location, related).violated(
        expected=expected,
        found=shown,
        reason=f"{', '.join(name for name, _ in sharing)} has the same: an apply of one destroys what the other has",
        remedy=f'key = "{environment}/terraform.tfstate"',
    )


def state_place(backend: Backend, environment: Environment) -> tuple[str, ...] | None:
    """Return the bucket and the object's key, that of a workspace other than default included."""
    bucket, key = backend.arguments.get("bucket"), backend.arguments.get("key")
    if not isinstance(bucket, str) or not isinstance(key, str):
        return None
    if environment.workspace == "default":
        return bucket, key
    prefix = backend.arguments.get("workspace_key_prefix")
    return bucket, prefix if isinstance(prefix, str) else "env:", environment.workspace, key


def without_source(root_settings: Mapping[str, RootSettings], environment: str) -> str:
    """Return that an environment has no root to judge; empty if it has."""
    return "" if environment in root_settings else f"{environment} has no source"


skip = without_source
