"""Which revision somebody who deploys says that services run: `16`, `shop:16`, an ARN, an image, its tag or digest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from infraspec.ecs.task import revision_of
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.errors import RequestError
from infraspec.unknown import render

_REVISION = re.compile(r"^(?:(?:arn:.*:task-definition/)?(?P<family>[\w-]+):)?(?P<number>\d+)$")
_ENTRY = re.compile(r"^(?:(?P<service>[\w-]+)=)?(?P<text>[^\s=]+)$")


class ExpectedRevision(Struct, frozen=True):
    """One expectation: a revision if `text` has the form of one, and else an image."""

    text: str

    def is_met_by(self, task_definition: str, definition: TaskDefinition | None) -> bool:
        """Tell whether a running task definition, given by its ARN and with what it says, is the expected one."""
        running = revision_of(task_definition)
        found = _REVISION.match(self.text)
        if found and found["family"] in (None, running.partition(":")[0]):
            return found["number"] == running.partition(":")[2]
        return any(self._names(image) for image in images_of(definition))

    def _names(self, image: str) -> bool:
        return image == self.text or image.endswith((f":{self.text}", f"@{self.text}"))


def images_of(definition: TaskDefinition | None) -> list[str]:
    """Return the images of a task definition's containers."""
    return [render(container.image) for container in definition.containers] if definition else []


def expected_revisions(text: str, services: Iterable[str]) -> Mapping[str, ExpectedRevision]:
    """Read `REVISION` for every service, or `SERVICE=REVISION` for one, several with commas: by the service's name.

    Raises RequestError for what is neither, and for a service that there is not.
    """
    names = list(services)
    found: dict[str, ExpectedRevision] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        match = _ENTRY.match(entry)
        if match is None or match["service"] not in (None, *names):
            raise RequestError(
                "the expected revision is not understood" if match is None else "there is no such service",
                place="--infraspec-revision",
                expected="REVISION, or SERVICE=REVISION with a service of " + (", ".join(names) or "the source"),
                found=entry,
                remedy=f"--infraspec-revision {names[0] if names else 'SERVICE'}=16",
            )
        for name in [match["service"]] if match["service"] else names:
            found[name] = ExpectedRevision(match["text"])
    return found
