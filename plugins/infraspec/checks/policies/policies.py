"""Rule `policies`: policy documents are accepted by AWS, have effect, and grant no more than the contract allows.

What can be found and what it does by default is in `iam.lint.fault`; docs/policies.md describes it. A part of a
document that is not known is not accused; a document of which nothing is known is UNDETERMINED.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from infraspec.checks.access.secret_access import placed
from infraspec.checks.common.roles_in_snapshots import with_managed
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent
from infraspec.checks.policies.policy_documents import Held, broad_grants, held_documents
from infraspec.contract.models import Contract
from infraspec.contract.static import Severity
from infraspec.core.errors import PolicyError, counted
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.core.unknown import MissingVariable, RefusedRead, Sensitive, Unknown, Value, render, sources, unknowns
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.lint.document import document_faults, is_opaque
from infraspec.iam.lint.faults import FINDINGS, PolicyFault
from infraspec.iam.lint.refusals import least_size, over_limit
from infraspec.iam.policy.document import PolicyDocument, Statement, principals_in
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["policies"]


@of_what_may_be_absent
def check_policies(
    plan: Plan, task_definitions: Iterable[TaskDefinition], contract: Contract, environment: str
) -> list[Finding]:
    """Judge every policy document of the plan: one finding for each fault, or one that says there is none.

    A document that is malformed is one finding with its place in the JSON, whatever the contract says of faults.
    """
    plan = placed(plan, contract, environment)
    attributes = plan.derived(AwsAttributes)
    documents: list[tuple[Held, PolicyDocument]] = []
    malformed: list[Finding] = []
    for held in held_documents(plan):
        value, principals = with_managed(plan, held.value), held.use.names_principals
        try:
            documents.append((held, PolicyDocument.from_value(value, place=held.place, with_principals=principals)))
        except PolicyError as error:
            malformed.append(_report_malformed(held, error))
    faults = [document_faults(document, held.use, attributes.narrow) for held, document in documents]
    for position, fault in [*_too_long(documents, attributes), *broad_grants(documents, attributes, task_definitions)]:
        faults[position].append(fault)
    judged = (
        _judge(held, document, own, contract, attributes)
        for (held, document), own in zip(documents, faults, strict=True)
    )
    return malformed + [finding for findings in judged for finding in findings]


def _report_malformed(held: Held, error: PolicyError) -> Finding:
    path = error.place.removeprefix(held.place).lstrip(".")
    where = f"{held.attribute}.{path}" if path else held.attribute
    name = f"{held.attribute} {path}: malformed" if path else f"{held.attribute}: malformed"
    return RULE.about(held.resource.address, name, held.resource.location_of(where)).violated(
        expected=error.expected, found=error.found, reason=f"AWS rejects it: {error.message}", remedy=error.remedy
    )


def _judge(
    held: Held, document: PolicyDocument, faults: list[PolicyFault], contract: Contract, attributes: AwsAttributes
) -> list[Finding]:
    resource = held.resource
    subject = RULE.about(resource.address, held.attribute, resource.location_of(held.attribute))
    if document.statements and all(map(is_opaque, document.statements)):
        unknown = next(unknowns(held.value), resource.reference(held.attribute))
        secret = isinstance(unknown, Sensitive)
        undetermined = subject.undetermined(
            expected=f"a {held.use.kind.value} that can be read",
            found=f"{unknown.address} is {'sensitive' if secret else 'unknown'}",
            reason="the document is unknown, so it cannot be checked",
            remedy="a policy is not a secret: remove sensitive = true"
            if secret
            else f"give the source of {unknown.address}, or a plan or state file in which it is known",
        )
        return [undetermined]
    statements = {str(statement): statement for statement in document.statements}
    alike: dict[tuple[str, str, str, Severity], list[PolicyFault]] = {}
    for fault in faults:
        statement = statements.get(fault.statement)
        default: Severity = "fail" if fault.refused else FINDINGS[fault.finding]
        if not fault.certain or (statement and _is_harmless(held, fault, statement, faults, attributes)):
            default = "advise"
        severity = contract.policies.severity.get(fault.finding, default)
        place = "" if statement else fault.path
        if severity != "ignore":
            alike.setdefault((fault.statement, place, fault.finding, severity), []).append(fault)
    findings = [_report(held, _together(group), severity) for (*_, severity), group in alike.items()]
    if not findings and held.use.names_principals and (who := _unknown_principal(document)) is not None:
        return [
            subject.undetermined(
                expected="principals that are known",
                found=f"{who.address} is unknown",
                reason='it may be "*", which lets everybody in',
                remedy=how_to_know(who),
            )
        ]
    return findings or [subject.proven(f"no fault in {counted(len(document.statements), 'statement')}")]


def _unknown_principal(document: PolicyDocument) -> Unknown | None:
    """Return the principal of an Allow without a condition of which nothing is known, None if there is none.

    What a resource gets as its ARN or id is never "*"; a variable without a value may be, and so may what nobody may
    look at, conditions included.
    """
    for statement in document.statements:
        if statement.effect == "Allow":
            for kind, entry in principals_in(statement.principal):
                if kind in {"AWS", "*"} and isinstance(entry, Unknown) and not isinstance(entry, Sensitive):
                    causes = [one.cause for one in sources(entry)]
                    is_open = statement.condition is None and any(isinstance(one, MissingVariable) for one in causes)
                    if is_open or any(isinstance(one, RefusedRead) for one in causes):
                        return entry
    return None


def _together(faults: Sequence[PolicyFault]) -> PolicyFault:
    """Return what is wrong with a statement in one way as one fault, whichever of its entries have it."""
    parts = ("about", "expected", "found", "reason", "remedy")
    said = {part: list(dict.fromkeys(getattr(fault, part) for fault in faults)) for part in parts}
    return replace(faults[0], **{part: (", " if part == "about" else "\n").join(text) for part, text in said.items()})


_READS = {
    "aws_s3_bucket_policy": frozenset({"s3:getobject", "s3:getobjectversion"}),
    "aws_s3_bucket": frozenset({"s3:getobject", "s3:getobjectversion"}),
    "aws_sns_topic_policy": frozenset({"sns:subscribe", "sns:receive"}),
    "aws_sns_topic": frozenset({"sns:subscribe", "sns:receive"}),
}
"""What a public website or topic lets everybody do."""


def _is_harmless(
    held: Held, fault: PolicyFault, statement: Statement, faults: Sequence[PolicyFault], attributes: AwsAttributes
) -> bool:
    """Tell whether what has a fault works all the same: a list with a dead entry, or what is meant to be public.

    Sources: AWS Lambda Developer Guide, "Control access to Lambda function URLs"; Amazon S3 User Guide, "Setting
    permissions for website access" and "Blocking public access to your Amazon S3 storage".
    """
    if fault.finding == "unknown-action" and statement.effect == "Allow" and not (fault.refused and fault.certain):
        wrong = {one.path for one in faults if one.finding == "unknown-action"}
        entries = range(len(statement.actions or ()))
        return any(f"{statement.path}.Action.{index}" not in wrong for index in entries)
    if fault.finding == "resource-mismatch" and statement.effect == "Allow":
        alike = (one for one in faults if (one.finding, one.statement) == (fault.finding, fault.statement))
        dead = {name for one in alike for name in one.about.split(", ")}
        return len(dead) == 1 and dead < {entry for entry in statement.actions or () if isinstance(entry, str)}
    if fault.finding == "public-access" and held.resource.stated("function_url_auth_type") == "NONE":
        return True
    reads = _READS.get(held.resource.type, frozenset())
    actions = {render(entry).lower() for entry in statement.actions or ()}
    if fault.finding != "public-access" or not actions or not actions <= reads:
        return False
    return "sns" in held.resource.type or _is_public_bucket(held.resource, attributes)


def _is_public_bucket(holder: Resource, attributes: AwsAttributes) -> bool:
    """Tell whether the bucket of a policy is a website, or has Block Public Access taken off it."""
    named = "id" if holder.type == "aws_s3_bucket" else "bucket"
    bucket = attributes.narrow(holder.attribute(named))

    def about(*types: str) -> list[Resource]:
        found = attributes.plan.managed(*types)
        return [one for one in found if bucket in (attributes.narrow(one.attribute("bucket")), one.reference("id"))]

    unblocked = any(one.get("block_public_policy") is False for one in about("aws_s3_bucket_public_access_block"))
    website = any(one.stated("website") for one in about("aws_s3_bucket"))
    return unblocked or website or bool(about("aws_s3_bucket_website_configuration"))


def _report(held: Held, fault: PolicyFault, severity: Severity) -> Finding:
    resource, path = held.resource, f"{held.attribute}.{fault.path}" if fault.path else held.attribute
    subject = RULE.about(resource.address, f"{held.attribute} {fault.subject}", resource.location_of(path))
    # What stands in the module of the policy is named as it is there.
    remedy = fault.remedy.replace(f"{resource.module}.", "") if resource.module else fault.remedy
    say = subject.violated if severity == "fail" else subject.advice
    return say(expected=fault.expected, found=fault.found, reason=fault.reason, remedy=remedy)


def _too_long(
    documents: Sequence[tuple[Held, PolicyDocument]], attributes: AwsAttributes
) -> Iterator[tuple[int, PolicyFault]]:
    """Yield the documents that pass their limit; inline policies of one owner count together."""
    together: dict[Value, int] = {}
    certain_first = sorted(enumerate(documents), key=lambda one: not attributes.plan.is_certain(one[1][0].resource))
    for position, (held, _) in certain_first:
        limit = held.use.limit
        if limit is None:
            continue
        size = least_size(held.value, limit, attributes.narrow)
        if limit.shared:
            owner = (held.use.kind, limit, attributes.narrow(held.owner))
            size = together[owner] = together.get(owner, 0) + size
        if (fault := over_limit(limit, size)) is not None:
            yield position, fault
