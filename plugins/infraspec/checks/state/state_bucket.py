"""Rule `state-bucket`: the bucket of the state keeps versions, is encrypted, private and TLS only; the table locks.

Source: Terraform Language Documentation, "Backend Type: s3"; AWS Security Hub, controls S3.1, S3.5, S3.8 and S3.14.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from infraspec.checks.common.unknown_remedies import how_to_know, left_open
from infraspec.contract.models import Contract
from infraspec.core.errors import PolicyError
from infraspec.core.finding import Finding, SourceChange, Verdict
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth, all_of, any_of
from infraspec.core.unknown import RefusedRead, Text, Unknown, Value, render, unknowns
from infraspec.iam.policy.document import PolicyDocument, Statement
from infraspec.iam.policy.policy_diff import covers, covers_action
from infraspec.iam.policy.principals import principals_of
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.configuration.settings import RootSettings
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["state-bucket"]

_FLAGS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")


def check_state_bucket(plan: Plan, root_module: RootSettings) -> list[Finding]:
    """Judge the resources that the backend of a root names; nothing for a backend other than s3."""
    if root_module.backend.type != "s3":
        return []
    arguments = root_module.backend.arguments
    findings = list(_bucket(plan, root_module, arguments.get("bucket")))
    table = arguments.get("dynamodb_table")
    return findings if table is None else [*findings, _if_there(plan, _table(plan, root_module, table))]


def _bucket(plan: Plan, settings: RootSettings, name: Value) -> Iterator[Finding]:
    bucket = _named(plan, "aws_s3_bucket", "bucket", name)
    if bucket is None:
        yield _absent(settings, "bucket", name)
        return
    look = _Bucket(plan, bucket)
    for finding in (look.versioning(), look.encryption(), look.private(), look.tls_only()):
        yield _if_there(plan, _beside(bucket, finding))


def _beside(bucket: Resource, finding: Finding) -> Finding:
    """Return a finding about a bucket with the change that adds the resource which its remedy is."""
    if finding.verdict is not Verdict.VIOLATED or not finding.remedy.startswith('resource "'):
        return finding
    return replace(finding, changes=(SourceChange("beside", bucket.address, text=finding.remedy),))


def _named(plan: Plan, type_: str, attribute: str, name: Value) -> Resource | None:
    if not isinstance(name, str):
        return None
    return next((r for r in plan.managed(type_) if r.stated(attribute) == name), None)


def _if_there(plan: Plan, finding: Finding) -> Finding:
    """Leave open what a resource says of the bucket that may not be there."""
    found = left_open(plan, finding)
    if found.verdict is not Verdict.PROVEN or not (why := plan.uncertainties(found.address)):
        return found
    absent = next(iter(why.values()))
    return replace(
        found,
        verdict=Verdict.UNDETERMINED,
        found=f"{found.address}, of which there may be none",
        reason=str(absent),
        remedy=how_to_know(absent.value),
    )


def _absent(settings: RootSettings, what: str, name: Value) -> Finding:
    subject = RULE.about(settings.root, what, settings.backend.location)
    return subject.say("no-name" if name is None else "absent", what=what, name=render(name))


def _met(said: Finding, answer: Truth, *values: Value) -> Finding:
    """Return what is said of a setting if it is not met: proven if it is, left open if what is not known decides.

    `values` are what decides.
    """
    if answer is Truth.YES:
        return replace(said, verdict=Verdict.PROVEN, found="", reason="", remedy="")
    if answer is Truth.NO:
        return said
    hidden = next((one for value in values for one in unknowns(value) if isinstance(one.cause, RefusedRead)), None)
    if hidden is not None:
        told = f"{hidden.address}, at which the runner may not look, is unknown"
        return replace(said, verdict=Verdict.UNDETERMINED, found=told, remedy=how_to_know(hidden), changes=())
    reason = f"it depends on a value known only after apply; otherwise {said.reason}"
    return replace(said, verdict=Verdict.UNDETERMINED, reason=reason)


def _table(plan: Plan, settings: RootSettings, name: Value) -> Finding:
    table = _named(plan, "aws_dynamodb_table", "name", name)
    if table is None:
        return _absent(settings, "dynamodb_table", name)
    key = table.stated("hash_key")
    kinds = [
        b.get("type") for b in table.stated("attribute") or () if isinstance(b, Mapping) and b.get("name") == "LockID"
    ]
    answer = _is(key, "LockID")
    if answer is Truth.YES:
        answer = any_of(_is(kind, "S") for kind in kinds)
    subject, shown = RULE.about(table, "lock table", table.location_of("hash_key")), ", ".join(map(render, kinds))
    return _met(subject.say("lock-table", key=render(key), kinds=shown or "none"), answer)


class _Bucket:
    """A bucket with the resources that configure it."""

    def __init__(self, plan: Plan, bucket: Resource) -> None:
        self._plan = plan
        self._bucket = bucket
        self._resolve = plan.derived(AwsAttributes).narrow

    def versioning(self) -> Finding:
        """Judge whether an earlier state can be brought back."""
        source = self._of("aws_s3_bucket_versioning")
        if source is None:
            old = _first(self._bucket.stated("versioning")).get("enabled")
            source, value = self._bucket, "Enabled" if old is True else None
        else:
            value = _first(source.stated("versioning_configuration")).get("status")
        subject = RULE.about(source, "versioning", source.location_of("versioning_configuration"))
        found = render(value) if value is not None else "none"
        return _met(subject.say("versioning", found=found, name=self._bucket.name), _is(value, "Enabled"), value)

    def encryption(self) -> Finding:
        """Judge whether the configuration encrypts it at rest."""
        source = self._of("aws_s3_bucket_server_side_encryption_configuration") or self._bucket
        own = self._bucket.stated("server_side_encryption_configuration")
        rule = _first((_first(own) if source is self._bucket else source.values).get("rule"))
        value = _first(rule.get("apply_server_side_encryption_by_default")).get("sse_algorithm")
        subject = RULE.about(source, "encryption", source.location_of("rule"))
        answer = any_of(_is(value, algorithm) for algorithm in _ENCRYPTIONS)
        found = render(value) if value is not None else "none"
        return _met(subject.say("encryption", found=found, name=self._bucket.name), answer, value)

    def private(self) -> Finding:
        """Judge whether somebody can make it public."""
        block = self._of("aws_s3_bucket_public_access_block")
        values = [block.stated(flag) if block else None for flag in _FLAGS]
        missing = [flag for flag, value in zip(_FLAGS, values, strict=True) if value is not True]
        subject = RULE.about(block or self._bucket, "public access block")
        found = f"not true: {', '.join(missing)}" if block else "none"
        answer = all_of(*(_is(value, expected=True) for value in values))
        return _met(subject.say("private", found=found, name=self._bucket.name), answer, *values)

    def tls_only(self) -> Finding:
        """Judge whether its policy denies what comes without TLS."""
        source = self._of("aws_s3_bucket_policy") or self._bucket
        value = source.stated("policy")
        if value == self._bucket.reference("policy"):
            value = None
        is_open = isinstance(value, Unknown) and isinstance(value.cause, RefusedRead)
        document = None if is_open else self._document(source, value)
        subject = RULE.about(source, "TLS only", source.location_of("policy"))
        answer = any_of(map(self._denies_plain, document.statements)) if document else Truth.NO
        answer = Truth.MAYBE if is_open else answer
        return _met(
            subject.say("tls-only", found="no statement that certainly does" if document else "no policy"),
            answer,
            value,
        )

    @staticmethod
    def _document(source: Resource, value: Value) -> PolicyDocument | None:
        if not value:
            return None
        try:
            return PolicyDocument.from_value(value, place=f"{source.address}.policy", with_principals=True)
        except PolicyError as error:
            error.place = f"{source.location_of('policy') or ''} {error.place}".strip()
            raise

    def _denies_plain(self, statement: Statement) -> Truth:
        if isinstance(statement.effect, Unknown):
            return Truth.MAYBE
        everyone = any(principal is not None and principal.is_everyone for principal in principals_of(statement))
        if statement.effect != "Deny" or not everyone or not _is_plain_http(statement.condition):
            return Truth.NO
        arn = self._resolve(self._bucket.reference("arn"))
        objects = Text((*arn.parts, "/*")) if isinstance(arn, Text) else f"{render(arn)}/*"
        actions = any_of(covers_action(action, "s3:*") for action in statement.actions or ())
        wanted = (
            any_of(covers(own, resource, self._resolve) for own in statement.resources or ())
            for resource in (arn, objects)
        )
        return all_of(actions, *wanted)

    def _of(self, type_: str) -> Resource | None:
        return next((r for r in self._plan.managed(type_) if self._is_own(r.stated("bucket"))), None)

    def _is_own(self, reference: Value) -> bool:
        if isinstance(reference, Unknown):
            found = self._plan.find(reference)
            return found is not None and found[0].address == self._bucket.address
        return bool(reference == self._bucket.stated("bucket"))


def _is_plain_http(condition: Value) -> bool:
    """Tell whether a condition is met by every request without TLS, and asks for nothing else."""
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return False
    ((operator, block),) = condition.items()
    if operator.lower() not in ("bool", "boolifexists") or not isinstance(block, Mapping) or len(block) != 1:
        return False
    ((key, values),) = block.items()
    listed = values if isinstance(values, list | tuple) else [values]
    return key.lower() == "aws:securetransport" and "false" in {str(value).lower() for value in listed}


def _first(blocks: Value) -> Mapping[str, Value]:
    if isinstance(blocks, list | tuple) and blocks and isinstance(blocks[0], Mapping):
        return blocks[0]
    return blocks if isinstance(blocks, Mapping) else {}


def _is(value: Value, expected: Value) -> Truth:
    if isinstance(value, Unknown | Text):
        return Truth.MAYBE
    return Truth.YES if value == expected else Truth.NO


def skip(contract: Contract) -> str:
    """Return why there is nothing to judge, if there is not."""
    managed = contract.state is not None and contract.state.managed
    return "" if managed else "the contract has no [state], or the bucket is made elsewhere"
