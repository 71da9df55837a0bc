"""`infraspec drill`: failures made on a simulated clock, and who hears of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from infraspec.checks.access.secret_access import placed
from infraspec.cli.common import INFRA, ONE_ENVIRONMENT, PATH, TEXT_OR_JSON, reported
from infraspec.cli.terminal import show_document, waiting
from infraspec.contract import located
from infraspec.contract.alarms import Alarms
from infraspec.conventions.placeholders import facts_of
from infraspec.core.errors import RequestError, did_you_mean, writing
from infraspec.monitoring.drill.failures import asked_failures, failures
from infraspec.monitoring.drill.running import Drill
from infraspec.reporting.document import as_markdown
from infraspec.reporting.drill import DrillReport, drill_document
from infraspec.reporting.explanation import EXIT_CODES
from infraspec.reporting.language import LANGUAGES, Language, chosen, speaking
from infraspec.reporting.page import as_html
from infraspec.terraform.environments import environment_plan


@click.command()
@INFRA
@ONE_ENVIRONMENT
@click.option("--plan", "plan_file", type=PATH, help="A plan, as `terraform show -json` writes it.")
@click.option("--only", "names", multiple=True, metavar="FAILURE", help="Make this failure happen; may be repeated.")
@click.option("--markdown", type=PATH, help="Write the report to this file as well, as Markdown.")
@click.option("--html", type=PATH, help="Write the report to this file as well, as an HTML page.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language: en or ja.  [default: of the contract]")
@TEXT_OR_JSON
@reported
def drill(  # noqa: PLR0917 - click passes by name
    infra: Path,
    environment: str | None,
    plan_file: Path | None,
    names: tuple[str, ...],
    markdown: Path | None,
    html: Path | None,
    lang: Language | None,
    form: str,
) -> None:
    """Make each failure happen on a simulated clock, and say who is alerted, at which level, after how many minutes.

    \b
    infraspec drill --env prod
    infraspec drill --env prod --only replica-lag --only latency
    infraspec drill --env prod --plan plan.json --markdown drill.md
    infraspec drill --env prod --html drill.html --lang ja

    A failure emits what AWS documents: events, lines of logs, metrics. The rules, metric filters, alarms, composite
    alarms, topics and subscriptions of the source pass them on, without AWS. Nothing waits: a week takes seconds. Then
    comes a week without failures: an alarm that fires in it, or is in ALARM after it, is a false alarm.

    \b
    heard         all channels of the required level are alerted within the required minutes
    late          they are, but later
    silent        they are not; why, and what to change, is below the table
    undetermined  it is unknown in the source, or an alarm uses what the drill does not evaluate

    docs/drill.md lists the failures and what is assumed.

    \b
    exit code  0  every failure raises an alert in time, and there is no false alarm
               1  a failure does not, or there is a false alarm
               2  wrong input: no such failure, plan or environment
               3  undetermined: cannot be decided from what is known
    """  # noqa: D301 - \b keeps click from wrapping the examples
    _refuse_unknown(names)
    with waiting("evaluating the source") as tell:
        evaluated, contract, name = environment_plan(infra, environment, plan_file, ())
        plan = placed(evaluated, contract, name)
        facts = facts_of(contract, name, region=plan.region, account=plan.account)
        alarms = contract.alarms or Alarms()
        with located(contract):
            asked = asked_failures(contract.drill, alarms)
        made = Drill(plan, alarms, facts, name, asked)
        outcomes = tuple(made.outcomes(names, tell))
        tell("a quiet week")
        report = DrillReport(name, outcomes, made.quiet_week())
    document = drill_document(report)
    with speaking(chosen(lang or "", contract.project.language, os.environ)):
        for file, write in ((markdown, as_markdown), (html, as_html)):
            if file is not None:
                _write(file, write(document))
        show_document(document, form)
    sys.exit(EXIT_CODES[report.tone])


def _refuse_unknown(names: Sequence[str]) -> None:
    for name in names:
        if name not in failures():
            raise RequestError(
                "there is no such failure",
                place="--only",
                expected=f"one of {', '.join(failures())}",
                found=name,
                remedy=did_you_mean(name, failures()) or "name one of these",
            )


def _write(file: Path, text: str) -> None:
    with writing("the report cannot be written", str(file), "a file in a folder that the user may write to"):
        file.write_text(text, encoding="utf-8")
