"""What AWS refuses when a policy is created: the one list of it. Such a document allows nothing, and denies nothing.

Only what is certain is refused: an unknown part may be right, and of the policies of most services AWS does not say how
they are validated. What cannot be read as a policy at all is a PolicyError of `iam.policy.document`.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "IAM JSON policy elements: Sid", "IAM identifiers",
"IAM policy validation check reference" and "IAM and AWS STS quotas"; AWS Organizations User Guide, "RCP syntax". The
documents that IAM was seen to accept and to refuse are those of moto's tests: tests/iam/data/documents.json.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from infraspec.core.unknown import Character, Text, Unknown, Value, parts_of, render
from infraspec.core.visible_text import visible
from infraspec.iam.lint.actions import foreign_action, mistake
from infraspec.iam.lint.faults import PolicyFault, Resolve
from infraspec.iam.policy.document import PolicyDocument, Statement, tests_of
from infraspec.iam.policy.partial_arn import as_it_is
from infraspec.resource_types import Policy, PolicyKind, PolicyLimit

_OF_IAM = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION, PolicyKind.TRUST})
_VALIDATED = _OF_IAM | {PolicyKind.ORGANIZATION, PolicyKind.RESOURCE_CONTROL}
_VENDOR = re.compile(r"[A-Za-z0-9.-]+")
_SPECIAL = re.compile(r"[^A-Za-z0-9]")
_UNDERSCORED = re.compile(r"[A-Za-z0-9_]*")
_PRINCIPALS = frozenset({"AWS", "Service", "Federated", "CanonicalUser", "*"})
_FIELDS, _SERVICE = 6, 3
_OPEN, _WILD = re.compile(r"[*?$]"), re.compile(r"[*?]")
_ARN = re.compile(r"arn:|\*|\?|\$\{")
_PARTITION = re.compile(r"\*|aws|aws-cn|aws-us-gov|aws-iso|aws-iso-[bef]|aws-eusc")
_IAM_PATHS = (
    "user/ federated-user/ role/ group/ instance-profile/ mfa/ server-certificate/ policy/ sms-mfa/ saml-provider/ "
    "oidc-provider/ report/ access-report/ * ? $"
)
_OF_IAM_PATH = tuple(_IAM_PATHS.split())
_DATE = re.compile(
    r"-?\d+(-(0?[1-9]|1[0-2])(-(0?[1-9]|[12]\d|3[01]))?)?"
    r"(t(([01]?\d|2[0-3])(:[0-5]?\d(:[0-5]?\d(\.\d{1,9})?)?)?)?(z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?)?",
    re.IGNORECASE,
)
_LAST_SECOND = 2**63 - 1


def refusals(document: PolicyDocument, use: Policy, resolve: Resolve = as_it_is) -> Iterator[PolicyFault]:
    """Yield why AWS refuses a document. Of one that is not `certain` its documents say so, and others do not."""
    if use.kind in _VALIDATED and not document.statements:
        yield _of_document("Statement", "at least one statement", "none", "write a statement, or leave the policy out")
    if use.version and not document.variables:
        yield _of_document("Version", f'"{use.version}"', "none, or 2008-10-17", f'set Version = "{use.version}"')
    yield from _sids(document, use)
    for statement in document.statements:
        yield from _actions(statement, use)
        yield from _principals(statement)
        yield from malformed_resources(statement, use, resolve)
        yield from _empty(statement, use)
        if use.kind in _VALIDATED:
            yield from _dates(statement)
        if use.kind is PolicyKind.TRUST:
            yield from _of_trust(statement, use)
        if use.kind is PolicyKind.RESOURCE_CONTROL:
            yield from _of_resource_control(statement)


def _of_document(element: str, expected: str, found: str, remedy: str) -> PolicyFault:
    reason = f"AWS refuses a document with this {element}"
    return PolicyFault("refused", "", element, element, expected, found, reason, remedy, refused=True)


_refused = partial(PolicyFault.say, refused=True)


def _sids(document: PolicyDocument, use: Policy) -> Iterator[PolicyFault]:
    """Yield what is wrong with Sids: IAM refuses one that occurs twice, of other services KMS is known not to.

    That an underscore is none of its characters AWS says; a policy with one was taken for accepted by others.
    """
    sids = Counter(statement.sid for statement in document.statements if statement.sid and "${" not in statement.sid)
    seen: set[str] = set()
    for statement in document.statements:
        sid = statement.sid
        if use.kind in _OF_IAM and sid in sids and not (sid.isascii() and sid.isalnum()):
            plain, certain = re.sub(r"\W|_", "", visible(sid)), _UNDERSCORED.fullmatch(sid) is None
            yield _refused("sid-characters", statement, "Sid", about=sid, certain=certain, plain=plain)
        if sids[sid] > 1 and sid in seen:
            how = {"certain": use.kind is not PolicyKind.RESOURCE, "refused": use.kind in _VALIDATED}
            yield PolicyFault.say("duplicate-sid", statement, "Sid", about=sid, count=sids[sid], **how)
        seen.add(sid)


def _actions(statement: Statement, use: Policy) -> Iterator[PolicyFault]:
    """Yield the entries that are no SERVICE:NAME; IAM User Guide, "IAM JSON policy elements: Action"."""
    element = "Action" if statement.actions is not None else "NotAction"
    for index, entry in enumerate(statement.actions if statement.actions is not None else statement.not_actions or ()):
        if not isinstance(entry, str) or entry in ("*", "*:*") or "${" in entry:
            continue
        vendor, colon, name = entry.partition(":")
        if colon and ":" not in name and (_VENDOR.fullmatch(vendor) or use.kind not in _VALIDATED):
            continue
        wrong = mistake(entry)
        meant = wrong.remedy if wrong else f'name the service: "SERVICE:{name}"'
        wanted = "one service, one colon and an action" if colon else "a service and an action"
        fault = _refused("no-action", statement, f"{element}.{index}", about=entry, wanted=wanted, meant=meant)
        is_beside = not entry and len(statement.actions or ()) > 1
        yield replace(fault, about="an empty action", certain=False) if is_beside else fault


def _principals(statement: Statement) -> Iterator[PolicyFault]:
    """Yield a principal that is text and not *, and one of a kind that does not exist."""
    for element, principal in (("Principal", statement.principal), ("NotPrincipal", statement.not_principal)):
        kinds = set(principal) - _PRINCIPALS if isinstance(principal, Mapping) else ()
        text = principal if isinstance(principal, str) and principal != "*" else ""
        if wrong := next((kind for kind in kinds if isinstance(kind, str) and "${" not in kind), text):
            yield _refused("no-principal", statement, element, about=wrong)


def malformed_resources(statement: Statement, use: Policy, resolve: Resolve) -> Iterator[PolicyFault]:
    """Yield the resources that IAM refuses: those that are no ARN, and those with a field that it does not take."""
    if use.kind not in _VALIDATED or use.kind is PolicyKind.TRUST:
        return
    element = "Resource" if statement.resources is not None else "NotResource"
    entries = statement.resources if statement.resources is not None else statement.not_resources or ()
    for index, entry in enumerate(entries):
        parts = parts_of(resolve(entry))
        head = parts[0] if isinstance(parts[0], str) else "*"
        for wrong, remedy in itertools.islice(_wrong_in_arn(head, whole=len(parts) == 1), 1):
            about, part = render(entry), f"{element}.{index}"
            yield _refused("malformed-resource", statement, part, about=about, wrong=wrong, remedy=remedy)


def _wrong_in_arn(head: str, *, whole: bool) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with an ARN of which the beginning is known, or all, each with its remedy.

    Fields that are not there IAM completes with wildcards.
    """
    fields = head.split(":", _FIELDS - 1)
    if not _ARN.match(head):
        remedy = "write the ARN: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE"
        yield "IAM refuses a resource that is neither an ARN nor *", remedy
    elif fields[0] == "arn":
        if whole and len(fields) < _FIELDS and (len(fields) < _SERVICE or "::" in head):
            yield "IAM refuses an ARN that lacks fields, its service among them", "write the six fields of the ARN"
        yield from _wrong_fields(fields if whole else fields[:-1])


