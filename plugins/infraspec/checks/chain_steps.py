"""The steps of the chain from a task to a secret that are no policies: that the secret is there, whole and usable.

Sources: AWS Secrets Manager User Guide, "Delete an AWS Secrets Manager secret" and "Secret versions"; Amazon ECS
Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables"; AWS Secrets Manager API
Reference, "GetSecretValue" (partial ARNs); AWS KMS Developer Guide, "Key states of AWS KMS keys".
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from infraspec.checks.secret_links import Link
from infraspec.ecs.stored_value import CURRENT, ChainFacts, Refusal, StoredSecret
from infraspec.ecs.value_from import Store
from infraspec.iam.answer import Answer
from infraspec.unknown import render

_ENABLED = "Enabled"
_USABLE = frozenset({_ENABLED, "Updating"})
"""The states in which a key can be used; AWS KMS API Reference, "UpdatePrimaryRegion", on the second."""


class Step(Struct, frozen=True):
    """What is to be said of one step; with `advice` it holds so far as it was looked at.

    `is_refusal` is one that was not looked at because its policy keeps the runner out, `of_grants` one that hides its
    grants alone, which can only let in more.
    """

    answer: Answer
    expected: str = ""
    found: str = ""
    reason: str = ""
    remedy: str = ""
    advice: bool = False
    is_refusal: bool = False
    of_grants: bool = False

    def leaves_open(self, *, decided: bool) -> bool:
        """Tell whether the step leaves the verdict open where the policies have decided it, or have not."""
        return self.answer is Answer.MAYBE and not (decided and self.of_grants)


def steps_of(link: Link, facts: ChainFacts) -> Iterator[Step]:
    """Yield the steps of a value, in the order in which ECS takes them."""
    if link.value.problem:
        yield _malformed(link)
        return
    kind = "secret" if link.value.store is Store.SECRETS_MANAGER else "parameter"
    if link.arn in facts.refused:
        yield _refusal(f"the {kind} {link.arn}", facts.refused[link.arn])
        return
    if link.arn not in facts.stored:
        reason = f"what AWS has there was not looked at: the {kind} is of another account, or its ARN is not known"
        remedy = "run the live suite in that account too, or waive the finding once a task has started with it"
        yield Step(Answer.MAYBE, f"the {kind} {link.arn}", "not looked at", reason, remedy)
        return
    stored = facts.stored[link.arn]
    if stored is None:
        reason = f"ECS cannot start a task that reads a {kind} which does not exist"
        remedy = f"create the {kind}, or name one that exists; of a secret, the whole ARN with its suffix"
        yield Step(Answer.NO, f"the {kind} {link.arn}", f"there is no such {kind} in the account", reason, remedy)
        return
    yield from _of_secret(link, stored)
    yield from _of_keys(link, facts)
    yield from _of_json_key(link, facts)


def _malformed(link: Link) -> Step:
    """Say what is wrong with a valueFrom. ECS hands on an ARN without its suffix, and Secrets Manager looks for it."""
    shown, value = render(link.need.named), link.value
    if value.partial:
        reason = f"{value.problem}: AWS asks for the whole ARN, and Secrets Manager may find the secret without it"
        return Step(Answer.MAYBE, "the full ARN of a secret", shown, reason, value.remedy)
    return Step(Answer.NO, "a valueFrom that ECS can read", shown, value.problem, value.remedy)


def _of_secret(link: Link, stored: StoredSecret) -> Iterator[Step]:
    if stored.deletion is not None:
        yield Step(
            Answer.NO,
            f"the secret {stored.arn} stays",
            f"it is marked for deletion, DeletedDate {stored.deletion:%Y-%m-%d %H:%M} UTC",
            "Secrets Manager does not give out the value of a secret that is marked for deletion",
            f"aws secretsmanager restore-secret --secret-id {stored.arn}",
        )
    if link.value.store is not Store.SECRETS_MANAGER:
        return
    _, stage, version = link.suffix
    wanted = stage or CURRENT
    if not stored.has(wanted, version):
        named = f"the version {version}" if version else f"a version with the stage {wanted}"
        stages = sorted({stage for stages in stored.stages.values() for stage in stages})
        yield Step(
            Answer.NO,
            f"{named} of {stored.arn}",
            f"the stages {', '.join(stages)}" if stages else "a secret without a value",
            "ECS asks for that version when it starts a task",
            f"put a value with aws secretsmanager put-secret-value --secret-id {stored.arn}"
            if wanted == CURRENT and not version
            else "name a stage or a version that exists, or leave it out for AWSCURRENT",
        )


def _of_keys(link: Link, facts: ChainFacts) -> Iterator[Step]:
    for one in link.judged:
        key = render(one.requirement.resource)
        state = facts.keys.get(key, _ENABLED)
        if one.requirement.action != "kms:Decrypt":
            continue
        if key in facts.refused:
            yield _refusal(f"the key {key}", facts.refused[key])
        if state not in _USABLE:
            mend = {
                "PendingDeletion": f"aws kms cancel-key-deletion --key-id {key}\naws kms enable-key --key-id {key}",
                "Disabled": f"aws kms enable-key --key-id {key}",
            }
            yield Step(
                Answer.NO,
                f"the key {key} is {_ENABLED}",
                f"it is {state}",
                "what is encrypted with a key cannot be read while the key is in that state",
                mend.get(state, f"bring the key into the state {_ENABLED}, or encrypt the secret with another one"),
            )


def _refusal(named: str, refusal: Refusal) -> Step:
    return Step(
        Answer.MAYBE,
        f"{named} lets the runner look at it",
        refusal.found,
        "what its policy says of the execution role is not known: it may keep that out as well",
        refusal.remedy,
        is_refusal=True,
        of_grants=refusal.of_grants,
    )


def _of_json_key(link: Link, facts: ChainFacts) -> Iterator[Step]:
    key, _, _ = link.suffix
    if not key:
        return
    read = facts.values.get((link.arn, key))
    expected = f"the value of {link.arn} is a JSON object with the key {key}"
    if read is not None and read.has_key is False:
        reason = "ECS cannot start a task that asks for a JSON key which the value does not have"
        yield Step(Answer.NO, expected, read.problem or f"it has no key {key}", reason, f"put the key {key} into it")
    elif read is None or read.has_key is None:
        yield Step(
            Answer.YES,
            expected,
            "the value was not looked at",
            f"whether it has the JSON key {key} is not known from what was read",
            "let the suite read it where that is allowed: read_secrets in the contract's [environments.NAME.live]",
            advice=True,
        )
