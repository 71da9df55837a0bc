"""The fields of an ARN that may hold unknown parts."""

from __future__ import annotations

from infraspec.unknown import Text, Unknown, Value, concatenate

_NAMES = ("arn", "partition", "service", "region", "account")


def arn_fields(arn: Value) -> dict[str, Value]:
    """Split an ARN, known or partly known, into its first five fields; none if it is not certain to be one."""
    parts = arn.parts if isinstance(arn, Text) else (arn,)
    if not isinstance(parts[0], str) or not parts[0].startswith("arn:"):
        return {}
    fields: list[list[str | Unknown]] = [[]]
    for part in parts:
        pieces = part.split(":") if isinstance(part, str) else [part]
        fields[-1].append(pieces[0])
        fields.extend([piece] for piece in pieces[1:])
    if len(fields) <= len(_NAMES):
        return {}
    joined = [concatenate(field) for field in fields[: len(_NAMES)]]
    alone = [value.parts[0] if isinstance(value, Text) and len(value.parts) == 1 else value for value in joined]
    return dict(zip(_NAMES, alone, strict=True))
