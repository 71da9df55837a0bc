"""Rule `incidents`: every incident is written down whole, and names the playbook that was followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from infraspec.contract.models import Contract
from infraspec.contract.operations import Incidents
from infraspec.contract.paths import display, resolve
from infraspec.core.finding import Finding, Location
from infraspec.core.rules import RULES
from infraspec.process.incidents import Incident, read_incidents
from infraspec.process.markdown import Page, read_page
from infraspec.process.playbooks import Playbook

RULE = RULES["incidents"]

_WHYS = 5


def check_incidents(contract: Contract, settings: Incidents, playbooks: Sequence[Playbook]) -> list[Finding]:
    """Judge the incident records and their template, and that they name playbooks if there are any.

    Raises ProcessFileError for pages that cannot be read.
    """
    directory = resolve(contract, settings.directory)
    template = resolve(contract, settings.template) if settings.template else None
    incidents = read_incidents(directory, display(contract, directory), template=template)
    ids = {playbook.id for playbook in playbooks}
    findings = [finding for incident in incidents for finding in _judge(incident, ids)]
    if template is not None:
        findings += _parts(read_page(template, display(contract, template)))
    return findings


def _judge(incident: Incident, playbooks: AbstractSet[str]) -> Iterator[Finding]:
    yield from _parts(incident.page)
    if not playbooks:
        return
    yield RULE.about(incident.page.file, "playbook", incident.page.location("playbook")).judge(
        "no-playbook", holds=incident.playbook in playbooks, ids=", ".join(sorted(playbooks)), named=incident.playbook
    )


def _parts(page: Page) -> Iterator[Finding]:
    """Judge that a page has a timeline, and asks why five times."""
    yield _part(page, "timeline", 1, ("timeline", "タイムライン", "時系列"), "## Timeline")
    yield _part(page, "five whys", _WHYS, ("why", "なぜ"), "### Why 1 … ### Why 5")


def _part(page: Page, subject: str, times: int, words: tuple[str, ...], remedy: str) -> Finding:
    """Judge that so many headings begin with one of the words, a number or not before it."""
    headings = [h for h in page.headings if h.text.lstrip("0123456789. ").lower().startswith(words)]
    about = RULE.about(page.file, subject, Location(page.file, headings[0].line if headings else 0))
    found = ", ".join(heading.text for heading in headings) or "no such heading"
    said = {"times": times, "words": " or ".join(words), "found": found, "remedy": remedy}
    return about.judge("no-heading", holds=len(headings) >= times, **said)
