"""The settings of a project of GitLab that decide what is merged, as its API gives them.

Sources: GitLab Docs, "Projects API" (only_allow_merge_if_pipeline_succeeds, allow_merge_on_skipped_pipeline) and
"Protected branches API".
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Location

_NOBODY = 0
_LEVELS = {30: "developers", 40: "maintainers", 60: "administrators"}
_WANTED = {"only_allow_merge_if_pipeline_succeeds": True, "allow_merge_on_skipped_pipeline": False}


class ProjectSettings(Struct, frozen=True):
    """What a file has of them."""

    location: Location
    values: Mapping[str, Any]
    places: Mapping[str, int]
    pushers: tuple[str, ...] | None
    """Who may push to the branch; None if the file does not say."""

    def judged(self) -> Iterator[tuple[str, str, str]]:
        """Yield each setting that decides, what it has to be, and what it is."""
        for name, wanted in _WANTED.items():
            value = self.values.get(name)
            yield name, json.dumps(wanted), json.dumps(bool(value) if value is None and not wanted else value)

    def place(self, key: str) -> Location:
        """Return the line on which a key stands; that of the file if it is not there."""
        return Location(self.location.file, self.places.get(key, 0))


def read_project(text: str, shown: str, branch: str | None) -> ProjectSettings:
    """Read the settings of a project. Raises ProcessFileError."""
    try:
        tree = json.loads(text)
        _ = tree["only_allow_merge_if_pipeline_succeeds"]
        protected = tree.get("protected_branches")
        named = branch or str(tree.get("default_branch") or "")
        pushers = None if protected is None else tuple(_pushers(protected, named))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProcessFileError(
            "no settings of a project of GitLab",
            place=shown,
            expected='{"only_allow_merge_if_pipeline_succeeds": true, "protected_branches": [...]}',
            found=repr(error),
        ) from None
    lines = enumerate(text.splitlines(), 1)
    places = {key: number for number, line in lines for key in tree if f'"{key}"' in line}
    return ProjectSettings(Location(shown), tree, places, pushers)


def _pushers(protected: Sequence[Mapping[str, Any]], branch: str) -> Iterator[str]:
    """Yield who may push to a branch: all that one of the patterns lets in; whoever may push, if none protects it."""
    found = [one for one in protected if fnmatch.fnmatchcase(branch, str(one["name"]))]
    if not found:
        yield f"{branch} is not protected: developers"
    for one in found:
        for level in one.get("push_access_levels") or ():
            number = level.get("access_level")
            if number != _NOBODY or level.get("user_id") or level.get("group_id") or level.get("deploy_key_id"):
                yield str(level.get("access_level_description") or _LEVELS.get(number, number))
