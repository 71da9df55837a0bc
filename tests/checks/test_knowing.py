"""What makes an unknown known, by what it is."""

from __future__ import annotations

import pytest

from infraspec.checks.knowing import how_to_know
from infraspec.unknown import Unknown


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("var.image_tag", "give var.image_tag a value"),
        ('{"dev" = module.app.dev, "prod" = module.app.prod}[var.environment_name].cpu', "give var.environment_name a"),
        ("module.web.var.image_tag", "give a plan or state file in which module.web.var.image_tag is known"),
        ("data.aws_vpc.main.id", 'name "aws_vpc.main.id" under [known]'),
        ("module.net[0].data.aws_subnets.private.ids", 'name "module.net.data.aws_subnets.private.ids" under [known]'),
        (
            'for zipmap(module.a.data.aws_ssm_parameters_by_path.all["x"].arns, local.b)',
            'name "module.a.data.aws_ssm_parameters_by_path.all.arns" under [known]',
        ),
        (
            "data.aws_iam_policy_document.task.statement[for_each = length(var.secrets)]",
            "give var.secrets a value",
        ),
        ("aws_caller_identity.account_id", "set account_id in [environments.NAME] of the contract"),
        ("aws_caller_identity.account_id (aws.shared)", "set allowed_account_ids of the provider aws.shared"),
        ("aws_region.region (aws.virginia)", "set region of the provider aws.virginia"),
        ("placeholder IMAGE1_NAME", "render the file with IMAGE1_NAME set"),
        ("module.containers.json", "run `terraform init -backend=false`"),
        ('module.a["x"].module.containers.json', "run `terraform init -backend=false`"),
        ("what policies the role data.terraform_remote_state.iam.outputs.role has", "bring the role into the plan"),
        ("the content of arn:aws:iam::111122223333:policy/team", "manage the policy in this root module"),
        ("aws_kms_key.main.arn", "give a plan or state file in which aws_kms_key.main.arn is known"),
    ],
)
def test_the_cheapest_way(address: str, remedy: str) -> None:
    """A variable, a data source, an account, a module and what others made each have a way of their own."""
    assert how_to_know(Unknown(address)).startswith(remedy)