def _wrong_fields(fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the fields of an ARN, those that are known."""
    partition, service, region, account, rest = [*fields[1:], *("*" * _FIELDS)][: _FIELDS - 1]
    if not _OPEN.search(partition) and not _PARTITION.fullmatch(partition):
        yield f'AWS has no partition "{partition}": IAM refuses the document', "write arn:aws:…"
    if len(fields) >= _SERVICE and (not service or _WILD.search(service)):
        yield "IAM refuses an ARN whose service is empty or has a wildcard", "write an ARN for each service"
    for name, field in (("service", service), ("region", region)):
        if field != field.lower() and not _OPEN.search(field):
            yield f"the {name} of an ARN is in lower case", f"write {field.lower()}"
    has_region = region and not _OPEN.search(region)
    if has_region and (service == "iam" or (service == "s3" and not account)):
        yield f"an ARN of {service} has no region: IAM refuses the document", "leave the region empty"
    if service == "iam" and rest and not rest.startswith(_OF_IAM_PATH):
        yield "IAM rejects an IAM ARN without a resource type", "begin with the type: user/, role/, policy/"


def empty_element(statement: Statement) -> str:
    """Return the element of a statement that is an empty list, if one is."""
    elements = {
        "Action": statement.actions,
        "NotAction": statement.not_actions,
        "Resource": statement.resources,
        "NotResource": statement.not_resources,
        "Principal": statement.principal if isinstance(statement.principal, (list, tuple, Mapping)) else None,
    }
    return next((name for name, entries in elements.items() if entries is not None and not len(entries)), "")


def _empty(statement: Statement, use: Policy) -> Iterator[PolicyFault]:
    """Yield an empty list; of actions and resources IAM refuses it."""
    if empty := empty_element(statement):
        refused = use.kind in _VALIDATED and empty != "Principal"
        text = "empty-refused" if refused else "empty"
        yield PolicyFault.say(text, statement, empty, about=f"empty {empty}", refused=refused, element=empty)


def _dates(statement: Statement) -> Iterator[PolicyFault]:
    """Yield values of Date operators that are no date and no seconds since 1970."""
    for operator, key, values in tests_of(statement.condition):
        for text in values if "date" in operator.lower() else ():
            if isinstance(text, str) and "${" not in text and not _is_date(text):
                part, about = f"Condition.{operator}.{key}", f"{operator} {key}"
                yield _refused("no-date", statement, part, about=about, text=text)


def _is_date(text: str) -> bool:
    return int(text) <= _LAST_SECOND if text.isdecimal() else _DATE.fullmatch(text) is not None


def _of_trust(statement: Statement, use: Policy) -> Iterator[PolicyFault]:
    """Yield what the policy of a role cannot have; IAM User Guide, "Roles terms and concepts"."""
    listed = (*(statement.resources or ()), *(statement.not_resources or ()))
    if any(not isinstance(entry, Unknown) for entry in listed):  # a statement that is not known has one that is not
        element = "Resource" if statement.resources is not None else "NotResource"
        yield _refused("resource-in-trust", statement, element, about="in a trust policy")
    for index, entry in enumerate(statement.actions or ()):
        foreign = foreign_action(statement, f"Action.{index}", entry, use) if isinstance(entry, str) else None
        if foreign is not None:
            yield foreign


def _of_resource_control(statement: Statement) -> Iterator[PolicyFault]:
    """Yield what a resource control policy cannot have; AWS Organizations User Guide, "RCP syntax"."""
    if statement.effect == "Allow":
        yield _refused("control-allows", statement, "Effect", about="Allow")
    if statement.not_principal is not None or not _names_all(statement.principal):
        found = render(statement.principal if statement.not_principal is None else statement.not_principal)
        yield _refused("control-names", statement, "Principal", about=found)
    if statement.not_actions is not None or "*" in (statement.actions or ()):
        yield _refused("control-of-every-service", statement, "Action", about="every action")


def _names_all(principal: Value) -> bool:
    return isinstance(principal, (Unknown, Text)) or principal == "*" or principal in ({"AWS": "*"}, {"*": "*"})


def least_size(value: Value, limit: PolicyLimit, resolve: Resolve) -> int:
    """Return how many characters that count a policy has at least: what is not known may have none."""
    size = 0
    for part in parts_of(value):
        for known in (part,) if isinstance(part, str) else parts_of(resolve(part)):
            if isinstance(known, str):
                size += len(known if limit.blanks else "".join(known.split()))
            elif isinstance(known, Character):
                size += 1
    return size


def over_limit(limit: PolicyLimit, size: int) -> PolicyFault | None:
    """Return that so many characters are more than a limit, unless they are not."""
    most, raisable = limit.default or limit.most, size <= limit.most
    if size <= most:
        return None
    kinds = " in all inline policies of its owner together" if limit.shared else ""
    raised = f", unless the quota was raised; it can be, to {limit.most:,}" if raisable else ""
    expected, found = f"at most {most:,} characters{kinds}", f"at least {size:,}"
    reason = f"AWS refuses it ({limit.source}){raised}"
    remedy = "split it into several managed policies, or say the same with fewer entries"
    return PolicyFault("too-long", "", "", "", expected, found, reason, remedy, certain=not raisable, refused=True)


def certain_refusal(faults: Iterable[PolicyFault]) -> PolicyFault | None:
    """Return the first fault for which AWS refuses a document for certain, else the first for which it may."""
    refused = [fault for fault in faults if fault.refused]
    return next((fault for fault in refused if fault.certain), next(iter(refused), None))
