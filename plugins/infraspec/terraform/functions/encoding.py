"""Functions that encode and decode: base64, URLs and CSV."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote_plus, unquote_to_bytes

from infraspec.errors import EvaluationError
from infraspec.terraform.functions.characters import utf8, well_formed
from infraspec.terraform.functions.csv_text import rows
from infraspec.terraform.functions.parameters import text
from infraspec.terraform.functions.registry import function
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.values import ListValue

_CODECS = {"UTF-8", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "WINDOWS-1252"}
"""Encodings that Python and Terraform have under the same name; the result of others is unknown."""

_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@function("base64encode", text)
def base64_encode(value: str) -> str:
    """Encode the UTF-8 bytes of text."""
    return base64.b64encode(utf8(value)).decode()


@function("base64decode", text)
def base64_decode(value: str) -> str:
    """Decode to text, which must be UTF-8."""
    return _text(_bytes(value), "utf-8")


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


@function("textdecodebase64", text, text)
def text_decode(value: str, codec: str) -> str:
    """Decode base64 of text in a character encoding."""
    return _text(_bytes(value), _known_codec(codec))


def _known_codec(name: str) -> str:
    if name.upper() not in _CODECS:
        raise Undetermined
    return name


@function("urlencode", text)
def url_encode(value: str) -> str:
    """Escape text for a query, a blank as `+`."""
    return quote_plus(utf8(value))


@function("urldecode", text)
def url_decode(value: str) -> str:
    """Undo `urlencode`."""
    if _ESCAPE.search(value):
        raise EvaluationError("failed to decode URL", expected="% and two hexadecimal digits")
    return _text(unquote_to_bytes(utf8(value.replace("+", " "))), "utf-8")


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
