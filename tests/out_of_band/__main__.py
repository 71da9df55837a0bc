"""Make changes in the deployed reference, each in a fork of this process, and print what the live suite says of each.

`python -m tests.out_of_band` makes all, `… PATTERN` those whose name the regular expression is in. Each is a line of
JSON; the last lines say how many are judged rightly, and which harmful ones nothing is said of.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from infraspec.contract.models import Contract
from tests.out_of_band.account import Deployed
from tests.out_of_band.changing import Change, read_changes
from tests.out_of_band.judging import Looked, look, news


def forked(work: Callable[[], Any]) -> Any:
    """Return what a piece of work gives as JSON, done in a fork: what it changes here is not changed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            try:
                json.dump(work(), pipe)
            except BaseException as error:  # noqa: BLE001 - the parent says it
                json.dump({"error": f"{type(error).__name__}: {error}"}, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return json.loads(told)


def judged(deployed: Deployed, before: Looked, change: Change) -> dict[str, Any]:
    """Make a change and return what is said of it that was not said before."""
    contract = changed_contract(deployed.contract, change.contract)
    change.make(deployed)
    said = [[*told, text] for told, text in news(before, look(deployed, contract))]
    return {"said": said, "right": is_right(change, said)}


def changed_contract(contract: Contract, tables: Mapping[str, Any]) -> Contract:
    """Return a contract with further keys in its tables."""
    made = {}
    for name, table in tables.items():
        own = getattr(contract, name)
        made[name] = type(own).model_validate({**own.model_dump(exclude_unset=True), **table})
    return contract.model_copy(update=made)


def is_right(change: Change, said: Sequence[Sequence[str]]) -> bool:
    """Tell whether a change gets its verdict: of a rule that it names, and no other change any."""
    if change.verdict == "clean":
        return not said
    return any(rule in change.rules and verdict == change.verdict for rule, verdict, *_ in said)


def results(changes: Sequence[Change]) -> Iterator[tuple[Change, dict[str, Any]]]:
    """Deploy the reference, and yield what is said of each change."""
    deployed = Deployed()
    before = look(deployed)
    gc.freeze()
    for change in changes:
        yield change, forked(partial(judged, deployed, before, change))


def main(pattern: str = "") -> None:
    """Print a line for each change, and what they come to."""
    chosen = [one for one in read_changes() if re.search(pattern, one.name)]
    right, silent = 0, list[str]()
    for change, result in results(chosen):
        said = result.get("said", [])
        right += bool(result.get("right"))
        if change.verdict != "clean" and not said:
            silent.append(change.name)
        short = sorted({f"{rule} {verdict}" for rule, verdict, *_ in said})
        line = {"name": change.name, "right": result.get("right", False), "is": change.verdict, "said": short}
        print(json.dumps({**line, **{key: result[key] for key in ("error",) if key in result}}), flush=True)  # noqa: T201 - its output
        if os.environ.get("SHOW"):
            print(*(text for *_, text in said), sep="\n")  # noqa: T201 - likewise
    print(f"{right} of {len(chosen)} right; {len(silent)} silent")  # noqa: T201 - likewise


if __name__ == "__main__":
    main(*sys.argv[1:])
