"""What makes known what is not: one remedy for each cause, in terms of the contract, the source or the runner.

If there is none, nothing is wrong with it, so a fault of it is no violation yet. What another resource would make good,
or spoil, is decided where the two are looked at together, by `Plan.is_certain` and `Plan.belongs_to`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec, assert_never

from msgspec.structs import replace

from infraspec.checks.common.roles_in_snapshots import INTO_THE_PLAN
from infraspec.core import unknown as causes
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import AFTER_APPLY, Cause, Unknown, sources
from infraspec.terraform.plan import EXPORT, Plan, Uncertain
from infraspec.terraform.provider.known_data import data_source_key

_SNAPSHOT = f"--infraspec-snapshot iam.json:\n{EXPORT}"
_LATER = (causes.AfterApply, causes.AtRunTime, causes.Withheld)
"""The causes that nothing in the contract removes."""


def how_to_know(unknown: Unknown) -> str:
    """Return the cheapest way to learn an unknown: of what it is computed from, that of the first that can be known."""
    origins = list(sources(unknown))
    knowable = (origin for origin in origins if origin.cause is not None and not isinstance(origin.cause, _LATER))
    origin = next(knowable, origins[0])
    return remedy(origin.cause or AFTER_APPLY, origin.address)


def remedy(cause: Cause, address: str = "it") -> str:  # noqa: C901, PLR0911, PLR0912 - a table: one case a cause
    """Return what removes a cause; `address` is that of what is not known for it."""
    match cause:
        case causes.AfterApply():
            return f"give a plan or state file in which {address} is known"
        case causes.MissingVariable(name, ""):
            return f"give var.{name} a value: [environments.NAME.variables] or var_files of the contract"
        case causes.MissingVariable(name, module):
            return f"pass {name} to {module}, or give the variable a default"
        case causes.UnreadData(source, attribute):
            return f'name "{data_source_key(source)}.{attribute}" under [known] of the contract, or give a plan file'
        case causes.OtherStack():
            return _of_other_stack(cause)
        case causes.AbsentModule(_, command):
            return f"run `{command}`, which fetches the module, or give a plan in which {address} is known"
        case causes.UnstatedAccount("aws"):
            return "set account_id in [environments.NAME] of the contract"
        case causes.UnstatedAccount(provider):
            return f"set allowed_account_ids of the provider {provider}, or let it assume a role by its whole ARN"
        case causes.UnstatedRegion("aws"):
            return "set region in [environments.NAME] of the contract"
        case causes.UnstatedRegion(provider):
            return f"set region of the provider {provider}"
        case causes.ComputedFrom(arguments):
            return how_to_know(arguments[0])
        case causes.NoConstant(written):
            return f"write {written} as a constant: Terraform reads this setting before it evaluates anything"
        case causes.ConditionKey(key):
            return (
                f"write a statement that does not depend on {key}, or waive the finding: "
                "AWS alone knows its value, when it gets the request"
            )
        case causes.RolePolicies():
            return f"{INTO_THE_PLAN}, or give a snapshot of IAM in its account, {_SNAPSHOT}"
        case causes.PolicyContent(policy, of_aws):
            return _of_policy(policy, of_aws=of_aws)
        case causes.PolicyElsewhere(owner):
            return f"bring the policy of {owner} into the plan, or check it there and waive the finding"
        case causes.EncryptionKey():
            return _of_key(cause)
        case causes.AliasTarget(alias):
            return f"name the key by its ARN, or bring {alias} and its key into the plan"
        case causes.RefusedRead(remedy=told) | causes.Contested(remedy=told):
            return told
        case causes.UnreadFile(file):
            return f"check that what {file} names is covered, then waive the finding: infraspec does not read the file"
        case causes.Placeholder(name):
            return f"render the file with {name} set, and name the result in the contract"
        case causes.AtRunTime(what):
            return f"{what} is created at run time: write a * in its place, which covers any value"
        case causes.BeyondLimit(what):
            return what
        case causes.Erroneous(what):
            return f"correct {what}"
        case causes.Withheld():
            return f"it is sensitive and not shown: wrap {address} in nonsensitive(…) if it is not secret"
        case _:
            assert_never(cause)


def _of_other_stack(cause: causes.OtherStack) -> str:
    entry = f"{{ {cause.output} = … }}" if cause.output else "{ … }"
    key = f"{data_source_key(cause.source)}.{cause.attribute}"
    return f'name the output of the other stack, "{key}" = {entry} under [known], or give a plan file'


def _of_policy(policy: str, *, of_aws: bool) -> str:
    given = f"give a snapshot of IAM, {_SNAPSHOT}"
    if of_aws:
        return f"write the statements of {policy} that are needed into a policy of your own, or {given}"
    return (
        "manage the policy in this root module, let the live suite read it in the account, read it with data "
        f'"aws_iam_policy" and name its `policy` under [known], or {given}'
    )


def _of_key(cause: causes.EncryptionKey) -> str:
    is_secret = cause.attribute == "kms_key_id"
    own = "aws/secretsmanager" if is_secret else "aws/ssm"
    otherwise = "" if is_secret else f', "{cause.source}.type" = "String" if it is not encrypted'
    return (
        f'set it under [known] of the contract: "{cause.source}.{cause.attribute}" = "" if AWS\'s own key {own} '
        f"encrypts it{otherwise}, else the ARN of its key; a plan file that has read it also has the value"
    )


_MOST_STATEMENTS = 3


def with_statements(finding: Finding, refusals: Mapping[str, str]) -> Finding:
    """Return a finding, an open one with the statements that let the runner see what it was refused.

    `refusals` has what lets the runner ask, by what it asked. What a rule says of something unknown is how the source
    would tell it; where AWS refuses to, that is no help.
    """
    told = f"{finding.found}\n{finding.reason}\n{finding.remedy}"
    if finding.verdict is not Verdict.UNDETERMINED or any(one in told for one in refusals.values()):
        return finding
    texts = list(dict.fromkeys(refusals.values()))
    shown = texts[:_MOST_STATEMENTS]
    more = ["all that it lacks: infraspec doctor --live"] if texts[_MOST_STATEMENTS:] else []
    return replace(finding, remedy="\n".join(filter(None, (finding.remedy, *shown, *more))))


Given = ParamSpec("Given")
Check = Callable[Concatenate[Plan, Given], list[Finding]]


def of_what_may_be_absent(check: Check[Given]) -> Check[Given]:
    """Make a check leave open what is wrong with a resource that may not be there."""

    @wraps(check)
    def judged(plan: Plan, /, *arguments: Given.args, **named: Given.kwargs) -> list[Finding]:
        return [left_open(plan, finding) for finding in check(plan, *arguments, **named)]

    return judged


def left_open(plan: Plan, finding: Finding) -> Finding:
    """Return a finding, an undetermined one if it is VIOLATED and about a resource that may not be there."""
    return doubted(finding, *plan.uncertainties(finding.address).values())


def unless_unlisted(plan: Plan, finding: Finding, *types: str) -> Finding:
    """Return a finding, an undetermined one if it is VIOLATED and what makes it good may be what nobody could list."""
    unlisted = (plan.unlisted(type_) for type_ in types)
    why = next(filter(None, unlisted), None) if finding.verdict is Verdict.VIOLATED else None
    if why is None:
        return finding
    reason = f"{finding.reason}\n{why.address} may satisfy the rule".strip()
    return replace(finding, verdict=Verdict.UNDETERMINED, reason=reason, remedy=how_to_know(why), changes=())


def doubted(finding: Finding, *doubts: Uncertain) -> Finding:
    """Return a finding, an undetermined one if it is VIOLATED and there are doubts of there being what it is about."""
    if finding.verdict is not Verdict.VIOLATED or not doubts:
        return finding
    why = [f"{doubt}; without an instance nothing is wrong" for doubt in doubts]
    known = "\n".join(dict.fromkeys(how_to_know(doubt.value) for doubt in doubts))
    return replace(
        finding,
        verdict=Verdict.UNDETERMINED,
        reason="\n".join(filter(None, (finding.reason, *why))),
        remedy=f"{known}\nand if there is an instance:\n{finding.remedy}" if finding.remedy else known,
    )
