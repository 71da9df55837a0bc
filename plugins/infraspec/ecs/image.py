"""Container images: which of them come from a private repository of Amazon ECR.

Sources: Amazon ECR User Guide, "Private registries in Amazon ECR"; Docker reference, "Image names".
"""

from __future__ import annotations

import re

from msgspec import Struct

from infraspec.ecs.holes import HOLE, HoledText, has_hole
from infraspec.unknown import Text, Unknown, Value

_ECR = re.compile(
    rf"^(?P<account>\d{{12}}|{HOLE}+)\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+|{HOLE}+)\."
    rf"(?:amazonaws\.com(?:\.cn)?|on\.aws|{HOLE})/(?P<repository>[^:@]+)(?:[:@].*)?$"
)


class EcrImage(Struct, frozen=True):
    """An image in a private ECR repository; each part may be unknown."""

    account: Value
    region: Value
    repository: Value


def ecr_image(value: Value) -> EcrImage | Unknown | None:
    """Return the ECR repository of an image, None if it is in another registry, or what hides its registry."""
    if not isinstance(value, str | Text | Unknown):
        return None
    holed = HoledText(value)
    found = _ECR.match(holed.text)
    if found:
        return EcrImage(*(holed.fill(found[part]) for part in ("account", "region", "repository")))
    host, slash, _ = holed.text.partition("/")
    # Without a slash the image is one of Docker Hub's, and what is unknown is at most its tag.
    hidden = has_hole(host if slash else host[:1])
    return next((part for part in _parts(value) if isinstance(part, Unknown)), None) if hidden else None


def _parts(value: Value) -> tuple[str | Unknown, ...]:
    return value.parts if isinstance(value, Text) else (value,)
