"""Nested blocks as expressions see them: what stands there, and what the provider adds."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import Unknown, Value
from tests.terraform.sources import output_of

SOURCE = """
resource "aws_instance" "web" {
  root_block_device {
    volume_size = 10
  }
  dynamic "ebs_block_device" {
    for_each = ["/dev/sdf", "/dev/sdg"]
    content {
      device_name = ebs_block_device.value
    }
  }
}

resource "aws_lb_listener" "http" {
  default_action {
    type = "forward"
  }
}

resource "azurerm_linux_web_app" "app" {
  identity {
    type = "SystemAssigned"
  }
}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("aws_instance.web.root_block_device[0].volume_size", 10),
        (
            "aws_instance.web.root_block_device[0].volume_id",
            Unknown("aws_instance.web.root_block_device[0].volume_id"),
        ),
        (
            'aws_instance.web.root_block_device[0]["volume_id"]',
            Unknown("aws_instance.web.root_block_device[0].volume_id"),
        ),
        (
            "aws_instance.web.root_block_device[*].volume_id",
            [Unknown("aws_instance.web.root_block_device[0].volume_id")],
        ),
        (
            "[for device in aws_instance.web.ebs_block_device : device.volume_id]",
            [
                Unknown("aws_instance.web.ebs_block_device[0].volume_id"),
                Unknown("aws_instance.web.ebs_block_device[1].volume_id"),
            ],
        ),
        ("aws_lb_listener.http.default_action[0].target_group_arn", None),
        ("aws_lb_listener.http.default_action[0].redirect", []),
        (
            "azurerm_linux_web_app.app.identity.0.principal_id",
            Unknown("azurerm_linux_web_app.app.identity[0].principal_id"),
        ),
    ],
)
def test_what_a_block_does_not_set(tmp_path: Path, expression: str, expected: Value) -> None:
    """What the provider computes is known after apply, what it leaves unset is null, and neither is an error."""
    assert expected == output_of(tmp_path, f'{SOURCE}\noutput "value" {{ value = {expression} }}')


def test_an_object_has_no_more_than_stands_there(tmp_path: Path) -> None:
    """An object of the configuration has no attributes but its own."""
    with pytest.raises(InfraspecError, match='no attribute "volume_id"'):
        output_of(tmp_path, 'output "value" { value = { volume_size = 10 }.volume_id }')
