"""What the commands of the documentation find where a reader runs them, and what has to do for it here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import NamedTuple

from infraspec.core.runtime import installation
from tests.docs.blocks import Block, blocks


class StandIn(NamedTuple):
    """What is nowhere but in the documentation, as a regular expression; what is there instead; and why it may be."""

    pattern: str
    instead: str
    why: str


_SHOP = "the shop of the pages is the reference infrastructure"
_ACCOUNT = "no test has an account: the sandbox of production answers for it"
_MACHINE = "another machine is another process"
STANDS_FOR = (
    StandIn(r"shop-prod-app\b", "daily-report-tool-prod-backend", _SHOP),
    StandIn(r"\bshop-prod-", "daily-report-tool-prod-", _SHOP),
    StandIn(r"role/shared-execution", "role/daily-report-tool-prod-backend-execution", _SHOP),
    StandIn(
        r"\baws_secretsmanager_secret\.db\b",
        """'module.secretsmanager.aws_secretsmanager_secret.this["database"]'""",
        _SHOP,
    ),
    StandIn(r"(?<=iam-)111122223333|(?<=iam::)111122223333(?=:role)", "123456789012", _ACCOUNT),
    StandIn(r"infraspec diagnose (.*--env) prod", r"$IN_SANDBOX infraspec diagnose \1 local", _ACCOUNT),
    StandIn(r"^(aws (?!ecs list-clusters))", r"$IN_SANDBOX \1", _ACCOUNT),
    StandIn(r"^infraspec report metrics", "$IN_SANDBOX infraspec report metrics --best-effort", _ACCOUNT),
    StandIn(r"^(pytest .* --infraspec-env |infraspec check --live --env )staging", r"$IN_SANDBOX \1local", _ACCOUNT),
    StandIn(r"^make test-live INFRA=", "make -n test-live INFRA=", "the README runs the same without INFRA"),
    StandIn(r"ssh=ci@worker\.example\.com", "popen", _MACHINE),
    StandIn(r"/srv/infrastructure", "HOME/my-repo", _MACHINE),
    StandIn(r"/opt/infraspec/bin/python", sys.executable, _MACHINE),
)
"""HOME is the directory that the repository and the checkout are in; stand_ins/ has the programs."""

PLACES: Mapping[str, str] = {
    "CONTRIBUTING.md": "checkout",
    "README.md": "checkout",
    "bench/README.md": "checkout",
    "docs/fix.md": "checkout",
    "docs/getting-started.ja.md": "checkout",
    "docs/getting-started.md": "checkout",
    "docs/incident-replay.md": "checkout",
    "docs/live.md": "checkout",
    "docs/sandbox.md": "checkout",
    installation("live,sandbox"): "my-repo",
}
"""Where the reader of a page, or from a block on, is: in a checkout of infraspec and not in a repository (my-repo)."""

RUN = "pytest -q --pyargs infraspec.tests_static"
_BASELINE = blocks("toml", page="docs/reports.md")[0].text.removeprefix("[suite]\n")  # [suite] is the last table there
BEFORE: Mapping[str, str] = {
    "make schema": "mkdir docs",
    "infraspec report merge": 'cp "$SITE"/{dev,staging,prod}.json .',
    "echo 'eval": "mkdir -p ~/.config/fish/completions",
    "infraspec simulate": f"cat > cases.jsonl << 'END'\n{blocks('json', page='docs/iam.md')[0].text}END",
    "infraspec report metrics": 'cp "$SITE"/results.json infraspec-results.json',
    "infraspec report site": 'cp "$SITE"/results.json infraspec-results.json',
    "pytest --pyargs infraspec.tests_static tests/": (
        f"mkdir tests; cat > tests/test_own.py << 'END'\n{blocks('python', page='docs/own-rules.md')[0].text}END"
    ),
    "infraspec report baseline --shrink": (
        f"echo '{_BASELINE}' >> infraspec.toml; {RUN} --infraspec-results infraspec-results.json"
    ),
}
"""What has been done before a block, by how it begins, because its page says so."""

CODES: Mapping[str, int] = {
    "infraspec fix fixtures/incident-v16": 1,
    "make test-static INFRA=fixtures/incident-v16": 2,
    "--env prod --plan plan.json": 1,
    "--infraspec-plan plan.json": 1,  # of Terraform 0.15, which lacks some of it: fixtures/README.md
}
"""Exit codes other than 0, by the command or a part of it."""

NOT_RUN: Mapping[str, str] = {
    "docs/ten-minutes.md": "three repositories of other people, which are not ours to copy",
    "make bench": "it installs other tools and measures for ten minutes",
    "make test-peer": "it downloads another AWS",
}
"""Pages and blocks that are not run, with the reason; test_existing.py sees that their commands exist."""


def of_block(table: Mapping[str, str], block: Block) -> str:
    """Return what a table says of a block by how it begins; "" if nothing."""
    return next((said for key, said in table.items() if block.text.removeprefix("$ ").startswith(key)), "")
