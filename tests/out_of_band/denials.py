"""Refuse each read that the live suite makes, one after the other, and print how many verdicts are left.

`python -m tests.out_of_band.denials` prints a line of JSON for each operation: how many of the verdicts of a run that
may ask everything are left, and the rules that have an open one of them; those that are another one and not
UNDETERMINED, and the findings that are open only now and do not name the statement to add: there must be none of
either.
"""

from __future__ import annotations

import gc
import json
import re
import statistics
import sys
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from botocore import client as botocore_client

from infraspec.core.finding import Finding, Verdict
from tests.out_of_band.__main__ import forked
from tests.out_of_band.account import Deployed
from tests.out_of_band.judging import Looked, look

_UNDETERMINED = Verdict.UNDETERMINED.value


def asked(deployed: Deployed) -> tuple[Looked, list[str]]:
    """Return what a run says that may ask everything, and the operations that it asks."""
    operations: dict[str, None] = {}
    with_hook(operations.setdefault)
    return look(deployed), list(operations)


def with_hook(hook: Any) -> None:
    """Have a function called with each operation, `service.Operation`; what it returns is the answer, if anything."""
    original = botocore_client.BaseClient._make_request

    def make(own: Any, model: Any, *arguments: Any) -> Any:
        answer = hook(f"{model.service_model.service_name}.{model.name}")
        return original(own, model, *arguments) if answer is None else answer

    botocore_client.BaseClient._make_request = make


def denied(deployed: Deployed, before: Looked, operation: str) -> dict[str, Any]:
    """Refuse an operation, and return what that does to the verdicts."""
    service, _, name = operation.partition(".")
    message = f"User: arn:aws:sts::{deployed.account.account}:assumed-role/runner/x is not authorized to perform: "
    error = {"Code": "AccessDeniedException", "Message": f"{message}{service}:{name}"}
    answer = (SimpleNamespace(status_code=403), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}})
    with_hook(lambda asked: answer if asked == operation else None)
    after = look(deployed)
    silent = sorted({(one.rule, one.key, one.remedy) for one in after.findings if not _names_statement(one, before)})
    return {**verdicts(before, after), "unnamed": silent}


def verdicts(before: Looked, after: Looked) -> dict[str, Any]:
    """Compare what is said with what was said before."""
    known, told = ({(rule, key): verdict for rule, verdict, key in one.told()} for one in (before, after))
    left = sum(verdict != _UNDETERMINED for one, verdict in told.items() if one in known)
    wrong = [
        [*one, verdict]
        for one, verdict in told.items()
        if verdict not in {_UNDETERMINED, "broken"} and known.get(one) != verdict
    ]
    open_ = sorted({rule for (rule, key), verdict in told.items() if verdict == _UNDETERMINED and (rule, key) in known})
    return {"left": left, "of": len(known), "broken": sorted(after.broken), "wrong": wrong, "open": open_}


def _names_statement(finding: Finding, before: Looked) -> bool:
    """Tell whether a finding that is open only now says which statement lets the runner look."""
    is_new = finding.verdict is Verdict.UNDETERMINED and finding not in before.findings
    return not is_new or '"Effect": "Allow"' in finding.remedy


def results(pattern: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Deploy the reference, and yield for each operation what refusing it does."""
    deployed = Deployed()
    before, operations = asked(deployed)
    gc.freeze()
    for operation in sorted(operations):
        if re.search(pattern, operation) and operation != "sts.GetCallerIdentity":
            yield operation, forked(partial(denied, deployed, before, operation))


def main(pattern: str = "") -> None:
    """Print a line for each operation, and what they come to."""
    left: list[float] = []
    wrong, gone = 0, list[int]()
    for operation, result in results(pattern):
        print(json.dumps({"operation": operation, **result}), flush=True)  # noqa: T201 - its output
        if "of" in result:
            left.append(result["left"] / result["of"])
            gone.append(result["of"] - result["left"])
            wrong += len(result["wrong"])
    print(f"{len(left)} refused; {wrong} wrong; {statistics.median(left):.1%} left, {statistics.median(gone):.0f} gone")  # noqa: T201 - likewise


if __name__ == "__main__":
    main(*sys.argv[1:])
