"""The parts of an HCL file, each with the range of text to cut out to take it away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from infraspec.hcl.ast import Body, Call, Expression, File, Literal, Object, Tuple


class Part(NamedTuple):
    """A block, an attribute, an item of an object or of a list; `path` is such as `resource.aws_kms_key.x.policy`.

    Blocks that are there several times are numbered from the second on: `statement`, `statement#2`.
    """

    path: str
    start: int
    end: int


def parts(file: File) -> Iterator[Part]:
    """Yield every part of a file, outermost first."""
    yield from _of_body(file.source.text, file.body, "")


def without(text: str, part: Part) -> str:
    """Return the text of a file without a part."""
    return text[: part.start] + text[part.end :]


def _of_body(text: str, body: Body, prefix: str) -> Iterator[Part]:
    for name, attribute in body.attributes.items():
        yield Part(f"{prefix}{name}", attribute.at, attribute.end)
        yield from _of_expression(text, attribute.expression, f"{prefix}{name}", attribute.end)
    seen: Counter[str] = Counter()
    for block in body.blocks:
        path = prefix + ".".join((block.type, *block.labels))
        seen[path] += 1
        path += f"#{seen[path]}" if seen[path] > 1 else ""
        yield Part(path, block.at, block.end)
        yield from _of_body(text, block.body, f"{path}.")


def _of_expression(text: str, expression: Expression, path: str, end: int) -> Iterator[Part]:
    match expression:
        case Object(items=items):
            starts = [key.at for key, _ in items]
            names = [str(key.value) if isinstance(key, Literal) else "()" for key, _ in items]
            values = [value for _, value in items]
            close = text.rindex("}", expression.at, end)
        case Tuple(items=values):
            starts = [value.at for value in values]
            names = [str(index) for index in range(len(values))]
            close = text.rindex("]", expression.at, end)
        case Call(arguments=arguments):
            for argument in arguments:
                yield from _of_expression(text, argument, path, end)
            return
        case _:
            return
    for start, stop, name, value in zip(starts, [*starts[1:], close], names, values, strict=True):
        if len(values) > 1:  # the only item is the attribute itself
            yield Part(f"{path}.{name}", start, stop)
        yield from _of_expression(text, value, f"{path}.{name}", stop)
