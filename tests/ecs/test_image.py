"""Which images come from a private repository of ECR."""

from __future__ import annotations

import pytest

from infraspec.core.unknown import Unknown, Value, concatenate
from infraspec.ecs.references import EcrImage, ecr_image

HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/"
TAG, ACCOUNT = Unknown("var.tag"), Unknown("aws_caller_identity.account_id")
APP = EcrImage("111122223333", "eu-west-1", "team/app")

CASES: list[tuple[Value, EcrImage | Unknown | None]] = [
    (HOST + "team/app", APP),
    (HOST + "team/app:1.0", APP),
    (HOST + "team/app@sha256:ab", APP),
    (concatenate([HOST, "team/app:", TAG]), APP),
    (concatenate([ACCOUNT, ".dkr.ecr.eu-west-1.amazonaws.com/team/app"]), EcrImage(ACCOUNT, "eu-west-1", "team/app")),
    (concatenate([HOST, "app", TAG]), EcrImage("111122223333", "eu-west-1", concatenate(["app", TAG]))),
    ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/app", EcrImage("111122223333", "cn-north-1", "app")),
    ("nginx", None),
    (concatenate(["nginx:", TAG]), None),
    (concatenate(["team/app:", TAG]), None),
    ("public.ecr.aws/docker/library/nginx:1", None),
    ("registry.example.com/app:1", None),
    (TAG, TAG),
    (concatenate([TAG, "/app:1"]), TAG),
    (concatenate([TAG, ":1"]), TAG),
    (None, None),
]


@pytest.mark.parametrize(("image", "expected"), CASES, ids=str)
def test_registry_of_an_image(image: Value, expected: EcrImage | Unknown | None) -> None:
    """An image is of ECR, of another registry, or of one that is not known."""
    assert expected == ecr_image(image)
