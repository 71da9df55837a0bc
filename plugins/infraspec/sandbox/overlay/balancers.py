"""Load balancers: a certificate is taken as given, since it often belongs to another team's Terraform."""

from __future__ import annotations

from typing import Any

from moto.elbv2 import models


def install() -> None:
    """Accept every certificate that has an ARN of ACM or IAM."""
    models.register_certificate = _accept
    models.ELBv2Backend._certificate_exists = _exists


def _accept(*_arguments: Any, **_named: Any) -> None:
    return None


def _exists(_backend: Any, certificate_arn: str) -> bool:
    return ":acm:" in certificate_arn or ":iam:" in certificate_arn
