"""A machine of its own for container clients: network, /etc and docker engine are private and end with the tests.

Login servers are reached by name on port 443 of an address that is not loopback: docker checks no certificate on
loopback (dct-wire-contract.md section 3).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.wire.programs import AZTRUST, Done

SEED = Path(__file__).with_name("registry_seed.yaml")
HOST = "myregistry.azurecr.io"
ADDRESS = "10.99.0.1"
PUSHER = ("44444444-4444-4444-4444-444444444444", "Push-an-image-1")
SIGNER = ("66666666-6666-6666-6666-666666666666", "Sign-an-image-1")
PULLER = ("55555555-5555-5555-5555-555555555555", "Pull-an-image-1")
SETUP = f"""
set -e
mount --make-rprivate /
mount -t overlay overlay -o lowerdir=/etc,upperdir="$1/etc",workdir="$1/work" /etc
printf '127.0.0.1 localhost\\n%s\\n' "$2" >/etc/hosts
ip link set lo up
ip address add {ADDRESS}/32 dev lo
touch "$1/up"
exec sleep infinity
"""


@dataclass
class World:
    """The private machine.

    Attributes:
        directory: where everything of it lies.
        holder: the process that keeps its namespaces.
        env: the environment of programs.
        seed: what the cloud is founded from.
        options: more options of ``serve``.
        store: the object store that layers lie in.
    """

    directory: Path
    holder: subprocess.Popen[bytes]
    env: dict[str, str] = field(default_factory=dict)
    seed: Path = SEED
    options: tuple[str, ...] = ()
    engine: subprocess.Popen[bytes] | None = None
    server: subprocess.Popen[bytes] | None = None
    store: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> Path:
        """The cloud directory."""
        return self.directory / "state"

    @property
    def ca(self) -> Path:
        """The authority to trust."""
        return self.state / "ca" / "ca.pem"

    def inside(self, *command: str | Path) -> list[str]:
        """Return a command that runs inside."""
        enter = ["nsenter", "-t", str(self.holder.pid), "-m", "-n", "--", "env", "-C", str(self.directory)]
        return [*enter, *map(str, command)]

    def start(self, log: str, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a program that goes on."""
        with (self.directory / log).open("ab") as file:
            return subprocess.Popen(self.inside(*command), env=self.env, stdout=file, stderr=file)

    def __call__(self, *command: str | Path, stdin: str = "", **env: str) -> Done:
        """Run a program to its end."""
        done = subprocess.run(
            self.inside(*command), env={**self.env, **env}, input=stdin, capture_output=True, text=True, check=False,
            timeout=600,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, *command: str | Path, stdin: str = "", **env: str) -> str:
        """Run a program; fail the test with all it said when it fails."""
        done = self(*command, stdin=stdin, **env)
        assert done.code == 0, f"{command}: exit {done.code}\n{done.out}\n{done.err}"
        return done.out

    def serve(self) -> None:
        """Serve the cloud on 443 of both addresses."""
        ready = self.directory / "ready"
        ready.unlink(missing_ok=True)
        self.server = self.start(
            "serve.log", AZTRUST, "serve", "--state", self.state, "--seed", self.seed, "--ready-file", ready,
            "--listen", f"{ADDRESS}:443", "--listen", "127.0.0.1:443", *self.options,
        )  # fmt: skip
        wait_for(ready.exists, self.directory / "serve.log")
        self.must("mkdir", "-p", f"/etc/docker/certs.d/{HOST}")
        self.must("cp", self.ca, f"/etc/docker/certs.d/{HOST}/ca.crt")

    def kill_server(self) -> None:
        """Kill the server as a power cut would."""
        assert self.server is not None
        self.server.kill()
        self.server.wait(10)

    def resident(self) -> int:
        """Return the most memory that the server has held, in MiB."""
        assert self.server is not None
        status = Path(f"/proc/{self.server.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    def operator(self, path: str) -> list[dict[str, Any]]:
        """Return a list that the operator service answers."""
        key = (self.state / "keys" / "operator").read_text().strip()
        text = self.must("curl", "-sSf", "--cacert", self.ca, "-H", f"Authorization: Bearer {key}",
                         f"https://localhost/operator/{path}")  # fmt: skip
        found: list[dict[str, Any]] = json.loads(text)["value"]
        return found

    def start_engine(self) -> None:
        """Start a docker engine with everything of its own."""
        home = self.directory / "docker"
        (home / "config").mkdir(parents=True)
        socket = home / "sock"
        self.env |= {"DOCKER_HOST": f"unix://{socket}", "DOCKER_CONFIG": str(home / "config"), "DOCKER_BUILDKIT": "0"}
        self.engine = self.start(
            "docker.log", "dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none",
            "--storage-driver=vfs", f"--data-root={home}/data", f"--exec-root={home}/exec",
            f"--pidfile={home}/pid", f"--host=unix://{socket}",
        )  # fmt: skip
        wait_for(lambda: self("docker", "version").code == 0, self.directory / "docker.log")

    def docker_login(self, name: str, password: str) -> Done:
        """Log docker in."""
        return self("docker", "login", "-u", name, "--password-stdin", HOST, stdin=password)

    def stop(self) -> None:
        """End all of it."""
        for process in (self.engine, self.server):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(30)
        self.holder.kill()
        self.holder.wait(10)
        shutil.rmtree(self.directory / "docker", ignore_errors=True)


def wait_for(ready: Callable[[], bool], log: Path) -> None:
    """Wait until something is so; fail the test with a log otherwise."""
    deadline = monotonic() + 60
    while not ready():
        if monotonic() > deadline:
            pytest.fail(f"not ready:\n{log.read_text()[-3000:]}")
        sleep(0.1)


def bare(directory: Path, hosts: str = "", seed: Path = SEED) -> World:
    """Make a private machine with nothing on it yet; it takes root.

    Args:
        directory: where everything of it lies.
        hosts: a line of its hosts file.
        seed: what a cloud on it is founded from.
    """
    if os.geteuid() != 0:
        pytest.fail("the container clients need a network of their own: run scripts/real-clients as root")
    for name in ("etc", "work"):
        (directory / name).mkdir(parents=True)
    holder = subprocess.Popen(["unshare", "-m", "-n", "bash", "-c", SETUP, "setup", directory, hosts])
    tools = os.environ.get("AZTRUST_TEST_GO", "")
    path = ":".join([str(Path(sys.executable).parent), tools, "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"])
    made = World(directory, holder, {"PATH": path, "HOME": str(directory), "LANG": "C.UTF-8"}, seed)
    wait_for((directory / "up").exists, Path(os.devnull))
    return made


def world(directory: Path, seed: Path = SEED) -> World:
    """Make a private machine with a cloud founded from a seed, which its hosts file knows."""
    made = bare(directory, f"{ADDRESS} {HOST} other1.azurecr.io", seed)
    made.serve()
    made.env |= {"SSL_CERT_FILE": str(made.ca), "REQUESTS_CA_BUNDLE": str(made.ca)}
    return made
