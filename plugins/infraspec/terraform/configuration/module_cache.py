"""The modules that `infraspec get` has fetched: what a source names, and where its files are kept.

They lie outside of every repository, below the cache directory of the user.

Source: Terraform Language Documentation, "Module Sources"; Terragrunt documentation, "Blocks" (tfr); XDG Base Directory
Specification ($XDG_CACHE_HOME).
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64encode
from hashlib import sha1, sha256
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from infraspec.core.runtime import repository_of, text_or_nothing

GET = "infraspec get"
"""The command that fetches modules."""
_REGISTRY = re.compile(r"(?:[\w.-]+\.[A-Za-z]+(?::\d+)?/)?[\w-]+/[\w-]+/[\w-]+")
_SHORTHAND = re.compile(r"(?:github\.com|bitbucket\.org|gitlab\.com)/[\w.-]+/[\w.-]+")
_OF_USER = re.compile(r"([\w.-]+@[\w.-]+):(?!//)(.+)")
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@")


class Package(Struct, frozen=True):
    """What is fetched for a source, in one piece: `kind` is git, registry, or empty for what nobody fetches.

    `url` is that of git, or an address in a registry; `ref` a commit, tag or branch, or the constraint of the version;
    `folder` is the module in it.
    """

    kind: str
    url: str
    ref: str = ""
    folder: str = ""

    @property
    def directory(self) -> Path:
        """Where the files are kept, be they there or not."""
        key = sha256(f"{self.kind} {self.url} {self.ref}".encode()).hexdigest()[:32]
        return modules_directory() / key

    @property
    def shown(self) -> str:
        """The package as people see it, without credentials."""
        return without_credentials(self.url) + (f" {self.ref}" if self.ref else "")


def modules_directory() -> Path:
    """Return where downloaded modules are kept."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(base) if os.path.isabs(base) else Path.home() / ".cache"  # noqa: PTH117 - an empty text is none
    return cache / "infraspec" / "modules"


def without_credentials(text: str) -> str:
    """Return a text without the user and password of the URLs in it, and without what may be a key in a query."""
    return re.sub(r"(?i)((?:sshkey|token|password|key)=)[^&\s]+", r"\1…", _CREDENTIALS.sub("", text))


def package_of(source: str, version: str = "") -> Package:
    """Return what a source names, with the version that a call demands."""
    text, _, query = source.partition("?")
    options = dict(part.partition("=")[::2] for part in query.split("&") if part)
    scheme, separator, rest = text.partition("://")
    path, _, folder = (rest if separator else text).partition("//")
    address = scheme + separator + path if separator else path
    if scheme == "tfr" and separator:
        return Package("registry", path.lstrip("/"), options.get("version", version), folder)
    forced, double, plain = address.partition("::")
    if double and forced != "git":
        return Package("", address, folder=folder)
    plain = plain if double else address
    if found := _OF_USER.fullmatch(plain):
        plain, double = f"ssh://{found[1]}/{found[2].lstrip('/')}", "::"
    elif _SHORTHAND.fullmatch(plain):
        plain, double = f"https://{plain}", "::"
    if double or plain.removesuffix("/").endswith(".git"):
        return Package("git", plain, options.get("ref", ""), folder)
    if _REGISTRY.fullmatch(address):
        return Package("registry", address, version, folder)
    return Package("", address, folder=folder)


def fetched(source: str, version: str = "") -> tuple[Path, Path] | None:
    """Return the directories of a package that was fetched and of the module in it; None if it was not."""
    package = package_of(source, version)
    if not package.kind or not package.directory.is_dir():
        return None
    module = Path(os.path.normpath(package.directory / package.folder))
    return (package.directory, module) if module.resolve().is_relative_to(package.directory.resolve()) else None


def copied_by_terragrunt(unit: Path, source: str) -> tuple[Path, Path] | None:
    """Return the same of what Terragrunt has fetched for a unit; None if it was another source or version.

    It keeps a package by the hash of its URL, and beside it that of the query, which is the version. Source: Terragrunt
    documentation, "Terragrunt Cache".
    """
    package = package_of(source)
    query = _digest(urlencode(sorted(parse_qsl(source.partition("?")[2]))))
    for url in (f"git::{package.url}", source.partition("?")[0].removesuffix(f"//{package.folder}")):
        for found in (unit / ".terragrunt-cache").glob(f"*/{_digest(url)}"):
            version = found / ".terragrunt-source-version"
            if text_or_nothing(version, unit).strip() == query:
                return found, found / package.folder
    return None


def _digest(text: str) -> str:
    return urlsafe_b64encode(sha1(text.encode(), usedforsecurity=False).digest()).decode().rstrip("=")


def submodule_of(directory: Path) -> str:
    """Return the path of the submodule that a directory lies in, if that is not checked out, else an empty text.

    Source: git documentation, "gitmodules".
    """
    repository = repository_of(next(each for each in (directory, *directory.parents) if each.is_dir()))
    text = text_or_nothing(repository / ".gitmodules", repository)
    for path in re.findall(r"(?m)^\s*path\s*=\s*(.+?)\s*$", text):
        place = repository / path
        if directory.resolve().is_relative_to(place.resolve()) and not (place.is_dir() and any(place.iterdir())):
            return str(path)
    return ""
