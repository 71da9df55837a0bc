"""What moto leaves out of AWS KMS: a key is enabled and disabled by its ARN as well as by its id.

Source: AWS Key Management Service API Reference, EnableKey and DisableKey (KeyId).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partialmethod
from typing import Any

from moto.kms.models import KmsBackend


def install() -> None:
    """Put the ids of ARNs under moto's keys."""
    for name in ("enable_key", "disable_key"):
        setattr(KmsBackend, name, partialmethod(_by_id, getattr(KmsBackend, name)))


def _by_id(backend: Any, original: Callable[..., None], key_id: str) -> None:
    original(backend, backend.get_key_id(key_id))
