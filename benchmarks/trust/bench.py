"""Content trust against Debian's notary-server 0.7, on PostgreSQL and in memory, measured in turns in one run.

All have TLS and check a token on every request. Prints medians and the ratios that the project promises.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from azext_trust.signing import tags
from azext_trust.signing.draft import Repository
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from azext_trust.tuf.metadata import FileMeta
from benchmarks.trust import place
from benchmarks.trust.place import OURS, OWNER, PEER, REGISTRY, SIGNER, Peer
from benchmarks.trust.wire import Wire

PASSPHRASE = "correct-horse-1"
VARIABLES = ("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE")
DOCKER = "/usr/bin/docker"
REPOSITORY = "bench/app"


class Bench:
    """What is measured, and what for.

    Args:
        given: the options.
        at: where files lie.
        state: our cloud.
        peer: the reference.
    """

    def __init__(self, given: argparse.Namespace, at: Path, state: Path, peer: Peer) -> None:
        self.given, self.at, self.state, self.peer = given, at, state, peer
        self.ca = state / "ca" / "ca.pem"
        self.env = dict.fromkeys(VARIABLES, PASSPHRASE)

    def wire(self, server: str, name: str) -> Wire:
        """Return a repository's trust data on ``ours``, ``postgres`` or ``memory``."""
        if server == "ours":
            gun = f"{OURS}/{name}"
            return Wire(OURS, gun, place.our_token(self.state, OURS, f"repository:{gun}:pull,push"), self.ca)
        gun, port = f"{PEER}:{REGISTRY}/{name}", place.SERVER if server == "postgres" else place.MEMORY
        return Wire(f"{PEER}:{port}", gun, self.peer.token([f"repository:{gun}:pull,push"]), self.ca)

    def repository(self, wire: Wire) -> Repository:
        """Return it for a signer with keys of their own."""
        folder = self.at / "keys" / wire.host.replace(":", "-")
        store = KeyStore(folder, Passphrases(environment=self.env))
        return Repository.of(wire, store, lambda: datetime.now(UTC))

    # What docker asks for with every trusted pull

    def timestamps(self, fresh: bool) -> tuple[dict[str, float], dict[str, float]]:
        """Return timestamps a second at 8 connections, and the microseconds that each took of a processor."""
        found: dict[str, list[float]] = {}
        work: dict[str, list[float]] = {}
        wires = {server: self.wire(server, REPOSITORY) for server in ("ours", "postgres", "memory")}
        for _ in range(self.given.rounds):
            for server, wire in wires.items():
                url = f"https://{wire.host}/v2/{wire.gun}/_trust/tuf/timestamp.json"
                more = ["-fresh"] if fresh else []
                before = place.worked(server)
                rate = load(self.given, url, self.ca, wire.token, *more)["rate"]
                took = place.worked(server) - before
                found.setdefault(server, []).append(rate)
                work.setdefault(server, []).append(took * 1e6 / (rate * self.given.seconds))
        return medians(found), medians(work)

    # A tag more

    def publishing(self, size: int) -> tuple[dict[str, float], dict[str, float]]:
        """Return the server's share, in ms, of publishing one tag more: what one waits, and its processor's time."""
        whole: dict[str, list[float]] = {}
        work: dict[str, list[float]] = {}
        wires = {server: self.wire(server, f"bench/tags{size}") for server in ("ours", "postgres", "memory")}
        signers = {server: self.repository(wire) for server, wire in wires.items()}
        for signer in signers.values():
            tags.sign_all(signer, {f"v{at}": image(at) for at in range(size)})
        for at in range(2 * self.given.rounds + 1):
            for server, signer in signers.items():
                wire = wires[server]
                wire.seconds, before = 0, place.worked(server)
                tags.sign(signer, f"more{at}", image(at))
                if at:  # the first brings the signer's cache up to date
                    whole.setdefault(server, []).append(wire.seconds * 1000)
                    work.setdefault(server, []).append((place.worked(server) - before) * 1000)
        return medians(whole), medians(work)

    # docker

    def docker(self, config: Path, *arguments: str, stdin: str = "", **more: str) -> float:
        """Run docker and return the seconds it took."""
        env = {**os.environ, **self.env, "DOCKER_CONFIG": str(config), **more}
        began = time.perf_counter()
        done = subprocess.run([DOCKER, *arguments], env=env, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"docker {' '.join(arguments)}: {done.stdout}\n{done.stderr}")
        return time.perf_counter() - began

    def pushing(self) -> dict[str, dict[str, float]]:
        """Return the seconds of a first signed push, and of a signed pull by somebody with no cache."""
        push: dict[str, list[float]] = {}
        pull: dict[str, list[float]] = {}
        peer = {"DOCKER_CONTENT_TRUST_SERVER": f"https://{PEER}:{place.SERVER}"}
        with place.engine(self.at, self.state) as env:
            for at in range(self.given.rounds + 1):
                for server, host, more in (("ours", OURS, {}), ("postgres", f"{PEER}:{REGISTRY}", peer)):
                    signed = self._pushed(f"{host}/docker/app{at}:v1", {**env, **more})
                    if at:  # the first warms both up
                        push.setdefault(server, []).append(signed[0])
                        pull.setdefault(server, []).append(signed[1])
        return {"push": medians(push), "pull": medians(pull)}

    def _pushed(self, name: str, env: dict[str, str]) -> tuple[float, float]:
        host = name.partition("/")[0]
        signer, reader, context = (self.at / "docker-people" / word for word in ("signer", "reader", "context"))
        for folder in (signer, reader, context):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        (context / "Dockerfile").write_text("FROM scratch\nCOPY file /file\n")
        (context / "file").write_text(name)
        for person in (signer, reader):
            self.docker(person, "login", "-u", SIGNER[0], "--password-stdin", host, stdin=SIGNER[1], **env)
        self.docker(signer, "build", "-q", "-t", name, str(context), **env)
        trusted = {**env, "DOCKER_CONTENT_TRUST": "1"}
        pushed = self.docker(signer, "push", name, **trusted)
        self.docker(signer, "rmi", name, **env)
        pulled = self.docker(reader, "pull", name, **trusted)
        self.docker(reader, "rmi", "-f", name, **env)
        return pushed, pulled


