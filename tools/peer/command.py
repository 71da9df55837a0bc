"""Run the live suite against another AWS on this machine than the sandbox.

    make test-peer                  ministack: an independent second one
    make test-peer EMULATOR=moto    moto as it is, without what the sandbox puts over it

ministack pins botocore, so it has a virtual environment of its own; moto is that of the suite. Each starts empty and is
filled with the production of the reference infrastructure by what fills the sandbox.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from infraspec import contract as contracts
from infraspec.core.unknown import MissingVariable
from infraspec.pytest_plugin.options import DEFAULT_NAME
from infraspec.sandbox.applying import AppliedPlan
from infraspec.sandbox.server_process import Account
from infraspec.terraform.environments import Environments

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "fixtures/daily-report-tool"
ENVIRONMENT = "prod"
_GIVEN = {"TF_VAR_pager_integration_key": MissingVariable("pager_integration_key").in_sandbox}
"""What a pipeline gives, as what fills the sandbox makes it up."""
_POLLS = 300


class Emulator(Struct, frozen=True):
    """How an emulator is started: its arguments and its environment, with `{port}`, `{account}` and `{key}` in them."""

    arguments: str = ""
    settings: Mapping[str, str] = {}
    is_partial: bool = False
    """Whether it refuses some of the resources, which its gaps have as well."""


EMULATORS = {
    "ministack": Emulator(
        settings={
            "GATEWAY_PORT": "{port}",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": "{account}",
            "AUTH": "true",
            "CLOUDTRAIL_RECORDING": "1",
            "AWS_ACCESS_KEY_ID": "{key}",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
        }
    ),
    "moto_server": Emulator(
        "-H 127.0.0.1 -p {port}",
        {
            "MOTO_ACCOUNT_ID": "{account}",
            "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
            "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
        },
        is_partial=True,
    ),
}
"""The emulators by the name of their program; what each answers otherwise than AWS is in the file of its name."""


def main(program: str, *arguments: str) -> int:
    """Start the program, fill it, run the suite with some arguments more, and return its exit code."""
    name = Path(program).name
    emulator = EMULATORS[name]
    with tempfile.TemporaryDirectory(prefix="infraspec-peer-") as directory:
        infra = _production(Path(directory))
        contract = contracts.load(infra)
        plan = Environments(contract).plan(ENVIRONMENT)
        key = "AKIA" + secrets.token_hex(8).upper()
        with _listening(program, str(plan.account), key, Path(directory) / "log") as endpoint:
            account = Account(endpoint, str(plan.account), str(plan.region), "aws", key)
            missing = AppliedPlan(account).apply(plan)
            account.close()
            print(
                f"{len(plan.managed()) - sum(one.count for one in missing)} of {len(plan.managed())} resources applied"
            )
            print(*(f"not applied: {one}" for one in missing), sep="\n", flush=True)
            if missing and not emulator.is_partial:
                return 1
            gaps = Path(__file__).with_name(f"{name}.toml")
            return _suite(infra, gaps, {**account.environment(), **_GIVEN}, arguments)


def _production(directory: Path) -> Path:
    """Return a copy of the reference infrastructure whose sandbox is its production."""
    infra = directory / "infra"
    shutil.copytree(REFERENCE, infra)
    with (infra / DEFAULT_NAME).open("a", encoding="utf-8") as file:
        file.write(f'\n[sandbox]\nenvironment = "{ENVIRONMENT}"\n')
    return infra


def _suite(infra: Path, gaps: Path, variables: dict[str, str], arguments: tuple[str, ...]) -> int:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, "-m", "pytest", str(ROOT / "tests_live"), "-rs", "-p", "tools.peer.gaps"]
    options = ["--peer-gaps", str(gaps), "--infraspec-env", "local", "--infraspec-dir", str(infra)]
    paths = {"PYTHONPATH": str(ROOT)}
    return subprocess.run([*command, *options, *arguments], env={**own, **variables, **paths}, check=False).returncode


@contextmanager
def _listening(program: str, account: str, key: str, log: Path) -> Iterator[str]:
    """Run the peer on a free port of the loopback interface, as an account whose root has the key."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MINISTACK_", "MOTO_"))}
    emulator, place = EMULATORS[Path(program).name], {"port": port, "account": account, "key": key}
    settings = {name: value.format_map(place) for name, value in emulator.settings.items()}
    command = [str(Path(program).absolute()), *emulator.arguments.format_map(place).split()]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, env={**own, **settings}, cwd=log.parent, stdout=errors, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(_POLLS):
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"the peer does not start:\n{log.read_text(errors='replace')[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
