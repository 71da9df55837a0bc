"""How one module refers to what another has."""

from __future__ import annotations

import pytest

from infraspec.checks.common.statement_hcl import reference_from


@pytest.mark.parametrize(
    ("module", "address", "expression", "lines"),
    [
        ("", "aws_x.y.arn", "aws_x.y.arn", ()),
        ("module.a", "module.a.aws_x.y.arn", "aws_x.y.arn", ()),
        ('module.a["k"]', 'module.a["k"].aws_x.y["z"].arn', 'aws_x.y["z"].arn', ()),
        ("", "module.a.aws_x.y.arn", "module.a.y_arn", ('module.a: output "y_arn" { value = aws_x.y.arn }',)),
        (
            "module.a",
            "module.a.module.b[0].aws_x.y.arn",
            "module.b[0].y_arn",
            ('module.a.module.b: output "y_arn" { value = aws_x.y.arn }',),
        ),
        (
            "module.a",
            "aws_x.y.arn",
            "var.y_arn",
            (
                'the root module, in module "a": y_arn = aws_x.y.arn',
                'module.a: variable "y_arn" { type = string }',
            ),
        ),
        (
            "module.a",
            'module.b["k"].aws_x.this["api-key"].arn',
            "var.x_api_key_arn",
            (
                'module.b: output "x_api_key_arn" { value = aws_x.this["api-key"].arn }',
                'the root module, in module "a": x_api_key_arn = module.b["k"].x_api_key_arn',
                'module.a: variable "x_api_key_arn" { type = string }',
            ),
        ),
        (
            "module.s.module.a",
            "module.s.module.b.module.c.data.aws_x.y.arn",
            "var.y_arn",
            (
                'module.s.module.b.module.c: output "y_arn" { value = data.aws_x.y.arn }',
                'module.s.module.b: output "y_arn" { value = module.c.y_arn }',
                'module.s, in module "a": y_arn = module.b.y_arn',
                'module.s.module.a: variable "y_arn" { type = string }',
            ),
        ),
    ],
)
def test_an_attribute_goes_up_through_outputs_and_down_through_variables(
    module: str, address: str, expression: str, lines: tuple[str, ...]
) -> None:
    """Every module on the way gets its line, and within one module nothing is passed."""
    assert (expression, tuple(f"# {line}" for line in lines)) == reference_from(module, address)
