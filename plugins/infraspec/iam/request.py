"""What is asked: may a principal do an action on a resource, in a context."""

from __future__ import annotations

from typing import NamedTuple

from infraspec.iam.context import Context
from infraspec.iam.pattern import Subject


class Request(NamedTuple):
    """One request. `action` is in the letter case given; `context` says what is known of its condition keys."""

    action: str
    subject: Subject
    context: Context
