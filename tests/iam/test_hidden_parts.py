"""Known cases with parts of them hidden: no definite answer is ever wrong, and most answers stay definite."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, characters, concatenate
from infraspec.iam.evaluation.decision import Decision, Outcome, decide
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy

FILE = Path(__file__).parents[2] / "fixtures/iam/cases.jsonl"
CASES = [case for case in map(json.loads, FILE.read_text(encoding="utf-8").splitlines()) if not case.get("ambiguous")]
TRIALS = 6000
ACCOUNTS = ("111122223333", "444455556666")
VARIABLES = {"aws:PrincipalTag/team", "aws:PrincipalTag/b"}


def policy(value: Value, *, with_principals: bool = False) -> IdentityPolicy:
    """Compile a policy of a case."""
    document = value.get("policy", value) if isinstance(value, dict) else value
    return IdentityPolicy.of("policy", PolicyDocument.from_value(document, with_principals=with_principals))


def decided(case: dict[str, Any], context: Context) -> Decision:
    """Decide a case, parts of which may be unknown."""
    request = case["request"]
    shared = case.get("resourcePolicy")
    return decide(
        [policy(own) for own in case["policies"]],
        request["action"],
        request["resource"],
        boundary=[policy(case["boundary"])] if "boundary" in case else None,
        session=[policy(case["sessionPolicy"])] if "sessionPolicy" in case else None,
        resource_policies=[policy(shared, with_principals=True)] if shared is not None else (),
        scps=[[policy(one) for one in level] for level in case.get("scps", ())],
        rcps=[[policy(one, with_principals=True) for one in level] for level in case.get("rcps", ())],
        principal=Principal.of(request["principal"]),
        resource_account=request["resourceAccount"],
        context=context,
    )


def statements(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statements of all policies of a case."""
    policies = list(case["policies"])
    policies += [case[name] for name in ("boundary", "sessionPolicy", "resourcePolicy") if name in case]
    policies += [one for name in ("scps", "rcps") for level in case.get(name, ()) for one in level]
    for one in policies:
        found = one.get("policy", one)["Statement"] if isinstance(one, dict) else []
        yield from (entry for entry in (found if isinstance(found, list) else [found]) if isinstance(entry, dict))


