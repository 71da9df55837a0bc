"""Risk `public-exposure`, as far as attributes go: what becomes reachable or readable by everyone.

Policies that name everyone are judged in `permissions`. Sources: Terraform AWS provider, the resources of the table;
Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from infraspec.checks.review.risk import Review, RiskFound
from infraspec.iam.answer import Answer
from infraspec.terraform.plan import Change, ChangeKind
from infraspec.unknown import Text, Unknown, Value, render

_BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_ACLS = ("public-read", "public-read-write", "authenticated-read", "aws-exec-read")


class _Public(Struct, frozen=True):
    """An attribute whose values make a resource public; `private` is the value to set instead, as HCL."""

    attribute: str
    values: tuple[Value, ...]
    reason: str
    private: str


_ADDRESSABLE = _Public("publicly_accessible", (True,), "it gets an address on the internet", "false")
_ACL = _Public("acl", _ACLS, "its objects can be read by people outside the account", '"private"')
_UNBLOCKED = tuple(
    _Public(name, (False,), "policies and ACLs that make buckets public are no longer held off", "true")
    for name in _BLOCKS
)
_ATTRIBUTES: dict[str, tuple[_Public, ...]] = {
    "aws_db_instance": (_ADDRESSABLE,),
    "aws_dms_replication_instance": (_ADDRESSABLE,),
    "aws_docdb_cluster_instance": (_ADDRESSABLE,),
    "aws_mq_broker": (_ADDRESSABLE,),
    "aws_neptune_cluster_instance": (_ADDRESSABLE,),
    "aws_rds_cluster_instance": (_ADDRESSABLE,),
    "aws_redshift_cluster": (_ADDRESSABLE,),
    "aws_redshiftserverless_workgroup": (_ADDRESSABLE,),
    "aws_s3_bucket": (_ACL,),
    "aws_s3_bucket_acl": (_ACL,),
    "aws_s3_object": (_ACL,),
    "aws_s3_bucket_public_access_block": _UNBLOCKED,
    "aws_s3_account_public_access_block": _UNBLOCKED,
    "aws_ami_launch_permission": (_Public("group", ("all",), "everyone may start instances of the image", "null"),),
    "aws_lambda_function_url": (
        _Public("authorization_type", ("NONE",), "everyone may call the function", '"AWS_IAM"'),
    ),
    "aws_db_snapshot": (_Public("shared_accounts", ("all",), "everyone may restore the snapshot", "[]"),),
    "aws_db_snapshot_copy": (_Public("shared_accounts", ("all",), "everyone may restore the snapshot", "[]"),),
    "aws_db_cluster_snapshot": (_Public("shared_accounts", ("all",), "everyone may restore the snapshot", "[]"),),
}
_ALWAYS_PUBLIC = {"aws_ecrpublic_repository": "everyone may pull images of a public repository"}
_JOINED = ("found", "reason", "remedy")
_GUARDS = {
    "aws_s3_bucket_public_access_block": "aws_s3_bucket",
    "aws_s3_account_public_access_block": "",
}
"""What holds off public access, and the type of what it guards."""


def exposures(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what a change makes public that was not."""
    if change.kind is ChangeKind.CREATE and change.type in _ALWAYS_PUBLIC:
        remedy = "keep it private: aws_ecr_repository"
        yield RiskFound("public-exposure", Answer.YES, "create", _ALWAYS_PUBLIC[change.type], remedy)
    if change.kind is ChangeKind.DELETE:
        if change.type in _GUARDS and not _goes_with(review, change):
            yield RiskFound(
                "public-exposure",
                Answer.YES,
                "destroy",
                "policies and ACLs that make buckets public are no longer held off",
                "keep the resource",
            )
        return
    found = [risk for rule in _ATTRIBUTES.get(change.type, ()) for risk in _judge(review, change, rule)]
    for answer in (Answer.YES, Answer.MAYBE):
        same = [risk for risk in found if risk.answer is answer]
        if same:
            joined, reason, remedy = (
                "\n".join(dict.fromkeys(getattr(risk, name) for risk in same)) for name in _JOINED
            )
            yield RiskFound("public-exposure", answer, joined, reason, remedy, same[0].path)


def _judge(review: Review, change: Change, rule: _Public) -> Iterator[RiskFound]:
    values = review.after(change)
    after = values.get(rule.attribute)
    if change.type.endswith("_public_access_block") and after is None:
        after = False  # the provider's default
    before = change.before.get(rule.attribute)
    for entry in after if isinstance(after, list | tuple) else (after,):
        if isinstance(entry, Unknown | Text):
            if review.given(change, rule.attribute) is None:
                continue
            yield _found(rule, Answer.MAYBE, f"{rule.attribute} is not known before apply")
        elif entry in rule.values and entry is not None and not _holds(before, entry):
            yield _found(rule, Answer.YES, f"{rule.attribute} = {_hcl(entry)}")


def _holds(before: Value, entry: Value) -> bool:
    return entry in before if isinstance(before, list | tuple) else before == entry


def _found(rule: _Public, answer: Answer, found: str) -> RiskFound:
    return RiskFound(
        "public-exposure", answer, found, rule.reason, f"{rule.attribute} = {rule.private}", rule.attribute
    )


def _goes_with(review: Review, change: Change) -> bool:
    """Tell whether what it guards is destroyed with it."""
    guarded = _GUARDS[change.type]
    return bool(guarded) and review.is_gone(guarded, named=change.before.get("bucket"))


def _hcl(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else render(value)
