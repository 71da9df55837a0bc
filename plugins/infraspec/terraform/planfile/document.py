"""What a file is: a plan, a state as `terraform show -json` prints it, or a raw state."""

from __future__ import annotations

import re
from enum import Enum

import msgspec
from msgspec import UNSET

from infraspec.core.errors import PlanError
from infraspec.terraform.planfile.records import REMEDY, Buffer, PlanFileDocument, misshapen, parse, to_utf8

SUPPORTED = "0.1 to 1.x"
RAW_STATE_VERSION = 4
STATE_REMEDY = "terraform show -json > state.json"
_VERSION = re.compile(r"(\d+)\.(\d+)")
_NEWEST_MAJOR = 1
_SHOWN_KEYS = 6
_EMPTY_STATE = {"format_version", "terraform_version", "timestamp"}


class FileKind(Enum):
    """The kinds of file; the value is what a message calls it."""

    PLAN = "a plan"
    STATE = "a state"
    RAW_STATE = "a raw state file"


def open_document(data: bytes, name: str) -> tuple[PlanFileDocument, FileKind]:
    """Decode a file's top level and tell what it is.

    Raises PlanError for what is neither plan nor state, and for a version this release does not know.
    """
    text = to_utf8(data, name)
    try:
        document = parse(text, PlanFileDocument, name)
    except msgspec.ValidationError as error:
        raise _wrong_shape(text, name, str(error)) from None
    kind = _kind(document, text, name)
    if kind is not FileKind.RAW_STATE:
        _check_format(document.format_version, kind, name)
    return document, kind


def _kind(document: PlanFileDocument, text: Buffer, name: str) -> FileKind:
    parts = (document.planned_values, document.resource_changes, document.configuration, document.output_changes)
    if document.format_version is not UNSET:
        if any(part is not UNSET for part in parts):
            return FileKind.PLAN
        if document.values is not UNSET:
            return FileKind.STATE
        keys = _keys(text, name)
        if set(keys) <= _EMPTY_STATE:
            return FileKind.STATE
        raise _something_else(keys, name)
    if document.encrypted_data is not UNSET:
        raise PlanError(
            "the state is encrypted", place=name, remedy="let the tool that encrypted it print it: tofu show -json"
        )
    if document.version is not UNSET and any(
        part is not UNSET for part in (document.resources, document.modules, document.serial, document.lineage)
    ):
        _check_raw_version(document.version, name)
        return FileKind.RAW_STATE
    raise _something_else(_keys(text, name), name)


def _check_format(version: object, kind: FileKind, name: str) -> None:
    found = _VERSION.match(version) if isinstance(version, str) else None
    if found is None:
        raise PlanError(
            "format_version is not a version", place=name, expected=f"{SUPPORTED}, as text", found=_described(version)
        )
    if int(found[1]) > _NEWEST_MAJOR:
        raise PlanError(
            f"{kind.value} of a format this release does not know",
            place=name,
            expected=f"format_version {SUPPORTED}",
            found=f"format_version {found[0]}",
            remedy="use a release of infraspec that supports it, or a terraform of series 1.x to print the file",
        )


def _check_raw_version(version: object, name: str) -> None:
    if version != RAW_STATE_VERSION or isinstance(version, bool):
        raise PlanError(
            "a raw state of a version this release does not read",
            place=name,
            expected=f"version {RAW_STATE_VERSION} (terraform 0.12 and later), or the output of `terraform show -json`",
            found=f"version {_described(version)}",
            remedy=f"{STATE_REMEDY}, with the terraform that the state belongs to",
        )


def _wrong_shape(text: Buffer, name: str, problem: str) -> PlanError:
    """Say what a JSON document is whose fields have other types than those of a plan."""
    try:
        top = parse(text, dict[str, msgspec.Raw], name)
    except msgspec.ValidationError as error:
        found = str(error).rpartition("got ")[2].strip("`")
        return _error_something_else(f"a JSON {found}", name)
    version = parse(top["format_version"], object, name) if "format_version" in top else None
    if version is None:
        return _something_else(list(top), name)
    try:
        _check_format(version, FileKind.PLAN, name)
    except PlanError as error:
        return error
    return misshapen(f"format_version {version}", problem, name, REMEDY)


def _something_else(keys: list[str], name: str) -> PlanError:
    if "provider_schemas" in keys:
        return _error_something_else("provider schemas (`terraform providers schema -json`)", name)
    if {"valid", "diagnostics"} <= set(keys):
        return _error_something_else("a validation result (`terraform validate -json`)", name)
    if not keys:
        return _error_something_else("an empty JSON object", name)
    shown = ", ".join(keys[:_SHOWN_KEYS]) + (", …" if len(keys) > _SHOWN_KEYS else "")
    return _error_something_else(f"a JSON object with the keys {shown}", name)


def _error_something_else(found: str, name: str) -> PlanError:
    return PlanError(
        "this is neither a plan nor a state",
        place=name,
        expected="the output of `terraform show -json`, or a raw state file",
        found=found,
        remedy=REMEDY,
    )


def _keys(text: Buffer, name: str) -> list[str]:
    return list(parse(text, dict[str, msgspec.Raw], name))


def _described(value: object) -> str:
    """Describe a version without showing what is no version."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and re.fullmatch(r"[\w.+-]{1,20}", value)):
        return str(value)
    return f"a {type(value).__name__}"
