"""Machines of the contract: asked for real on this one, with programs of the test."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infraspec.checks.deployed.hosts import HostFacts, check_hosts
from infraspec.contract.live import Host
from infraspec.core.errors import HostError
from infraspec.core.finding import Verdict
from infraspec.live.facts.hosts import host_facts

PROVEN, VIOLATED = Verdict.PROVEN, Verdict.VIOLATED


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory of the PATH for programs."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def program(directory: Path, name: str, script: str) -> None:
    """Make a program."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_tools_are_asked_for_their_versions(programs: Path) -> None:
    """Each in its way; one that fails, or is not there, has none."""
    pytest.importorskip("testinfra")
    program(programs, "terraform", 'test "$1" = version && echo "Terraform v1.9.5"')
    program(programs, "aws", 'test "$1" = --version && echo "aws-cli/2.15.0 Python/3.11"')
    program(programs, "broken", "echo 1.2.3; exit 1")
    host = Host(tools={"terraform": "1.9", "aws": "2", "broken": "", "absent-of-infraspec": ""})
    assert {"terraform": "1.9.5", "aws": "2.15.0", "broken": None, "absent-of-infraspec": None} == host_facts(
        "runner", host
    ).tools


def test_a_port_is_reached_if_somebody_listens() -> None:
    """On this machine, with a socket of the test."""
    pytest.importorskip("testinfra")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        there, nobody = (f"127.0.0.1:{one.getsockname()[1]}" for one in (server, unused))
        assert {there: True, nobody: False} == host_facts("runner", Host(reach=[there, nobody])).reached


def test_a_host_that_cannot_be_asked_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no verdict about the host."""
    testinfra = pytest.importorskip("testinfra")

    def refuse(_spec: str) -> None:
        raise RuntimeError("ssh: connection refused")

    monkeypatch.setattr(testinfra, "get_host", refuse)
    with pytest.raises(HostError, match="the host bastion cannot be asked") as error:
        host_facts("bastion", Host(host="ssh://bastion", tools={"aws": ""}))
    assert "connection refused" in error.value.found


@pytest.mark.parametrize(
    ("wanted", "found", "verdict"),
    [
        ("1.9", "1.9.5", PROVEN),
        ("1.9.5", "1.9.5", PROVEN),
        ("", "0.1", PROVEN),
        ("1.9", "1.90.0", VIOLATED),
        ("1", "2.0", VIOLATED),
        ("", None, VIOLATED),
    ],
)
def test_a_version_begins_as_the_contract_says(wanted: str, found: str | None, verdict: Verdict) -> None:
    """By whole numbers."""
    (finding,) = check_hosts([("runner", Host(tools={"terraform": wanted}), HostFacts({"terraform": found}))])
    assert (verdict, "hosts.runner", "terraform") == (finding.verdict, finding.address, finding.subject)


def test_what_is_not_reached_is_a_finding() -> None:
    """A connection that was opened is the proof."""
    host = Host(reach=["db:5432", "cache:6379"])
    found = check_hosts([("runner", host, HostFacts(reached={"db:5432": True, "cache:6379": False}))])
    assert [("db:5432", PROVEN), ("cache:6379", VIOLATED)] == [(one.subject, one.verdict) for one in found]
