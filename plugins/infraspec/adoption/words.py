"""Words that environments are called by, and what paths have beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENVIRONMENT_WORDS = _words(
    """
    demo dev develop development int integration live local nonprod perf prd preprod preproduction preview prod
    production qa sandbox sbx stage staging stg test testing tst uat
    """
)
PRODUCTION = ("prod", "production", "prd", "live")

_GENERIC = _words(
    """
    . account accounts aws deploy deployment deployments env environment environments envs example examples iac infra
    infrastructure live main root roots src stack stacks terraform terraforms test tests tf tofu
    """
)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_PARTING = re.compile(r"[-_.]+")


def environment_word(text: str) -> str | None:
    """Return the word of a file's or directory's name that an environment is called by: `dev` of `app-dev`."""
    if text.lower() in ENVIRONMENT_WORDS:
        return text
    return next((word for word in reversed(_PARTING.split(text)) if word.lower() in ENVIRONMENT_WORDS), None)


def is_production(name: str) -> bool:
    """Tell whether an environment is production, by its name."""
    return bool(set(PRODUCTION) & set(_PARTING.split(name.lower())))


def name_of_path(path: str) -> str:
    """Return a name for an environment by the path of its root: `prod-network` of `terraform/envs/prod/network`."""
    parts = [part for part in path.split("/") if part.lower() not in _GENERIC]
    last = path.rpartition("/")[2]
    return valid_name("-".join(parts or ([last] if last.lower() in ENVIRONMENT_WORDS else [])))


def valid_name(text: str) -> str:
    """Return a text as the name of an environment: letters, digits, dots, dashes and underscores."""
    return _NOT_IN_NAMES.sub("-", text).strip("-_.")


def unique(name: str, others: Iterable[str], *prefixes: str) -> str:
    """Return a name that no other has, with a prefix in front or a number behind if need be."""
    taken = set(others)
    candidates = [name, *(f"{prefix}-{name}" for prefix in prefixes if prefix and prefix != name)]
    number = 2
    while all(candidate in taken for candidate in candidates):
        candidates.append(f"{name}-{number}")
        number += 1
    return next(candidate for candidate in candidates if candidate not in taken)
