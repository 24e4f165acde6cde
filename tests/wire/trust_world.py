"""People with docker, notary and aztrust in a private machine, each with a configuration of their own."""

from __future__ import annotations

import base64
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.wire.programs import AZTRUST, Done
from tests.wire.registry_world import HOST, World

SEED = Path(__file__).with_name("trust_seed.yaml")
PASSPHRASE = "correct-horse-1"
TENANT = "11111111-1111-1111-1111-111111111111"
REGISTRY = (
    "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/lab/providers/"
    "Microsoft.ContainerRegistry/registries/myregistry"
)
ACCOUNTS = {
    "pusher": ("44444444-4444-4444-4444-444444444444", "Push-an-image-1"),
    "puller": ("55555555-5555-5555-5555-555555555555", "Pull-an-image-1"),
    "signer": ("66666666-6666-6666-6666-666666666666", "Sign-an-image-1"),
    "nopush": ("77777777-7777-7777-7777-777777777777", "Sign-not-push-1"),
    "action": ("88888888-8888-8888-8888-888888888888", "Action-alone-1"),
    "data": ("99999999-9999-9999-9999-999999999999", "Data-alone-1"),
    "owner": ("owner@contoso.com", "Own-the-cloud-1"),
    "classic": ("classic@contoso.com", "Classic-admin-1"),
    "alain": ("alain@contoso.com", "Alain-signs-1"),
}
_VARIABLES = (
    "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "NOTARY_ROOT_PASSPHRASE",
    "NOTARY_TARGETS_PASSPHRASE", "NOTARY_SNAPSHOT_PASSPHRASE", "NOTARY_DELEGATION_PASSPHRASE",
)  # fmt: skip
DOCKERS = {"20": "/usr/bin/docker", "28": os.environ.get("AZTRUST_TEST_DOCKER_28", "docker-28")}
"""docker's client in the versions that are tested: Debian's, and the newest that knows content trust."""


