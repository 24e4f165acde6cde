"""What makes this machine's clients find a served cloud and trust it: hosts entries, and the CA where each client looks.

What is written is noted in a file of ours, and only what still is as it was written is taken away again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from azext_trust import home

BEGIN, END = "# aztrust begin", "# aztrust end"


class EntriesError(Exception):
    """A file cannot be written; the message names it and the cure."""


@dataclass(frozen=True)
class Places:
    """Where clients look.

    Attributes:
        hosts: the hosts file.
        engine: the docker engine's folder of certificates, one folder for each login server.
        docker: docker's configuration directory; its ``tls`` folder serves the trust side (docker CLI and notary).
        note: our note of what was written.
    """

    hosts: Path
    engine: Path
    docker: Path
    note: Path

    @classmethod
    def of_this_machine(cls) -> Places:
        """Return the places of this machine and user; environment variables name others (for tests and containers)."""
        return cls(
            Path(os.environ.get("AZTRUST_HOSTS_FILE") or "/etc/hosts"),
            Path(os.environ.get("AZTRUST_DOCKER_CERTS") or "/etc/docker/certs.d"),
            Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"),
            home.config_dir() / "hosts.json",
        )


@dataclass(frozen=True)
class Plan:
    """What a cloud needs on this machine.

    Attributes:
        address: where the cloud listens.
        names: the cloud's host and its login servers, without ports.
        port: the cloud's port.
        ca: the file of its authority.
    """

    address: str
    names: tuple[str, ...]
    port: int
    ca: Path

    @property
    def login_servers(self) -> tuple[str, ...]:
        """The login servers as image names hold them: with the port when it is not 443."""
        return tuple(name if self.port == 443 else f"{name}:{self.port}" for name in self.names)

    def block(self) -> str:
        """Return the lines for the hosts file."""
        return "\n".join([BEGIN, *(f"{self.address} {name}" for name in self.names), END]) + "\n"

    def certificates(self, places: Places) -> list[Path]:
        """Return the files that hold the authority for the engine and for the trust side of each login server."""
        return [
            folder / server / "ca.crt"
            for server in self.login_servers
            for folder in (places.engine, places.docker / "tls")
        ]


def add(plan: Plan, places: Places) -> list[str]:
    """Write hosts entries and authorities; what an earlier call wrote is replaced.

    Returns:
        The files that were written.

    Raises:
        EntriesError: a file cannot be written; what was written before it is noted, so that `remove` undoes it.
    """
    remove(places)
    ca = plan.ca.read_bytes()
    noted: dict[str, str] = {}
    try:
        before = _read(places.hosts)
        _replace(places.hosts, before + ("" if before.endswith("\n") or not before else "\n") + plan.block())
        for path in plan.certificates(places):
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(ca)
                noted[str(path)] = hashlib.sha256(ca).hexdigest()
    except OSError as error:
        raise EntriesError(
            f"{error.filename} cannot be written: {error.strerror}. Run this as root, or name another file with "
            "AZTRUST_HOSTS_FILE."
        ) from None
    finally:
        home.write_private(places.note, json.dumps({"hosts": str(places.hosts), "files": noted}).encode())
    return [str(places.hosts), *noted]


def remove(places: Places) -> list[str]:
    """Take away what `add` wrote: our block of the hosts file, and the authorities that still are as written.

    Returns:
        The files that were changed or taken away.

    Raises:
        EntriesError: a file cannot be written.
    """
    try:
        noted = json.loads(places.note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        noted = {"hosts": str(places.hosts), "files": {}}
    try:
        gone = [*_without_block(Path(noted["hosts"])), *_without(noted["files"].items())]
    except OSError as error:
        raise EntriesError(f"{error.filename} cannot be written: {error.strerror}. Run this as root.") from None
    places.note.unlink(missing_ok=True)
    return gone


def _without_block(hosts: Path) -> list[str]:
    before = _read(hosts)
    kept, inside = [], False
    for line in before.splitlines(keepends=True):
        inside = inside or line.strip() == BEGIN
        if not inside:
            kept.append(line)
        inside = inside and line.strip() != END
    if "".join(kept) == before:
        return []
    _replace(hosts, "".join(kept))
    return [str(hosts)]


def _without(files: Iterable[tuple[str, str]]) -> list[str]:
    gone = []
    for name, digest in files:
        path = Path(name)
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()
            gone.append(name)
            # The folder was made for this file; another's file in it keeps it.
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
    return gone


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _replace(path: Path, text: str) -> None:
    """Write a file in place: a hosts file may be a mount point, which cannot be renamed over."""
    with path.open("r+" if path.exists() else "w", encoding="utf-8") as file:
        file.write(text)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def shown(plan: Plan, places: Places) -> str:
    """Return what a person does by hand instead, as text."""
    first = plan.login_servers[0] if plan.login_servers else f"<registry>:{plan.port}"
    return (
        f"# {places.hosts}\n{plan.block()}\n"
        f"# docker engine: the authority for each login server (not needed where it resolves to 127.0.0.0/8)\n"
        f"{places.engine}/{first}/ca.crt  <-  {plan.ca}\n\n"
        f"# docker CLI, trust side (DOCKER_CONTENT_TRUST=1), and docker trust\n"
        f"{places.docker}/tls/{first}/ca.crt  <-  {plan.ca}\n\n"
        f"# notary\nnotary --tlscacert {plan.ca} -s https://{first} ...\n\n"
        f"# az, Python (requests), curl\nexport REQUESTS_CA_BUNDLE={plan.ca} SSL_CERT_FILE={plan.ca} CURL_CA_BUNDLE={plan.ca}\n\n"
        f"# browsers: import the authority {plan.ca} (it can only vouch for the names of this cloud)\n"
    )
