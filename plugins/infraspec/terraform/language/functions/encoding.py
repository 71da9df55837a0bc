"""Functions that encode and decode: base64, URLs and CSV."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
import zlib
from collections.abc import Callable
from urllib.parse import quote_plus, unquote_to_bytes

from infraspec.core.errors import EvaluationError, LimitError
from infraspec.terraform.language.functions.parameters import function, text, utf8, well_formed
from infraspec.terraform.language.partial_values import Undetermined
from infraspec.terraform.language.values import ListValue

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_PLAIN = re.compile(r'[^,"\n]*')


def rows(text: str) -> list[list[str]]:
    """Return the fields of each record; EvaluationError for a stray or open quote."""
    text = text.replace("\r\n", "\n")
    records: list[list[str]] = []
    position = 0
    while position < len(text):
        if text[position] == "\n":
            position += 1
            continue
        record, position = _record(text, position)
        records.append(record)
    return records


def _record(text: str, position: int) -> tuple[list[str], int]:
    fields: list[str] = []
    while True:
        quoted = _QUOTED.match(text, position)
        found = quoted or _PLAIN.match(text, position)
        end = found.end() if found else position
        if text[end : end + 1] not in {"", ",", "\n"}:
            line = text.count("\n", 0, end) + 1
            raise EvaluationError("invalid CSV data", expected="a comma or the end of the line", found=f"line {line}")
        field, position = (quoted[1].replace('""', '"') if quoted else text[position:end]), end
        fields.append(field)
        if text[position : position + 1] != ",":
            return fields, position + 1
        position += 1


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


_CODECS = {"UTF-8", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "WINDOWS-1252"}
"""Encodings that Python and Terraform have under the same name; the result of others is unknown."""

_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _bytes(value: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", value).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise EvaluationError("failed to decode base64 data", expected="text in base64 with padding") from None


def _text(data: bytes, codec: str) -> str:
    try:
        return well_formed(data.decode(codec))
    except UnicodeDecodeError:
        raise EvaluationError(f"the decoded data is not {codec} text") from None


@function("textencodebase64", text, text)
def text_encode(value: str, codec: str) -> str:
    """Encode text in a character encoding, and that in base64."""
    try:
        return base64.b64encode(value.encode(_known_codec(codec))).decode()
    except UnicodeEncodeError:
        raise EvaluationError(f"the text holds characters that {codec} does not have") from None


def _known_codec(name: str) -> str:
    if name.upper() not in _CODECS:
        raise Undetermined
    return name


@function("urldecode", text)
def url_decode(value: str) -> str:
    """Undo `urlencode`."""
    if _ESCAPE.search(value):
        raise EvaluationError("failed to decode URL", expected="% and two hexadecimal digits")
    return _text(unquote_to_bytes(utf8(value.replace("+", " "))), "utf-8")


_LARGEST = 16 << 20
"""How much text is unpacked at most."""


@function("base64gunzip", text)
def gunzip(value: str) -> str:
    """Unpack what `base64gzip` makes. Source: OpenTofu, "base64gunzip" Function."""
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = unpack.decompress(_bytes(value), _LARGEST)
    except zlib.error:
        raise EvaluationError("failed to gunzip", expected="data that gzip has packed, in base64") from None
    if not unpack.eof:
        raise LimitError("the packed text is cut off or too long", expected=f"at most {_LARGEST} bytes") from None
    return _text(data, "utf-8")


@function("csvdecode", text)
def csv_decode(value: str) -> ListValue:
    """Decode CSV with a header line to a list of objects."""
    header, *records = rows(value) or [[]]
    if not header:
        raise EvaluationError("missing header line", expected="a line of column names")
    if len(set(header)) < len(header):
        raise EvaluationError("duplicate column name", expected="columns of different names", found=", ".join(header))
    for record in records:
        if len(record) != len(header):
            raise EvaluationError("wrong number of fields", expected=str(len(header)), found=str(len(record)))
    return ListValue(dict(zip(header, record, strict=True)) for record in records)


function("base64encode", text)(lambda value: base64.b64encode(utf8(value)).decode())
function("base64decode", text)(lambda value: _text(_bytes(value), "utf-8"))
function("textdecodebase64", text, text)(lambda value, codec: _text(_bytes(value), _known_codec(codec)))
function("urlencode", text)(lambda value: quote_plus(utf8(value)))
