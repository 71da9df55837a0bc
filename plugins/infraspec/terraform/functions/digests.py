"""Hashes, and identifiers made of them."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable

from infraspec.errors import EvaluationError
from infraspec.terraform.functions.characters import utf8
from infraspec.terraform.functions.parameters import text
from infraspec.terraform.functions.registry import function

HASHES: dict[str, Callable[[bytes], bytes]] = {
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
}
"""The hash functions by name."""

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}


def base64_text(data: bytes) -> str:
    """Write bytes in base64."""
    return base64.b64encode(data).decode()


def _register(name: str, digest: Callable[[bytes], bytes], write: Callable[[bytes], str]) -> None:
    @function(name, text)
    def compute(value: str) -> str:
        return write(digest(utf8(value)))


for _name, _digest in HASHES.items():
    _register(_name, _digest, bytes.hex)
for _name in ("sha256", "sha512"):
    _register(f"base64{_name}", HASHES[_name], base64_text)


@function("uuidv5", text, text)
def uuid_of_name(namespace: str, name: str) -> str:
    """Return the version 5 UUID of a name."""
    return str(uuid.UUID(bytes=HASHES["sha1"](_namespace(namespace).bytes + utf8(name))[:16], version=5))


def _namespace(name: str) -> uuid.UUID:
    if name in _NAMESPACES:
        return _NAMESPACES[name]
    try:
        return uuid.UUID(name)
    except ValueError:
        expected = ", ".join(_NAMESPACES) + " or a UUID"
        raise EvaluationError("uuidv5() doesn't support the namespace", expected=expected, found=name) from None
