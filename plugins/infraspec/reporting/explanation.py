"""An explanation of `infraspec explain` as a document, and how IAM came to a decision."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from infraspec.checks.access.explanation import Addition, Explanation
from infraspec.core.finding import Location
from infraspec.core.truth import Truth
from infraspec.core.unknown import render
from infraspec.iam.evaluation.decision import Decision, Outcome
from infraspec.iam.evaluation.layers import Layer, Layers
from infraspec.iam.policy.context import Request
from infraspec.iam.policy.partial_arn import shown
from infraspec.iam.policy.statements import Clause, Hit
from infraspec.reporting.document import (
    Code,
    Column,
    Document,
    Field,
    Fields,
    Form,
    Items,
    Paragraph,
    Part,
    Row,
    Table,
    TextSpan,
    Title,
    Tone,
    Words,
    joined,
    place,
    text,
)

EXIT_CODES: Mapping[Tone, int] = {"good": 0, "bad": 1, "doubtful": 3}
"""The exit code of the command by how a decision looks; 2 is an error of the input."""

_VERDICTS = {
    Outcome.ALLOWED: "ALLOWED",
    Outcome.EXPLICITLY_DENIED: "DENIED by a statement",
    Outcome.IMPLICITLY_DENIED: "DENIED: no statement allows it",
    Outcome.UNDETERMINED: "UNDETERMINED: cannot be decided from what is known",
}
_TONES: Mapping[Outcome, Tone] = {Outcome.ALLOWED: "good", Outcome.UNDETERMINED: "doubtful"}
_EFFECTS = {
    ("Deny", Truth.YES): TextSpan("denies", "bad"),
    ("Deny", Truth.MAYBE): TextSpan("may deny", "doubtful"),
    ("Allow", Truth.YES): TextSpan("allows", "good"),
    ("Allow", Truth.MAYBE): TextSpan("may allow", "doubtful"),
}
_ANSWERS = {Truth.YES: "yes", Truth.MAYBE: "unknown", Truth.NO: "no"}
_MOST = 50
_WIDTH = len("statement:")


def explanation_document(explanation: Explanation) -> Document:
    """Return the verdict, what shows it and what to add; on a terminal what each layer of policies says as well."""
    return Document(partial(_parts, explanation), partial(_data, explanation))


def tone_of(outcome: Outcome) -> Tone:
    """Return how a decision looks: allowed is good, and what is not known is no denial."""
    return _TONES.get(outcome, "bad")


def where(addition: Addition) -> str:
    """Return what a statement is to be added to, and its place."""
    return f"{addition.target}{place(addition.location)}"


def _parts(explanation: Explanation, form: Form) -> Iterator[Part]:
    yield Title(_VERDICTS[explanation.outcome], tone=tone_of(explanation.outcome))
    yield Fields(tuple(_rows(explanation)), _WIDTH)
    layers, nearest = explanation.decision.layers, explanation.decision.nearest
    if layers is not None and form == "terminal":
        rows = _layer_rows(layers, nearest.hit if nearest else None)
        yield Table.of(("layer", "answer", "statement"), rows, indent=2)
    if explanation.addition is not None:
        yield Paragraph(f"To allow it, add to {where(explanation.addition)}:", "strong")
        yield Code(explanation.addition.hcl, "terraform")
        yield Paragraph("The same as JSON:", "strong")
        yield Code(json.dumps(explanation.addition.json, indent=2), "json")


def _rows(explanation: Explanation) -> Iterator[Field]:
    role, hit = explanation.role, explanation.hit
    yield Field("role", f"{role.address}{place(role.location)}")
    yield Field("action", explanation.action)
    yield Field("resource", _resource(explanation.decision.request))
    yield Field("why", explanation.reason)
    if hit is not None:
        yield Field("statement", f"{hit}{place(hit.location)}")
    if explanation.listed:
        yield Field("it lists", explanation.listed, "bad")
        yield Field("asked for", explanation.asked, "good")
    for policies in explanation.rests_on:
        yield Field("rests on", policies)
    for other in explanation.unseen:
        yield Field("unseen", other, "doubtful")
    for warning in explanation.warnings:
        yield Field("warning", f"{warning.finding}: {warning.reason}; {warning.remedy}", "doubtful")
    if explanation.key:
        yield Field("also", f"it needs kms:Decrypt on {explanation.key} too, which encrypts the secret")


def _resource(request: Request) -> str:
    named, written = str(request.subject), render(request.subject.value)
    return f"{named} ({written})" if written != named else named


def _layer_rows(layers: Layers, nearest: Hit | None) -> Iterator[tuple[Words, ...]]:
    """Yield what each kind of policies says: the statements that apply, or that none does.

    Source: IAM User Guide, "Policy evaluation logic".
    """
    boundary = layers.boundary or Layer("permissions boundary", ())
    others = [layer for layer in layers.all() if layer is not layers.own and layer is not boundary]
    for layer in (layers.own, boundary, *others):
        hits = [(_EFFECTS["Deny", answer], hit) for answer, hit in layer.denies]
        hits += [(_EFFECTS["Allow", answer], hit) for answer, hit in layer.allows]
        for answer, hit in hits:
            yield layer.name, answer, _statement(hit)
        if not hits and not layer.policies:
            yield layer.name, TextSpan("none known", "quiet"), ""
        elif not hits:
            is_near = nearest is not None and layer is layers.own
            closest = (TextSpan("closest: ", "quiet"), _statement(nearest)) if nearest and is_near else ""
            yield layer.name, "does not allow", closest


def _statement(hit: Hit) -> str:
    return f"{hit}\n{hit.location}" if hit.location else str(hit)


def _data(explanation: Explanation) -> dict[str, Any]:
    hit, addition = explanation.hit, explanation.addition
    return {
        "decision": explanation.outcome.value,
        "role": {"address": explanation.role.address, "location": _place(explanation.role.location)},
        "action": explanation.action,
        "resource": {
            "named": shown(explanation.resource),
            "arn": render(explanation.decision.request.subject.value),
        },
        "why": explanation.reason,
        "statement": None
        if hit is None
        else {
            "policy": hit.policy.name,
            "path": hit.clause.statement.path,
            "sid": hit.clause.statement.sid,
            "location": _place(hit.location),
            "listed": explanation.listed or None,
            "asked": explanation.asked or None,
        },
        "warnings": [
            {"finding": fault.finding, "reason": fault.reason, "remedy": fault.remedy} for fault in explanation.warnings
        ],
        "kms_key": explanation.key or None,
        "rests_on": list(explanation.rests_on),
        "unseen": list(explanation.unseen),
        "add": None
        if addition is None
        else {
            "to": addition.target,
            "location": _place(addition.location),
            "hcl": addition.hcl,
            "json": addition.json,
        },
    }


def _place(location: Location | None) -> dict[str, Any] | None:
    return {"file": location.file, "line": location.line} if location else None


def decisions_document(rows: Iterable[Mapping[str, str]]) -> Document:
    """Return the decisions of `infraspec simulate`, each with `id`, `decision` and `why`."""
    return Document(partial(_decisions, list(rows)))


def _decisions(rows: list[Mapping[str, str]], form: Form) -> Iterator[Part]:
    columns = (Column("id"), Column("decision", least=max(len(each.value) for each in Outcome)), Column("why"))
    cells = [(row["id"], _coloured(row["decision"]), row["why"]) for row in rows]
    if rows or form == "terminal":
        yield Table(columns, tuple(map(Row, cells)), header="terminal")
    if form == "terminal":
        counts = Counter(row["decision"] for row in rows)
        numbers = [(f"{counts[each.value]} ", _coloured(each.value)) for each in Outcome if counts[each.value]]
        yield Paragraph(joined(", ", numbers) or "no case")


def _coloured(decision: str) -> TextSpan:
    return TextSpan(decision, tone_of(Outcome(decision)))


def traces(decisions: Mapping[str, Decision], keys: Iterable[str]) -> str:
    """Return how IAM came to the decisions of findings with these keys, each once, at most 50; empty if there is none.

    Every layer of policies, the statements about the action, and what of each did not fit.
    """
    groups: dict[int, list[str]] = {}
    for key in dict.fromkeys(key for key in keys if key in decisions):
        groups.setdefault(id(decisions[key]), []).append(key)
    parts = [part for keys in list(groups.values())[:_MOST] for part in _trace(keys, decisions[keys[0]])]
    if len(groups) > _MOST:
        parts.append(Paragraph(f"… and {len(groups) - _MOST} more decisions"))
    return text(parts)


def _trace(keys: Iterable[str], decision: Decision) -> Iterator[Part]:
    yield Title("\n".join(keys))
    rows = [
        Field("action", str(decision.request.action)),
        Field("resource", _resource(decision.request)),
        Field("decision", decision.outcome.value),
    ]
    if decision.deciding:
        rows.append(Field("decided by", f"{decision.deciding}{place(decision.deciding.location)}"))
    if nearest := decision.nearest:
        rows.append(Field("closest", f"{nearest.hit}{place(nearest.hit.location)}: {nearest.reason}"))
    rows += [Field("doubt", str(doubt)) for doubt in decision.doubts]
    yield Fields(tuple(rows))
    if decision.layers:
        yield Items(tuple(_layer(layer, decision.request) for layer in decision.layers.all()))


def _layer(layer: Layer, request: Request) -> tuple[Part, ...]:
    if not layer.policies:
        return (Paragraph(f"{layer.name}: none"),)
    head = f"{layer.name}: allows {_ANSWERS[layer.allowed]}, denies {_ANSWERS[layer.denied]}"
    policies: list[tuple[Part, ...]] = []
    for policy in layer.policies:
        about = [clause for clause in policy.clauses if clause.covers_action(request.action) is not Truth.NO]
        others = len(policy.clauses) - len(about)
        name = policy.name + (f" ({others} statements about other actions)" if others else "")
        statements = Items.of(_clause(clause, Hit(policy, clause), request) for clause in about)
        policies.append((Title(name), *([statements] if about else [])))
    return Title(head), Items(tuple(policies))


def _clause(clause: Clause, hit: Hit, request: Request) -> str:
    answers = {"action": clause.covers_action(request.action), "resource": clause.covers_resource(request)}
    if clause.statement.condition is not None:
        answers["condition"] = clause.condition(request.context)
    fits = ", ".join(f"{part} {_ANSWERS[answer]}" for part, answer in answers.items())
    return f"{render(clause.statement.effect)} {clause.statement}{place(hit.location)}: {fits}"