def image(number: int) -> FileMeta:
    """Describe a manifest."""
    return FileMeta(1234, {"sha256": hashlib.sha256(str(number).encode()).digest()})


def medians(found: dict[str, list[float]]) -> dict[str, float]:
    """Return the median of each; the smallest goes to stderr, for busy machines."""
    print({name: round(min(values), 2) for name, values in found.items()}, file=sys.stderr)
    return {name: statistics.median(values) for name, values in found.items()}


def load(given: argparse.Namespace, url: str, ca: Path, token: str, *more: str) -> dict[str, float]:
    """Ask for an address at several connections."""
    command = [
        given.load,
        "-url",
        url,
        "-ca",
        ca,
        "-token",
        token,
        "-clients",
        given.clients,
        "-seconds",
        given.seconds,
    ]
    done = subprocess.run([*map(str, command), *more], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{url}: {done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


# Purge


def purge(given: argparse.Namespace, at: Path) -> None:
    """Disable content trust where 1,000 repositories hold 1,000 tags each, while another registry is read."""
    from tests.adversary import trust_data

    at.mkdir()
    with place.ours(given.aztrust, at):
        pass
    trust_data.fill(at / "state", {"myregistry": (given.repositories, given.repositories)})
    with place.ours(given.aztrust, at) as state:
        took = _purged(given, at, state)
    print(f"\npurge of {given.repositories} repositories x {given.repositories} tags")
    print(f"  committed (readers see 405)     {took['seen']:8.3f} s   promised 1")
    print(f"  answered (no byte is left)      {took['answered']:8.3f} s")
    print(f"  readers of another registry     {took['rate']:8.0f} /s, slowest {took['slowest']:.0f} ms; before "
          f"{took['before']:.0f} /s")  # fmt: skip


def _purged(given: argparse.Namespace, at: Path, state: Path) -> dict[str, float]:
    ca, gun = state / "ca" / "ca.pem", f"other1.azurecr.io/{REPOSITORY}"
    token = place.our_token(state, "other1.azurecr.io", f"repository:{gun}:pull,push")
    other = Wire("other1.azurecr.io", gun, token, ca)
    store = KeyStore(at / "keys", Passphrases(environment=dict.fromkeys(VARIABLES, PASSPHRASE)))
    tags.sign(Repository.of(other, store, lambda: datetime.now(UTC)), "v1", image(1))
    url = f"https://{other.host}/v2/{gun}/_trust/tuf/timestamp.json"
    before = load(given, url, ca, token)
    reading: dict[str, float] = {}
    reader = threading.Thread(target=lambda: reading.update(load(given, url, ca, token)))
    reader.start()
    time.sleep(0.5)
    told = _disable(state)
    reader.join()
    return {**told, "rate": reading["rate"], "slowest": reading["slowest"], "before": before["rate"]}


def _disable(state: Path) -> dict[str, float]:
    form = {"grant_type": "password", "username": OWNER[0], "password": OWNER[1],
            "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
            "scope": "https://management.core.windows.net//.default openid"}  # fmt: skip
    token = place.ask(state, "POST", f"https://localhost/{place.TENANT}/oauth2/v2.0/token", form)["access_token"]
    found = place.ask(state, "GET", "https://localhost/subscriptions?api-version=2022-12-01",
                      authorization=f"Bearer {token}")["value"]  # fmt: skip
    target = (f"https://localhost{found[0]['id']}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/"
              "myregistry?api-version=2023-07-01")  # fmt: skip
    body = {"properties": {"policies": {"trustPolicy": {"status": "disabled", "type": "Notary"}}}}
    gun = f"{OURS}/team0/image0"
    seen = _watched(state, gun)
    began = time.perf_counter()
    place.ask(state, "PATCH", target, body, authorization=f"Bearer {token}")
    answered = time.perf_counter() - began
    return {"answered": answered, "seen": seen() - began}


def _watched(state: Path, gun: str) -> Callable[[], float]:
    """Ask for a repository's root until it is gone; return a function that returns when that was."""
    import requests

    url, gone = f"https://{OURS}/v2/{gun}/_trust/tuf/root.json", []
    headers = {"authorization": f"Bearer {place.our_token(state, OURS, f'repository:{gun}:pull')}"}
    session, ca = requests.Session(), str(state / "ca" / "ca.pem")

    def there() -> bool:
        return session.get(url, headers=headers, timeout=60, verify=ca).status_code == 200

    assert there()

    def watch() -> None:
        while there():
            time.sleep(0.005)
        gone.append(time.perf_counter())

    thread = threading.Thread(target=watch)
    thread.start()

    def when() -> float:
        thread.join(300)
        return gone[0]

    return when


# The table


def row(title: str, found: dict[str, float], promised: str, *, faster: bool) -> None:
    """Print one line: the three figures, and ours as so many times theirs."""
    ours, others = found["ours"], [found.get(name) for name in ("postgres", "memory")]
    digits = 0 if faster else 2
    figures = "".join(f"{value:10.{digits}f}" if value else " " * 10 for value in (*others, ours))
    ratios = "".join(f"{ours / value:8.2f}" if value else " " * 8 for value in others)
    print(f"{title:34}{figures}{ratios}  {promised}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", type=Path, required=True)
    parser.add_argument("--aztrust", type=Path, required=True)
    parser.add_argument("--postgres", required=True, help="directory of PostgreSQL's socket")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--repositories", type=int, default=1000, help="of the purge, and tags in each")
    parser.add_argument("--sizes", default="10,1000,10000", help="tags beside which one more is published")
    parser.add_argument("--only", default="get,publish,docker,purge")
    parser.add_argument("--directory", type=Path, help="where all keep their data; the same disk for all")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory, prefix="bench") as name:
        at = Path(name)
        at.chmod(0o755)
        place.prepare(at)
        measure(given, at)


def measure(given: argparse.Namespace, at: Path) -> None:
    """Run what is asked for."""
    if set(given.only.split(",")) & {"get", "publish", "docker"}:
        with place.ours(given.aztrust, at) as state, place.reference(at, state, given.postgres) as peer:
            compared(Bench(given, at, state, peer), given.only)
    if "purge" in given.only:
        purge(given, at / "purge")


def compared(bench: Bench, only: str) -> None:
    """Print what is compared."""
    print(f"{'':34}{'postgres':>10}{'memory':>10}{'aztrust':>10}{'ratio':>8}{'':8}  promised")
    if "get" in only:
        for server in ("ours", "postgres", "memory"):
            tags.sign(bench.repository(bench.wire(server, REPOSITORY)), "v1", image(1))
        rates, work = bench.timestamps(fresh=False)
        row("timestamp GET /s", rates, ">= 3, >= 1", faster=True)
        row("  the server's CPU, us each", work, "", faster=True)
        rates, work = bench.timestamps(fresh=True)
        row("  each on a new connection", rates, "", faster=True)
        row("  the server's CPU, us each", work, "", faster=True)
    for size in map(int, bench.given.sizes.split(",")) if "publish" in only else ():
        whole, work = bench.publishing(size)
        row(f"one tag more beside {size}, ms", whole, "<= 0.5", faster=False)
        row("  the server's CPU", work, "", faster=False)
    if "docker" in only:
        found = bench.pushing()
        row("first signed docker push, s", found["push"], "<= 1", faster=False)
        row("fresh signed docker pull, s", found["pull"], "<= 1", faster=False)


if __name__ == "__main__":
    main()
