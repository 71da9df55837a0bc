"""Rule `state-store`: the bucket and the lock table of the backend exist, and are in AWS what `state-bucket` asks for.

It is the static rule on what AWS has: whoever makes the bucket, and whatever was changed by hand, is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from infraspec.checks.state.state_bucket import check_state_bucket
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.core.unknown import render
from infraspec.terraform.configuration.settings import RootSettings
from infraspec.terraform.plan import Plan

RULE = RULES["state-store"]

_NAMED = {"bucket": ("aws_s3_bucket", "bucket"), "dynamodb_table": ("aws_dynamodb_table", "name")}


def check_state_store(state_store: Plan, root_module: RootSettings) -> list[Finding]:
    """Judge what AWS has of the backend of a root; nothing for a backend other than s3.

    Raises PolicyError if the policy of the bucket is malformed.
    """
    if root_module.backend.type != "s3":
        return []
    missing = list(_missing(state_store, root_module))
    absent = {finding.subject for finding in missing}
    found = [one for one in check_state_bucket(state_store, root_module) if one.subject not in absent]
    return [*missing, *(replace(one, rule=RULE.id) for one in found)]


def _missing(store: Plan, settings: RootSettings) -> Iterator[Finding]:
    for argument, (type_, attribute) in _NAMED.items():
        name, account = settings.backend.arguments.get(argument), settings.backend.account
        if argument == "dynamodb_table" and isinstance(name, str) and account not in {None, store.account}:
            yield RULE.about(settings.root, argument, settings.backend.location).say(
                "other-account", name=name, account=store.account, account_2=render(account)
            )
        elif isinstance(name, str) and not any(one.stated(attribute) == name for one in store.managed(type_)):
            yield RULE.about(settings.root, argument, settings.backend.location).say(
                "absent", argument=argument, name=render(name)
            )