@dataclass(frozen=True)
class Person:
    """Somebody on the machine.

    Attributes:
        machine: where.
        account: one of `ACCOUNTS`.
        home: the configuration's directory; docker, notary and aztrust share one key store in it.
    """

    machine: World
    account: str
    home: Path

    @classmethod
    def on(cls, machine: World, account: str, name: str = "") -> Person:
        """Make somebody anew, not logged in; docker trusts the cloud's authority by its own files, as its manual says."""
        made = cls(machine, account, machine.directory / "people" / (name or account))
        shutil.rmtree(made.home, ignore_errors=True)
        tls = made.home / "docker" / "tls" / HOST
        tls.mkdir(parents=True)
        shutil.copy(machine.ca, tls / "ca.crt")
        return made

    @property
    def trust(self) -> Path:
        """The trust directory that all three use."""
        return self.home / "docker" / "trust"

    @property
    def credentials(self) -> tuple[str, str]:
        """Name and password."""
        return ACCOUNTS[self.account]

    def env(self, **more: str) -> dict[str, str]:
        """The environment: no program gets the authority from it."""
        basic = base64.b64encode(":".join(self.credentials).encode()).decode()
        return {
            "HOME": str(self.home), "DOCKER_CONFIG": str(self.home / "docker"), "SSL_CERT_FILE": "",
            "REQUESTS_CA_BUNDLE": "", "AZTRUST_CONFIG_DIR": str(self.home / "aztrust"), "NOTARY_AUTH": basic,
            **dict.fromkeys(_VARIABLES, PASSPHRASE), **more,
        }  # fmt: skip

    def run(self, *command: str | Path, stdin: str = "", **more: str) -> Done:
        """Run a program to its end."""
        return self.machine(*command, stdin=stdin, **self.env(**more))

    def must(self, *command: str | Path, stdin: str = "", **more: str) -> str:
        """Run a program; fail the test with all it said when it fails."""
        done = self.run(*command, stdin=stdin, **more)
        assert done.code == 0, f"{command}: exit {done.code}\n{done.out}\n{done.err}"
        return done.out

    # docker

    def login(self) -> Person:
        """Log docker in with name and password."""
        name, password = self.credentials
        self.must(DOCKERS["20"], "login", "-u", name, "--password-stdin", HOST, stdin=password)
        return self

    def docker(self, *arguments: str, version: str = "20", trusted: bool = True, stdin: str = "") -> Done:
        """Run docker, with content trust unless said otherwise."""
        return self.run(DOCKERS[version], *arguments, stdin=stdin, DOCKER_CONTENT_TRUST="1" if trusted else "0")

    def dockered(self, *arguments: str, version: str = "20", trusted: bool = True, stdin: str = "") -> str:
        """Run docker; fail the test when it fails."""
        return self.must(DOCKERS[version], *arguments, stdin=stdin, DOCKER_CONTENT_TRUST="1" if trusted else "0")

    def image(self, name: str, content: str = "") -> str:
        """Build an image from nothing and return its reference."""
        context = self.home / "context"
        context.mkdir(exist_ok=True)
        (context / "file").write_text(content or name)
        (context / "Dockerfile").write_text('FROM scratch\nCOPY file /file\nCMD ["/none"]\n')
        self.dockered("build", "-q", "-t", f"{HOST}/{name}", str(context), trusted=False)
        return f"{HOST}/{name}"

    def inspected(self, repository: str, version: str = "20") -> dict[str, str]:
        """Return tag to digest as ``docker trust inspect`` shows them."""
        (shown,) = json.loads(self.dockered("trust", "inspect", f"{HOST}/{repository}", version=version))
        return {row["SignedTag"]: row["Digest"] for row in shown["SignedTags"]}

    # notary

    def notary(self, *arguments: str, stdin: str = "") -> Done:
        """Run notary on the same keys and cache."""
        options = ("-s", f"https://{HOST}", "-d", str(self.trust), "--tlscacert", str(self.machine.ca))
        return self.run("notary", *options, *arguments, stdin=stdin)

    def notaried(self, *arguments: str, stdin: str = "") -> str:
        """Run notary; fail the test when it fails."""
        done = self.notary(*arguments, stdin=stdin)
        assert done.code == 0, f"{arguments}: exit {done.code}\n{done.out}\n{done.err}"
        return done.out

    # aztrust

    def registered(self) -> Person:
        """Register the served cloud with aztrust and sign in to it."""
        self.must(AZTRUST, "cloud", "register", "-n", "Lab", "--endpoint-resource-manager", "https://localhost", "--ca",
                  self.machine.ca)  # fmt: skip
        self.must(AZTRUST, "cloud", "set", "-n", "Lab")
        name, password = self.credentials
        principal = () if "@" in name else ("--service-principal", "--tenant", TENANT)
        self.must(AZTRUST, "login", "-u", name, "-p", password, *principal, "--allow-no-subscriptions")
        return self

    def aztrust(self, *arguments: str | Path, **more: str) -> Done:
        """Run aztrust."""
        return self.run(AZTRUST, *arguments, **more)

    def ours(self, *arguments: str | Path) -> Any:
        """Return the result of an aztrust command; fail the test when it fails."""
        out = self.must(AZTRUST, *arguments)
        return json.loads(out) if out else None


def trust_rows(machine: World, repository: str = "") -> int:
    """Return how many pieces of trust data the server holds, of all repositories or of one."""
    import sqlite3

    with sqlite3.connect(f"file:{machine.state}/state.db?mode=ro", uri=True) as connection:
        query = "SELECT count(*) FROM trust_metadata WHERE gun LIKE ?"
        return int(connection.execute(query, (f"{HOST}/{repository or '%'}",)).fetchone()[0])


def last_denied(machine: World) -> dict[str, Any]:
    """Return the details of the activity log's last refusal."""
    entries = [entry for entry in machine.operator("log") if entry["outcome"] == "Denied"]
    return dict(entries[-1]["details"])
