"""Rule `versions`: terraform, providers and modules are pinned, and the lock file holds what is required.

Source: Terraform Language Documentation, "Version Constraints", "Dependency Lock File" and "Module Sources".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from infraspec.contract.models import Contract
from infraspec.contract.structure import Versions
from infraspec.finding import Finding, Location, Verdict
from infraspec.terraform.settings import LOCK_FILE, Call, Requirement, RootSettings
from infraspec.terraform.version_constraints import Clause, allows, parse

RULE = "versions"
_REF = re.compile(r"[?&]ref=(?P<ref>[^&]+)")
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
_TAG = re.compile(r"^v?\d+\.\d+")
_LOCK = "terraform init && git add .terraform.lock.hcl"
_PLATFORMS = "terraform providers lock -platform=linux_amd64 -platform=darwin_arm64"


def check_versions(settings: RootSettings, contract: Contract) -> list[Finding]:
    """Judge the constraints of a root module and of the local modules it calls, its module calls and its lock file."""
    rules = contract.versions or Versions()
    return [
        *_terraform(settings),
        *_providers(settings),
        *(_call(call, rules) for call in settings.calls if call.kind != "local"),
        *_lock(settings, rules),
    ]


def _terraform(settings: RootSettings) -> Iterator[Finding]:
    for entry in settings.terraform:
        yield _bounded(settings, entry, "required_version", "~> 1.10.0")
    for directory in settings.directories:
        if all(entry.directory != directory for entry in settings.terraform):
            yield _violated(
                directory,
                "required_version",
                settings.locations[directory],
                "a required_version",
                "none",
                "any version of terraform may write the state, and an older one cannot read it again",
                'terraform {\n  required_version = "~> 1.10.0"\n}',
            )


def _providers(settings: RootSettings) -> Iterator[Finding]:
    for entry in settings.providers:
        yield _bounded(settings, entry, f"provider {entry.name}", "~> 6.0")
    for name, directory in settings.implied.items():
        yield _violated(
            directory,
            f"provider {name}",
            settings.locations[directory],
            f"{name} in required_providers",
            "it is used and not required",
            "terraform takes hashicorp's newest provider of that name",
            f'required_providers {{\n  {name} = {{\n    source  = "hashicorp/{name}"\n    version = "~> …"\n  }}\n}}',
        )


def _bounded(settings: RootSettings, entry: Requirement, subject: str, example: str) -> Finding:
    """Judge one constraint: a root module keeps later major versions out, the modules it calls may leave that to it."""
    is_root = entry.directory == settings.root
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
        return Finding(RULE, Verdict.PROVEN, entry.directory, subject, entry.location, expected, entry.version)
    return _violated(entry.directory, subject, entry.location, expected, entry.version or "none", reason, remedy)


def _call(call: Call, rules: Versions) -> Finding:
    if call.kind == "registry":
        return _registry(call, rules)
    found = _REF.search(call.source)
    ref = found["ref"] if found else ""
    expected = "a source with ?ref= of a version tag or a commit"
    if _COMMIT.match(ref) or _TAG.match(ref):
        return Finding(RULE, Verdict.PROVEN, call.address, "source", call.location, expected, call.source)
    reason = f"{ref} may be a branch, which moves" if ref else "the source may change without a change here"
    remedy = f'source = "{call.source.split("?")[0]}?ref=v1.2.3"'
    return _violated(call.address, "source", call.location, expected, call.source or "none", reason, remedy)


def _registry(call: Call, rules: Versions) -> Finding:
    exact = rules.modules == "exact"
    expected = "one version, such as 5.1.0" if exact else "a version with an upper bound, such as ~> 5.1"
    clauses = parse(call.version) if call.version else ()
    if clauses and any(clause.is_exact if exact else clause.bounds_above for clause in clauses):
        return Finding(RULE, Verdict.PROVEN, call.address, "version", call.location, expected, call.version)
    reason = "the lock file does not hold modules: each terraform init may take another version"
    return _violated(
        call.address, "version", call.location, expected, call.version or "none", reason, 'version = "5.1.0"'
    )


def _lock(settings: RootSettings, rules: Versions) -> Iterator[Finding]:
    needed = _constraints(settings)
    if settings.lock is None:
        if needed:
            yield _violated(
                settings.root,
                LOCK_FILE,
                next((entry.location for entry in settings.providers if entry.directory == settings.root), None),
                f"{LOCK_FILE} in version control",
                "none",
                "each terraform init may take another provider, and nobody checks that it is the same archive",
                _LOCK,
            )
        return
    locked = {entry.source: entry for entry in settings.lock}
    for source, clauses in needed.items():
        entry = locked.get(source)
        expected = f"{source} in {LOCK_FILE}, in a version that is allowed" + (
            ", with checksums" if rules.hashes else ""
        )
        if entry is None:
            where = Location(f"{settings.root}/{LOCK_FILE}")
            yield _violated(
                settings.root, source, where, expected, "none", "it was required after the last init", _LOCK
            )
        elif not allows(clauses, entry.version):
            reason = "the constraints have changed since the last init"
            yield _violated(
                settings.root, source, entry.location, expected, entry.version, reason, "terraform init -upgrade"
            )
        elif rules.hashes and not entry.hashes:
            reason = "nobody checks that the archive is the same one"
            yield _violated(settings.root, source, entry.location, expected, "no hashes", reason, _PLATFORMS)
        else:
            yield Finding(RULE, Verdict.PROVEN, settings.root, source, entry.location, expected, entry.version)


def _constraints(settings: RootSettings) -> dict[str, tuple[Clause, ...]]:
    """Return what all directories together demand of each provider."""
    needed: dict[str, tuple[Clause, ...]] = {}
    for entry in settings.providers:
        needed[entry.source] = needed.get(entry.source, ()) + (parse(entry.version) or ())
    return needed


def _violated(  # noqa: PLR0917 - the parts of a finding
    address: str, subject: str, location: Location | None, expected: str, found: str, reason: str, remedy: str
) -> Finding:
    return Finding(RULE, Verdict.VIOLATED, address, subject, location, expected, found, reason, remedy)
