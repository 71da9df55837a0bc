"""Rule `state-backend`: the state is remote, encrypted, locked, and no other environment's.

Source: Terraform Language Documentation, "Backend Type: s3".
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from infraspec.contract.models import Contract, Environment
from infraspec.contract.static import State
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rules import RULES
from infraspec.core.unknown import Unknown, Value, render
from infraspec.terraform.configuration.settings import Backend, RootSettings

RULE = RULES["state-backend"]


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
    said = RULE.about(own.root, "encrypt", backend.location).say("not-encrypted")
    encrypted = _judge(said, backend, backend.arguments.get("encrypt"))
    return [encrypted, _locked(own), _apart(root_settings, contract, environment)]


def _wrong_type(own: RootSettings, rules: State, environment: Environment, name: str) -> Finding:
    subject, found = RULE.about(own.root, "type", own.backend.location), own.backend.type
    wording, region = "no-backend" if found == "local" else "other-backend", environment.region or "…"
    return subject.say(wording, backend=rules.backend, found=found, environment=name, region=region)


def _locked(own: RootSettings) -> Finding:
    subject, arguments = RULE.about(own.root, "lock", own.backend.location), own.backend.arguments
    table, said = arguments.get("dynamodb_table"), subject.say("not-locked")
    if isinstance(table, str) and table:
        return subject.proven(expected=said.expected, found=f'dynamodb_table = "{table}"')
    return _judge(said, own.backend, table if isinstance(table, Unknown) else arguments.get("use_lockfile"))


def _judge(said: Finding, backend: Backend, value: Value) -> Finding:
    """Judge an argument that has to be true. One that is missing may be added at init, if others have to be.

    `said` is what is said of it where it is not.
    """
    if value is True:
        return replace(said, verdict=Verdict.PROVEN, found="true", reason="", remedy="")
    is_partial = any(backend.arguments.get(name) is None for name in ("bucket", "key"))
    if isinstance(value, Unknown) or (value is None and is_partial):
        found, remedy = (
            "not set here" if value is None else render(value),
            f"write it in the backend block:\n{said.remedy}",
        )
        reason = "it is given to terraform init with -backend-config, or not at all"
        return replace(said, verdict=Verdict.UNDETERMINED, found=found, reason=reason, remedy=remedy)
    return replace(said, found="not set" if value is None else render(value))


def _apart(settings: Mapping[str, RootSettings], contract: Contract, environment: str) -> Finding:
    own = settings[environment]
    place = state_place(own.backend, contract.environments[environment])
    if place is None:
        return RULE.about(own.root, "key", own.backend.location).say("place-not-known", environment=environment)
    sharing = [
        (name, other.backend.location)
        for name, other in settings.items()
        if name != environment and state_place(other.backend, contract.environments[name]) == place
    ]
    related = [Related("same state", f"environment {name}", location) for name, location in sharing]
    shown, others = "s3://" + "/".join(place), ", ".join(name for name, _ in sharing)
    subject = RULE.about(own.root, "key", own.backend.location, related)
    said = subject.say("shared", shown=shown, others=others, environment=environment)
    return said if sharing else subject.proven(expected=said.expected, found=shown)


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
