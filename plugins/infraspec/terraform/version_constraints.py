"""Versions and version constraints of Terraform: `~> 1.10.0`, `>= 5.0, < 7.0`.

Source: Terraform Language Documentation, "Version Constraints".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

_CLAUSE = re.compile(
    r"^\s*(?P<operator>=|!=|>=|<=|>|<|~>)?\s*v?(?P<version>\d+(?:\.\d+)*)(?P<pre>-[0-9A-Za-z.-]+)?\s*$"
)
_FULL = 3


class Clause(Struct, frozen=True):
    """One comparison. `parts` are the numbers as written, `pre` the pre-release with its hyphen, or empty."""

    operator: str
    parts: tuple[int, ...]
    pre: str = ""

    @property
    def bounds_above(self) -> bool:
        """Whether it keeps a later major version out."""
        return self.operator in ("=", "<", "<=") or (self.operator == "~>" and len(self.parts) > 1)

    @property
    def is_exact(self) -> bool:
        """Whether it allows one version only."""
        return self.operator == "=" and len(self.parts) >= _FULL

    def allows(self, version: tuple[int, ...], pre: str = "") -> bool:
        """Tell whether a version meets it. A pre-release is met by exactly itself."""
        if pre or self.pre:
            return self.operator == "=" and (_padded(version), pre) == (_padded(self.parts), self.pre)
        own, other = _padded(self.parts), _padded(version)
        match self.operator:
            case "=":
                return other == own
            case "!=":
                return other != own
            case ">":
                return other > own
            case ">=":
                return other >= own
            case "<":
                return other < own
            case "<=":
                return other <= own
            case _:
                fixed = max(len(self.parts) - 1, 1)
                return other >= own and other[:fixed] == own[:fixed]


def parse(text: str) -> tuple[Clause, ...] | None:
    """Return the clauses of a constraint, all of which have to be met; None if it is not one."""
    clauses = []
    for piece in text.split(","):
        found = _CLAUSE.match(piece)
        if found is None:
            return None
        numbers = tuple(map(int, found["version"].split(".")))
        clauses.append(Clause(found["operator"] or "=", numbers, found["pre"] or ""))
    return tuple(clauses)


def allows(clauses: Iterable[Clause], version: str) -> bool:
    """Tell whether a version, such as 6.66.0, meets all clauses; False for text that is no version."""
    found = _CLAUSE.match(version)
    if found is None or found["operator"]:
        return False
    numbers = tuple(map(int, found["version"].split(".")))
    return all(clause.allows(numbers, found["pre"] or "") for clause in clauses)


def _padded(parts: tuple[int, ...]) -> tuple[int, ...]:
    return (*parts, *[0] * (_FULL - len(parts)))
