"""Machines of the contract: asked for real on this one, with programs of the test."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infraspec.contract.live import Host
from infraspec.core.errors import HostError
from infraspec.live.facts.hosts import host_facts


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
