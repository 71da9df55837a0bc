"""The functions of the Terraform language: `call(name, arguments, files)`.

Source: Terraform Language, "Functions". Every function is pure, and never gives a definite answer that depends on a
part which is not known: such a result is an Unknown named by the call, or a value with the unknown part in its place.
`try`, `can`, `templatefile` and `templatestring` are the evaluator's.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from infraspec.core.errors import EvaluationError, TerraformError
from infraspec.core.unknown import Sensitive, Value, composed, is_known, opened
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
from infraspec.terraform.language.partial_values import Undetermined
from infraspec.terraform.language.values import is_indefinite

MODULES = (
    collections, dates, encoding, filesystem, formatting, networks, patterns, primitives, serialization, strings,
)  # fmt: skip
"""The modules whose import registers the functions."""


_ELSEWHERE = frozenset({
    "base64gunzip", "base64gzip", "bcrypt", "can", "cidrcontains", "convert", "plantimestamp", "rsadecrypt",
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
    function = REGISTRY.get(name.removeprefix("core::"))
    if function is None:
        if not exists(name):
            raise _no_function(name)
        return partial_values.application(name, arguments)
    if function.name in _MARKS or not any(isinstance(argument, Sensitive) for argument in arguments):
        return _apply(function, arguments, arguments, files)
    result = _apply_hidden(function, arguments, files)
    return Sensitive(partial_values.application(function.name, arguments).address, result)


def _no_function(name: str) -> EvaluationError:
    plain = name.removeprefix("core::")
    close = [_REPLACED[plain]] if plain in _REPLACED else get_close_matches(plain, [*REGISTRY, *_ELSEWHERE], 1)
    return EvaluationError(
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
        return composed(result) if type(result) is str else result
    except Undetermined:
        unknown = partial_values.application(function.name, shown)
        return opened(unknown, certain_elements(function.name, arguments)) if arguments is shown else unknown
    except EvaluationError as error:
        raise type(error)(
            f'Call to function "{function.name}" failed: {error.message}',
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
        ) from None


def _demand_computable(function: Function, arguments: Sequence[Value]) -> None:
    """Raise Undetermined if a function does not cope with what is not known of its arguments."""
    if function.structural:
        computable = function.sets or not any(map(is_indefinite, arguments))
    else:
        computable = all(map(is_known, arguments))
    if not computable:
        raise Undetermined
