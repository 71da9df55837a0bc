"""Risks `stateful-destroy` and `secret-deletion`: data that is gone after the apply."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infraspec.checks.plan_review.risk import WORDS, Review, RiskFound
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown
from infraspec.resource_types import resource_type
from infraspec.terraform.plan import Change, ChangeKind

SECRET = "aws_secretsmanager_secret"  # noqa: S105 - a resource type
_WINDOW = "recovery_window_in_days"
_FIRST = f"set it and apply that first, then delete:\n{_WINDOW} = 30"

_PREVENT = "lifecycle {\n  prevent_destroy = true\n}"
_FORGET = "\n  lifecycle {\n    destroy = false\n  }"


def data_losses(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what a change destroys that cannot be made again."""
    if change.type == SECRET:
        yield from _secret(review, change)
    elif change.destroys and _is_stateful(review, change):
        path = re.split(r"[.\[]", change.replace_paths[0], maxsplit=1)[0] if change.replace_paths else ""
        reason, remedy = _destroyed(change), _keep(review, change)
        yield RiskFound("stateful-destroy", Truth.YES, summary(change), reason, remedy, path)


def summary(change: Change) -> str:
    """Say in a line what is done: `replace (destroy first), because of engine_version`."""
    words = {
        ChangeKind.UPDATE: "update in place",
        ChangeKind.DELETE: "destroy",
        ChangeKind.FORGET: "forget: it stays, and terraform no longer manages it",
        ChangeKind.REPLACE: f"replace ({'create' if change.creates_first else 'destroy'} first)",
        ChangeKind.NO_OP: "no change",
    }
    text = words.get(change.kind, change.kind.value)
    if change.kind is ChangeKind.UPDATE and change.changed:
        text += f": {', '.join(change.changed)}"
    if change.replace_paths:
        text += f", because of {', '.join(change.replace_paths)}"
    if change.deposed:
        text += f" the object {change.deposed} that an earlier replacement left"
    if change.previous_address:
        text += f", moved from {change.previous_address}"
    return text + (", imported" if change.importing else "")


def _is_stateful(review: Review, change: Change) -> bool:
    stateful = resource_type(change.type).stateful or change.type in review.rules.stateful_types
    return stateful and not review.disposable.covers(change.type, change.address)


def _destroyed(change: Change) -> str:
    reasons = [WORDS.reasons[change.reason]] if change.reason in WORDS.reasons else []
    for name, words in WORDS.guards.items():
        value = change.before.get(name)
        if isinstance(value, bool) and (told := words.get(str(value).lower())):
            reasons.append(told)
    if change.type == "aws_kms_key":
        days = change.before.get("deletion_window_in_days") or 30
        reasons.append(f"what it encrypts cannot be read any more; it can be restored for {days} days")
    return "; ".join(["it holds what an apply cannot bring back", *reasons])


def _keep(review: Review, change: Change) -> str:
    """Suggest how the object survives."""
    if change.kind is ChangeKind.REPLACE:
        cause = ", ".join(change.replace_paths) or "what forces the replacement"
        return f"keep it: take back the change of {cause}, or add to the resource\n{_PREVENT}"
    created = review.created_by_type.get(change.type, ())
    if len(created) == 1 and not change.deposed:
        moved = f"moved {{\n  from = {change.address}\n  to   = {created[0]}\n}}"
        return f"if {created[0]} is the same object under another address:\n{moved}"
    if change.deposed:
        return "check its content before the apply"
    every = change.address[: change.address.rindex("[")] if change.address.endswith("]") else change.address
    return f"keep it and let terraform forget it:\nremoved {{\n  from = {every}\n{_FORGET}\n}}"


def _secret(review: Review, change: Change) -> Iterator[RiskFound]:
    """Source: the provider's resource aws_secretsmanager_secret deletes at once if the state has no window, or 0."""
    if review.disposable.covers(change.type, change.address):
        return
    before, after = change.before.get(_WINDOW), review.after(change).get(_WINDOW)
    if change.destroys and (before is None or isinstance(before, Unknown)):
        reason = f"the state has no {_WINDOW}, as after an import; then the provider deletes without recovery"
        yield RiskFound("secret-deletion", Truth.MAYBE, summary(change), reason, _FIRST)
    elif change.destroys and not (isinstance(before, int) and before > 0):
        why = f"; {WORDS.reasons[change.reason]}" if change.reason in WORDS.reasons else ""
        reason = f"{_WINDOW} is 0: the value cannot be restored{why}"
        yield RiskFound("secret-deletion", Truth.YES, summary(change), reason, _FIRST)
    elif change.kind in {ChangeKind.CREATE, ChangeKind.UPDATE} and after == 0 and before != 0:
        reason = "from this apply on, a deletion of the secret cannot be undone"
        yield RiskFound("secret-deletion", Truth.YES, f"{_WINDOW} = 0", reason, f"{_WINDOW} = 30", _WINDOW)
