"""Times ``aztrust`` beside ``az``: same command and server, runs in turn; prints ratios of medians."""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SEED = """\
users: [{name: owner@contoso.com, password: Own-the-cloud-1, roles: [{role: Owner}]}]
resourceGroups: [{name: lab}]
registries: [{name: myregistry, resourceGroup: lab, sku: Premium, contentTrust: enabled}]
"""
SHOW = ("acr", "config", "content-trust", "show", "-r", "myregistry")
LOGIN = ("login", "-u", "owner@contoso.com", "-p", "Own-the-cloud-1")


@dataclass(frozen=True)
class Program:
    """A command in its environment."""

    path: str
    env: dict[str, str]

    def run(self, *arguments: str) -> float:
        """Run it and return the seconds it took.

        Raises:
            SystemExit: it failed.
        """
        started = time.perf_counter()
        done = subprocess.run([self.path, *arguments], env=self.env, capture_output=True, text=True)
        took = time.perf_counter() - started
        if done.returncode != 0:
            sys.exit(f"{self.path} {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return took


def main() -> None:
    """Serve a cloud, point both programs at it, time them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--az", required=True, help="the az to compare with")
    parser.add_argument("--aztrust", required=True)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command (default 15)")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a ratio is above its limit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "seed.yaml").write_text(SEED)
        server, origin = serve(options.aztrust, folder)
        try:
            good = compare(programs(options, folder, origin), options.runs)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(15)
    sys.exit(options.strict and not good)


def serve(aztrust: str, folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the server; return it with its origin."""
    command = [aztrust, "serve", "--state", str(folder / "served"), "--seed", str(folder / "seed.yaml")]
    with (folder / "log").open("w") as log:
        command += ["--listen", "127.0.0.1:28443"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    if not line.startswith("ready "):
        sys.exit((folder / "log").read_text())
    return server, line.split()[1]


def programs(options: argparse.Namespace, folder: Path, origin: str) -> list[Program]:
    """Return az and aztrust against the server, and aztrust embedded, all signed in."""
    base = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    ca = str(folder / "served" / "ca" / "ca.pem")
    register = ("cloud", "register", "-n", "Lab", "--endpoint-resource-manager", origin)
    quiet = {"AZURE_CORE_COLLECT_TELEMETRY": "false", "REQUESTS_CA_BUNDLE": ca}
    az = Program(options.az, {**base, **quiet, "AZURE_CONFIG_DIR": str(folder / "azure")})
    served = Program(options.aztrust, {**base, "AZTRUST_CONFIG_DIR": str(folder / "own")})
    embedded = Program(options.aztrust, {**base, "AZTRUST_CONFIG_DIR": str(folder / "embedded")})
    az.run(*register)
    served.run(*register, "--ca", ca)
    embedded.run("cloud", "init", "--seed", str(folder / "seed.yaml"))
    for program in (az, served):
        program.run("cloud", "set", "-n", "Lab")
    for program in (az, served, embedded):
        program.run(*LOGIN)
    return [az, served, embedded]


def compare(programs: list[Program], runs: int) -> bool:
    """Print the ratios; return whether each is within its limit."""
    az, served, embedded = programs
    rows = (
        ("content-trust show, served", served, SHOW, 0.5),
        ("content-trust show, embedded", embedded, SHOW, 1.3),
        ("--help", served, ("--help",), 0.5),
    )
    good = True
    print(f"{'command':30} {'az':>8} {'aztrust':>8} {'ratio':>6} {'limit':>6}")
    for title, program, arguments, limit in rows:
        theirs, ours = medians(az, program, arguments, runs)
        good = good and ours / theirs <= limit
        print(f"{title:30} {theirs:7.3f}s {ours:7.3f}s {ours / theirs:6.2f} {limit:6.2f}")
    return good


def medians(az: Program, program: Program, arguments: tuple[str, ...], runs: int) -> tuple[float, float]:
    """Return the medians of runs taken in turn: the machine's moods meet both; the first is not counted."""
    pairs = [(az.run(*arguments), program.run(*arguments)) for _ in range(runs + 1)][1:]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


if __name__ == "__main__":
    main()
