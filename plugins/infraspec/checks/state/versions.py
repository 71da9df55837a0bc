"""Rule `versions`: terraform, providers and modules are pinned, and the lock file holds what is required.

Source: Terraform Language Documentation, "Version Constraints", "Dependency Lock File" and "Module Sources".

Source: Terraform Language Documentation, "Version Constraints".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from infraspec.contract.models import Contract
from infraspec.contract.static import Versions
from infraspec.core.finding import Finding, Location
from infraspec.core.rules import RULES
from infraspec.terraform.configuration.settings import (
    Locked,
    ModuleCall,
    RootSettings,
    VersionClause,
    VersionRequirement,
    allows,
    parse,
)
from infraspec.terraform.configuration.tools import LOCK_FILE

RULE = RULES["versions"]

_REF = re.compile(r"[?&]ref=(?P<ref>[^&]+)")
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
_TAG = re.compile(r"^v?\d+\.\d+")
_LOCK = "terraform init && git add .terraform.lock.hcl"
_PLATFORMS = "terraform providers lock -platform=linux_amd64 -platform=darwin_arm64"


def check_versions(root_module: RootSettings, contract: Contract) -> list[Finding]:
    """Judge the constraints of a root module and of the local modules it calls, its module calls and its lock file."""
    rules = contract.versions or Versions()
    return [
        *_terraform(root_module),
        *_providers(root_module),
        *(_call(call, rules) for call in root_module.calls if call.kind != "local"),
        *_lock(root_module, rules),
    ]


def _terraform(settings: RootSettings) -> Iterator[Finding]:
    for entry in settings.terraform:
        yield _bounded(settings, entry, "required_version", "~> 1.10.0")
    for directory in settings.directories:
        if all(entry.directory != directory for entry in settings.terraform):
            yield RULE.about(directory, "required_version", settings.locations[directory]).say("no-required-version")


def _providers(settings: RootSettings) -> Iterator[Finding]:
    for entry in settings.providers:
        yield _bounded(settings, entry, f"provider {entry.name}", "~> 6.0")
    for name, directory in settings.implied.items():
        yield RULE.about(directory, f"provider {name}", settings.locations[directory]).say("not-required", name=name)


def _bounded(settings: RootSettings, entry: VersionRequirement, name: str, example: str) -> Finding:
    """Judge one constraint: a root module keeps later major versions out, the modules it calls may leave that to it."""
    is_root, subject = entry.directory == settings.root, RULE.about(entry.directory, name, entry.location)
    expected = f"a version with an upper bound, such as {example}" if is_root else "a version constraint"
    remedy = f'{"required_version" if not entry.source else "version"} = "{example}"'
    clauses = parse(entry.version) if entry.version else ()
    if clauses is None:
        reason = "it is not a version constraint"
    elif not clauses:
        reason = "any version may be taken"
    elif is_root and not any(clause.bounds_above for clause in clauses):
        reason = "the next major version may be taken, and it is not compatible"
    else:
        return subject.proven(expected=expected, found=entry.version)
    return subject.violated(expected=expected, found=entry.version or "none", reason=reason, remedy=remedy)


def _call(call: ModuleCall, rules: Versions) -> Finding:
    if call.kind == "registry":
        return _registry(call, rules)
    if call.kind == "unknown":
        return RULE.about(call, "source").say("source-not-known", source=f"{call.source} {call.version}".strip())
    found = _REF.search(call.source)
    ref = found["ref"] if found else ""
    expected, subject = "a source with ?ref= of a version tag or a commit", RULE.about(call, "source")
    if _COMMIT.match(ref) or _TAG.match(ref):
        return subject.proven(expected=expected, found=call.source)
    reason = f"{ref} may be a branch, which moves" if ref else "the source may change without a change here"
    remedy = f'source = "{call.source.split("?")[0]}?ref=v1.2.3"'
    return subject.violated(expected=expected, found=call.source or "none", reason=reason, remedy=remedy)


def _registry(call: ModuleCall, rules: Versions) -> Finding:
    exact, subject = rules.modules == "exact", RULE.about(call, "version")
    expected = "one version, such as 5.1.0" if exact else "a version with an upper bound, such as ~> 5.1"
    clauses = parse(call.version) if call.version else ()
    if clauses and any(clause.is_exact if exact else clause.bounds_above for clause in clauses):
        return subject.proven(expected=expected, found=call.version)
    reason = "the lock file does not hold modules: each terraform init may take another version"
    return subject.violated(expected=expected, found=call.version or "none", reason=reason, remedy='version = "5.1.0"')


def _lock(settings: RootSettings, rules: Versions) -> Iterator[Finding]:
    needed = _constraints(settings)
    if settings.lock is None:
        own = (entry.location for entry in settings.providers if entry.directory == settings.root)
        if needed:
            yield RULE.about(settings.root, LOCK_FILE, next(own, None)).say("no-lock-file", lock_file=LOCK_FILE)
        return
    locked = {entry.source: entry for entry in settings.lock}
    yield from (_locked(settings, rules, source, needed[source], locked.get(source)) for source in needed)


def _locked(
    settings: RootSettings, rules: Versions, source: str, clauses: tuple[VersionClause, ...], entry: Locked | None
) -> Finding:
    expected = f"{source} in {LOCK_FILE}, in a version that is allowed" + (", with checksums" if rules.hashes else "")
    where = entry.location if entry else Location(f"{settings.root}/{LOCK_FILE}")
    subject = RULE.about(settings.root, source, where)
    if entry is None:
        found, reason, remedy = "none", "it was required after the last init", _LOCK
    elif not allows(clauses, entry.version):
        found, reason = entry.version, "the constraints have changed since the last init"
        remedy = "terraform init -upgrade"
    elif rules.hashes and not entry.hashes:
        found, reason, remedy = "no hashes", "nobody checks that the archive is the same one", _PLATFORMS
    else:
        return subject.proven(expected=expected, found=entry.version)
    return subject.violated(expected=expected, found=found, reason=reason, remedy=remedy)


def _constraints(settings: RootSettings) -> dict[str, tuple[VersionClause, ...]]:
    """Return what all directories together demand of each provider."""
    needed: dict[str, tuple[VersionClause, ...]] = {}
    for entry in settings.providers:
        needed[entry.source] = needed.get(entry.source, ()) + (parse(entry.version) or ())
    return needed
