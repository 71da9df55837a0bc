"""The functions of the Terraform language: `call(name, arguments, files)`.

Source: Terraform Language, "Functions". Every function is pure, and never gives a definite answer that depends on a
part which is not known: such a result is an Unknown named by the call, or a value with the unknown part in its place.
`try`, `can`, `templatefile` and `templatestring` are the evaluator's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import groupby

from infraspec.core.errors import EvaluationError, TerraformError, UndeclaredError
from infraspec.core.limits import BUDGET, CALL, demand_length, steps_of
from infraspec.core.unknown import (
    Application,
    Character,
    Reference,
    Sensitive,
    Text,
    Unknown,
    Value,
    composed,
    computed_from,
    concatenate,
    is_known,
    marked,
    opened,
    unknowns,
)
from infraspec.terraform.language import partial_values
from infraspec.terraform.language.conversions import reveal
from infraspec.terraform.language.functions import (
    collections,
    dates,
    encoding,
    filesystem,
    formatting,
    networks,
    patterns,
    primitives,
    serialization,
    strings,
)
from infraspec.terraform.language.functions.collections import certain_elements
from infraspec.terraform.language.functions.parameters import REGISTRY, Files, Function
from infraspec.terraform.language.partial_values import Undetermined, is_scalar
from infraspec.terraform.language.values import ListValue, MapValue, SetValue, is_indefinite

MODULES = (
    collections, dates, encoding, filesystem, formatting, networks, patterns, primitives, serialization, strings,
)  # fmt: skip
"""The modules whose import registers the functions."""


_ELSEWHERE = frozenset({
    "assumeequal", "assumelistlength", "assumelistlengthmax", "assumelistlengthmin", "assumemaplength",
    "assumemaplengthmax", "assumemaplengthmin", "assumenotnull", "assumesetlength", "assumesetlengthmax",
    "assumesetlengthmin", "assumestringprefix", "base64gzip", "bcrypt", "can", "convert", "plantimestamp", "rsadecrypt",
    "templatefile", "templatestring", "timestamp", "try", "type", "uuid",
})  # fmt: skip
"""Functions of Terraform or OpenTofu whose results are not known, and those that the evaluator computes."""


_REPLACED = {"list": "tolist([…])", "map": "tomap({…})"}
"""What took the place of functions that Terraform no longer has."""


def names() -> list[str]:
    """Return the names of the functions that can be computed, sorted."""
    return sorted(REGISTRY)


def exists(name: str) -> bool:
    """Tell whether the language has a function; one of a provider may exist."""
    plain = name.removeprefix("core::")
    return plain in REGISTRY or plain in _ELSEWHERE or "::" in plain


def call(name: str, arguments: Sequence[Value], files: Files) -> Value:
    """Return the result of a function.

    A function of a provider, and one that needs the outside world (`timestamp`), give an Unknown. Raises
    EvaluationError, FileAccessError or LimitError.
    """
    function = REGISTRY.get(name.removeprefix("core::")) or files.further(name)
    if function is None:
        if not exists(name):
            raise _no_function(name)
        return partial_values.application(name, arguments)
    BUDGET.spend(CALL + sum(map(steps_of, arguments)))
    if function.name in _MARKS or not any(isinstance(argument, Sensitive) for argument in arguments):
        return _apply(function, arguments, arguments, files)
    result = _apply_hidden(function, arguments, files)
    return marked(partial_values.application(function.name, arguments).address, result, *arguments)


_TOTAL = frozenset({"issensitive", "jsonencode", "nonsensitive", "sensitive", "timestamp", "type", "uuid"})
"""Functions that have a result whatever the arguments are."""

_OF_TEXT = frozenset({
    "base64encode", "base64sha256", "base64sha512", "chomp", "endswith", "join", "length", "lower", "md5", "sha1",
    "sha256", "sha512", "split", "startswith", "strcontains", "strrev", "title", "tostring", "trim", "trimprefix",
    "trimspace", "trimsuffix", "upper", "urlencode",
})  # fmt: skip
"""Functions that have a result whatever text they are given."""

_OF_TEXTS = frozenset({"join", "length"})
"""Those of them that take lists of text too."""

_OF_ELEMENTS = frozenset({
    "concat", "contains", "element", "keys", "length", "lookup", "merge", "one", "reverse", "slice", "values",
})  # fmt: skip
"""Functions that do not look at the elements of the collections that they are given."""


def may_fail(name: str, arguments: Sequence[Value], result: Value) -> bool:
    """Tell whether what is not known of the arguments may leave a call without a result, whatever is said of it now."""
    plain = name.removeprefix("core::")
    open_arguments = [value for value in map(reveal, arguments) if not is_known(value)]
    if plain in _CONVERSIONS and None in (elements := _elements(arguments[0])):
        return any(isinstance(element, (list, dict)) for element in elements)
    if plain in _OF_ONE_TYPE and len(arguments) > 1 and any(map(_is_untyped, arguments)):
        return True
    if plain in _TOTAL or (not open_arguments and is_known(reveal(result))):
        return False
    if not open_arguments or any(map(is_indefinite, open_arguments)):
        return True
    if plain == "format" and isinstance(arguments[0], str):
        plain = "join" if set(_VERB.findall(arguments[0])) <= {"s", "v", "%"} else plain
    if plain in _OF_TEXT and all(is_scalar(one) or (plain in _OF_TEXTS and _is_text(one)) for one in open_arguments):
        return False
    return plain not in _OF_ELEMENTS or any(isinstance(value, (Unknown, Text)) for value in open_arguments)


_OF_ONE_TYPE = frozenset({
    "coalesce", "coalescelist", "matchkeys", "setintersection", "setsubtract", "setsymmetricdifference", "setunion",
})  # fmt: skip
"""Functions whose arguments have to have one type."""


def _is_untyped(value: Value) -> bool:
    """Tell whether a collection is empty, so that nothing tells the type of its elements: of pairs, for instance."""
    return isinstance(value, ListValue | MapValue | SetValue) and not value


_CONVERSIONS = frozenset({"tolist", "tomap", "toset"})
"""Functions that do not take null beside a list or an object."""


def _elements(value: Value) -> list[Value]:
    return [*value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []


_VERB = re.compile("%(.)")


def _is_text(value: Value) -> bool:
    return is_scalar(value) or (isinstance(value, list) and all(is_known(item) or is_scalar(item) for item in value))


def _no_function(name: str) -> UndeclaredError:
    plain = name.removeprefix("core::")
    close = [_REPLACED[plain]] if plain in _REPLACED else get_close_matches(plain, [*REGISTRY, *_ELSEWHERE], 1)
    return UndeclaredError(
        f'there is no function "{name}"',
        expected="a function of the Terraform language, or provider::NAME::FUNCTION",
        remedy=f"did you mean {close[0]}?" if close else "use one that is documented under Terraform, Functions",
    )


_MARKS = frozenset({"sensitive", "nonsensitive", "issensitive", "ephemeralasnull"})
"""Functions about sensitivity itself."""


def _apply_hidden(function: Function, arguments: Sequence[Value], files: Files) -> Value:
    """Compute with what the sensitive arguments hide; an error then says nothing of them."""
    revealed = [reveal(argument) if isinstance(argument, Sensitive) else argument for argument in arguments]
    try:
        return _apply(function, revealed, arguments, files)
    except TerraformError as error:
        message = f'Call to function "{function.name}" failed: an argument that is sensitive does not fit'
        raise type(error)(message, found="a sensitive value") from None


def _apply(function: Function, arguments: Sequence[Value], shown: Sequence[Value], files: Files) -> Value:
    try:
        _demand_computable(function, arguments)
        converted = function.convert(arguments)
        result = function.compute(files, *converted) if function.files else function.compute(*converted)
        return _paid(result)
    except Undetermined:
        answer = _of_characters(function, arguments, files)
        known = [begun(argument, files) for argument in arguments]
        if answer is None and known != list(arguments):
            begin = _apply(function, known, shown, files)
            answer = begin if is_known(begin) else None
        if answer is not None:
            return answer
        unknown = partial_values.application(function.name, shown)
        return opened(unknown, certain_elements(function.name, arguments)) if arguments is shown else unknown
    except EvaluationError as error:
        raise type(error)(
            f'Call to function "{function.name}" failed: {error.message}',
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
        ) from None


def _paid(result: Value) -> Value:
    """Return a result, for the size of which the budget is charged. Raises LimitError."""
    if type(result) is str:
        demand_length(len(result))
        return composed(result)
    if isinstance(result, (list, dict)):
        BUDGET.spend(len(result))
    return result


def begun(value: Value, files: Files) -> Value:
    """Return text or an attribute with what it is known to begin with."""
    if type(value) is Unknown and value.address in files.beginnings:
        return concatenate(
            [files.beginnings[value.address], Unknown(f"{value.address} after its beginning", computed_from(value))]
        )
    if type(value) is Text:
        return concatenate(begun(part, files) for part in value.parts)
    return value


_SEARCHES = frozenset({"endswith", "replace", "split", "startswith", "strcontains", "trimprefix", "trimsuffix"})
"""Functions that look for a text in another, and ask nothing else of either."""
_CODES = 0xE100
"""The first of the characters of private use that stand for single characters which are not known."""


def _of_characters(function: Function, arguments: Sequence[Value], files: Files) -> Value:
    """Compute on text with single characters that are not known; None where it matters which ones they are.

    AWS chooses letters and digits. Source: AWS Secrets Manager User Guide, "What's in a Secrets Manager secret?".
    """
    hidden = list(dict.fromkeys(unknowns(list(arguments))))
    of_pattern = function.name == "replace" and str(arguments[1])[:1] == "/"
    if not hidden or function.name not in _SEARCHES | {"length", "substr"} or of_pattern:
        return None
    searches = function.name in _SEARCHES
    if not all(isinstance(one, Character) or (searches and _is_key(one)) for one in hidden):
        return None
    codes = {one: chr(_CODES + index) * _length_of(one) for index, one in enumerate(hidden)}
    coded = [_encoded(argument, codes) for argument in arguments]
    texts = [one for one in coded if isinstance(one, str)]
    sought = texts if searches else []
    if any(_may_stand(needle, text) for needle in sought for text in texts if text != needle):
        return None
    return _decoded(_apply(function, coded, coded, files), {code[0]: one for one, code in codes.items()})


def first_pieces(pieces: Unknown, index: Value) -> Value:
    """Return a piece of text that is split, where the known beginning of the text has all of it, else an unknown."""
    split = Application.of(pieces)
    if split is None or split.function != "split" or type(index) is not int:
        return pieces
    separator, text = split.arguments
    known = partial_values.known_prefix(text).split(separator)[:-1] if isinstance(separator, str) and separator else []
    return known[index] if 0 <= index < len(known) else pieces


def _encoded(value: Value, codes: Mapping[Unknown, str]) -> Value:
    if not isinstance(value, Text):
        return codes.get(value, value) if isinstance(value, Unknown) else value
    return "".join(part if isinstance(part, str) else codes[part] for part in value.parts)


def _may_stand(needle: str, text: str) -> bool:
    """Tell whether a text may stand in another where that, or itself, has a code."""
    places = (text[start : start + len(needle)] for start in range(len(text) - len(needle) + 1))
    return any(place != needle and all(map(_may_be, needle, place)) for place in places)


def _may_be(one: str, other: str) -> bool:
    return one == other or (_is_unknown(one) and _is_unknown(other))


def _is_unknown(character: str) -> bool:
    """Tell whether a character is a code, or may be what one stands for."""
    return character.isalnum() or character == "-" or character >= chr(_CODES)


def _is_key(unknown: Unknown) -> bool:
    """Tell whether an unknown is the id of a key: letters, digits and hyphens. Source: AWS KMS, "Key identifiers"."""
    found = Reference.of(unknown)
    return found is not None and (found.type, found.attribute) == ("aws_kms_key", "key_id")


def _length_of(unknown: Unknown) -> int:
    """Return how many characters it has; the id of a key, `mrk-` included, 36. Source: AWS KMS, "Key identifiers"."""
    return 1 if isinstance(unknown, Character) else 36


def _decoded(value: Value, hidden: Mapping[str, Unknown]) -> Value:
    if isinstance(value, list):
        return ListValue(_decoded(one, hidden) for one in value)
    if not isinstance(value, str):
        return value
    parts: list[str | Unknown] = []
    for character, run in groupby(value):
        text, one = "".join(run), hidden.get(character)
        parts += [text] if one is None else [one] * (len(text) // _length_of(one))
    return parts[0] if len(parts) == 1 else concatenate(parts)


def _demand_computable(function: Function, arguments: Sequence[Value]) -> None:
    """Raise Undetermined if a function does not cope with what is not known of its arguments."""
    if function.structural:
        computable = function.sets or not any(map(is_indefinite, arguments))
    else:
        computable = all(map(is_known, arguments))
    if not computable:
        raise Undetermined
