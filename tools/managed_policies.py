"""Write AWS's managed policies, as moto has them, to the data of resource_types: `python -m tools.managed_policies`.

Every policy is there with its path, its version, and whether it denies something. The text is there of those that a
customer can attach and that are not long, and of a few longer ones that roles of ECS and people have.

Source: AWS Managed Policy Reference Guide, which moto (Apache License 2.0) reads from IAM's own answers.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from moto.iam.aws_managed_policies import aws_managed_policies_data

from infraspec.resource_types.managed_policies import FILE, OF_SERVICES, ManagedPolicies

_LONGEST = 4_000
_LONGER = frozenset(
    {
        "AmazonECSInfrastructureRoleForGatewayHostSharedALB",
        "AmazonECSInfrastructureRoleforExpressGatewayServices",
        "AmazonECS_FullAccess",
        "CloudWatchFullAccessV2",
        "ReadOnlyAccess",
        "SecurityAudit",
        "ViewOnlyAccess",
    }
)


def written(policies: dict[str, Any]) -> bytes:
    """Return the file: a policy on each line, in order of names."""
    lines = [f"{json.dumps(name)}: {_line(name, policies[name])}" for name in sorted(policies)]
    date = max(policy["UpdateDate"] for policy in policies.values())[:10]
    listed = ",\n".join(lines)
    return f'{{"date": "{date}", "policies": {{\n{listed}\n}}}}\n'.encode()


def _line(name: str, policy: dict[str, Any]) -> str:
    document = json.dumps(policy["Document"], separators=(",", ":"), sort_keys=True)
    kept: dict[str, Any] = {"path": policy["Path"], "version": policy["DefaultVersionId"]}
    statements = policy["Document"]["Statement"]
    if any(one["Effect"] == "Deny" for one in ([statements] if isinstance(statements, dict) else statements)):
        kept["denies"] = True
    shown = json.dumps(kept)[:-1]
    is_kept = policy["Path"] != OF_SERVICES and (len(document) <= _LONGEST or name in _LONGER)
    return f'{shown}, "document": {document}}}' if is_kept else f"{shown}}}"


def main() -> None:
    """Write the file."""
    content = written(json.loads(aws_managed_policies_data))
    msgspec.json.decode(content, type=ManagedPolicies)
    FILE.write_bytes(content)


if __name__ == "__main__":
    main()