class Hider:
    """Hides parts of a case. What is hidden is named by what it is, so that equal texts are equal unknowns."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def text(self, text: Value) -> Value:
        """Hide a piece of a text, or all of it."""
        if not isinstance(text, str):
            return text
        start = self.chance.choice([0, text.rfind(":") + 1, text.rfind("/") + 1, max(text.rfind("-"), 0)])
        end = self.chance.choice([len(text), len(text), max(start, len(text) - 3)])
        hidden = text[start:end]
        opens = hidden.count("${") > hidden.count("}") or hidden.endswith("$") or text[:start].endswith("$")
        if opens or not hidden:  # what is unknown opens no policy variable that known text closes
            return text
        return concatenate([text[:start], Unknown(f"hidden {text[start:end]}"), text[end:]])

    def resource(self, case: dict[str, Any]) -> None:
        """Hide what of the request's resource is known only after apply: a suffix, a name, a field."""
        arn = case["request"]["resource"]
        if not isinstance(arn, str) or arn == "*":
            return
        fields = arn.split(":", 5)
        match self.chance.randint(0, 3):
            case 0 if ":secret:" in arn:
                case["request"]["resource"] = concatenate([arn[:-6], characters(f"suffix {arn[-6:]}", 6)])
            case 1:
                fields[3] = ""
                region = arn.split(":")[3]
                rest = ":".join(arn.split(":")[4:])
                parts: list[str | Unknown] = [
                    ":".join(arn.split(":")[:3]) + ":",
                    Unknown(f"hidden {region}"),
                    f":{rest}",
                ]
                case["request"]["resource"] = concatenate(parts) if region else arn
            case _:
                head, tail = arn[: arn.rindex(":") + 1], arn[arn.rindex(":") + 1 :]
                case["request"]["resource"] = concatenate([head, self.text(tail)]) if arn.count(":") > 4 else arn

    def statement(self, case: dict[str, Any]) -> None:
        """Hide a part of one statement."""
        found = list(statements(case))
        if not found:
            return
        chosen = self.chance.choice(found)
        part = self.chance.choice([*chosen, *(["Condition"] * 2 if "Condition" in chosen else [])])
        value = chosen[part]
        if part in {"Effect", "Principal", "NotPrincipal"} or self.chance.random() < 0.15:
            chosen[part] = Unknown(f"hidden {json.dumps(value, default=str)}")
        elif part == "Condition" and isinstance(value, dict):
            operator = self.chance.choice(list(value))
            block = value[operator]
            if isinstance(block, dict):
                key = self.chance.choice(list(block))
                block[key] = self.entries(block[key])
        elif part in {"Action", "NotAction", "Resource", "NotResource"}:
            chosen[part] = self.entries(value)

    def entries(self, value: Value) -> Value:
        """Hide a piece of one of the texts of a list."""
        if isinstance(value, list) and value:
            place = self.chance.randrange(len(value))
            return [self.text(item) if index == place else item for index, item in enumerate(value)]
        return self.text(value)

    def account(self, case: dict[str, Any]) -> None:
        """Hide the account of the principal, of the resource, or of both."""
        request = case["request"]
        chosen = self.chance.choice(["principal", "resourceAccount", "both"])
        for part in ("principal", "resourceAccount"):
            account = next((number for number in ACCOUNTS if number in str(request[part])), None)
            if account is not None and isinstance(request[part], str) and chosen in {part, "both"}:
                head, tail = request[part].split(account, 1)
                hidden = concatenate([head, Unknown(f"hidden {account}"), tail])
                request[part] = hidden if head else Unknown(f"hidden {account}")

    def policy(self, case: dict[str, Any]) -> None:
        """Hide a policy, or one of its statements, wholly."""
        if not case["policies"]:
            return
        place = self.chance.randrange(len(case["policies"]))
        whole = Unknown(f"hidden policy {place}")
        case["policies"][place] = whole if self.chance.random() < 0.5 else {"Statement": whole}

    def context(self, values: dict[str, Any]) -> Context:
        """Tell some of the keys, present and absent; hide others, or their values."""
        told = {key: self.chance.choice([value, value, self.entries(value)]) for key, value in values.items()}
        kept = {key: value for key, value in told.items() if self.chance.random() < 0.8}
        given = {name.lower() for name in values}
        absent = [key for key in EVERY_KEY if key.lower() not in given and self.chance.random() < 0.8]
        return Context.of(kept, absent=absent)


CONDITIONS = [entry["Condition"] for case in CASES for entry in statements(case) if "Condition" in entry]
EVERY_KEY = sorted({key for condition in CONDITIONS for block in condition.values() for key in block} | VARIABLES)


def contradicts(decision: Decision, known: str) -> bool:
    """Tell whether a decision says for certain what is not so."""
    allowed = known == "Allowed"
    certain = decision.outcome is not Outcome.UNDETERMINED and decision.outcome.value != known
    return certain or decision.allowed is (Truth.NO if allowed else Truth.YES)


def test_no_definite_answer_is_wrong() -> None:
    """Whatever part of a known case is hidden, a definite answer is that of the whole case."""
    chance = random.Random(20261125)  # noqa: S311 - a reproducible sample, no cryptography
    hider = Hider(chance)
    counts: Counter[str] = Counter()
    wrong = []
    for _ in range(TRIALS):
        known = chance.choice(CASES)
        case = copy.deepcopy(known)
        hide_context = False
        for _ in range(chance.choice([1, 1, 2])):
            match chance.choice(["resource", "resource", "context", "context", "statement", "account", "policy"]):
                case "resource":
                    hider.resource(case)
                case "statement":
                    hider.statement(case)
                case "account":
                    hider.account(case)
                case "policy" if chance.random() < 0.3:
                    hider.policy(case)
                case _:
                    hide_context = True
        values = case["request"]["context"]
        context = hider.context(values) if hide_context else Context.of(values, complete=True)
        decision = decided(case, context)
        counts["undetermined" if decision.outcome is Outcome.UNDETERMINED else "definite"] += 1
        if contradicts(decision, known.get("aws", known["expected"])):
            wrong.append((known["id"], str(case), decision.outcome))
    assert [] == wrong[:3], len(wrong)
    assert counts["definite"] >= 0.7 * TRIALS, counts
