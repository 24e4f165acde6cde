"""Served clouds, and the programs that are run against them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import requests

SEED = Path(__file__).with_name("seed.yaml")
AZTRUST = Path(sys.executable).with_name("aztrust")
PASSWORDS = {"owner": "Own-the-cloud-1", "reader": "Read-the-cloud-1"}


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Program:
    """A command with the environment it runs in."""

    path: str
    env: dict[str, str]

    def __call__(self, *arguments: str) -> Done:
        """Run it without a terminal."""
        done = subprocess.run(
            [self.path, *arguments], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str) -> str:
        """Run it; fail the test with all it said when it fails."""
        done = self(*arguments)
        assert done.code == 0, f"{arguments}: exit {done.code}\n{done.out}\n{done.err}"
        return done.out


@dataclass(frozen=True)
class Served:
    """A cloud that is being served."""

    origin: str
    state: Path
    process: subprocess.Popen[bytes]

    @property
    def ca(self) -> Path:
        """The authority to trust."""
        return self.state / "ca" / "ca.pem"

    def operator(self, path: str) -> Any:
        """Ask the operator service, with the operator's key."""
        key = (self.state / "keys" / "operator").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        got = requests.get(f"{self.origin}/operator/{path}", headers=headers, verify=str(self.ca), timeout=30)
        got.raise_for_status()
        return got.json()

    def stop(self) -> int:
        """Stop it as an operating system does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def start(state: Path, *options: str, seeded: bool = True) -> Served:
    """Start ``aztrust serve`` on a state, from the tests' seed or the default one, and wait until it is ready."""
    ready = state.with_suffix(".ready")
    ready.unlink(missing_ok=True)
    log = state.with_suffix(".log").open("ab")
    seed = ("--seed", SEED) if seeded else ()
    command: list[str | Path] = [AZTRUST, "serve", "--state", state, *seed, "--ready-file", ready, *options]
    with log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    deadline = monotonic() + 60
    while not ready.exists():
        if process.poll() is not None or monotonic() > deadline:
            process.kill()
            pytest.fail(f"serve did not get ready:\n{state.with_suffix('.log').read_text()}")
        sleep(0.05)
    return Served(ready.read_text().split()[1], state, process)


def az(directory: Path, served: Served, path: str | None = None) -> Program:
    """Return the unmodified az, 2.91 or the one at a path, registered with a served cloud, in a directory of its own."""
    path = path or os.environ.get("AZTRUST_TEST_AZ")
    if not path:
        pytest.fail("AZTRUST_TEST_AZ names no az: run these tests with scripts/real-clients")
    program = Program(
        path,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "AZURE_CONFIG_DIR": str(directory / "azure"),
            "REQUESTS_CA_BUNDLE": str(served.ca),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
        },
    )
    program.must("config", "set", "core.instance_discovery=false")
    program.must("cloud", "register", "-n", "Lab", "--endpoint-resource-manager", served.origin)
    program.must("cloud", "set", "-n", "Lab")
    return program


def aztrust_served(directory: Path, served: Served) -> Program:
    """Return aztrust, registered with a served cloud, in a configuration directory of its own."""
    env = {"PATH": os.environ["PATH"], "HOME": str(directory), "AZTRUST_CONFIG_DIR": str(directory / "own")}
    program = Program(str(AZTRUST), env)
    program.must("cloud", "register", "-n", "Lab", "--endpoint-resource-manager", served.origin, "--ca", str(served.ca))
    program.must("cloud", "set", "-n", "Lab")
    return program


def aztrust(directory: Path, state: Path) -> Program:
    """Return aztrust with a configuration directory and an embedded cloud of its own."""
    return Program(
        str(AZTRUST),
        {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "AZTRUST_CONFIG_DIR": str(directory / "aztrust"),
            "AZTRUST_STATE": str(state),
        },
    )
