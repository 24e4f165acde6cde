"""The login server against Debian's docker-registry over TLS, measured in turns by one client in one run.

Ours checks a token on every request; theirs checks nothing. Prints the median of each figure, and the ratio that the
project promises at least.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

PROMISED = {"get": 3.0, "small": 5.0, "upload": 1.5, "download": 1.5, "download1": 0.0}
WORDS = {
    "get": "manifest GET /s", "small": "small blob uploads /s", "upload": "upload MiB/s", "download": "download MiB/s",
    "download1": "  over HTTP/1.1, as docker",
}  # fmt: skip
HOST, OURS, THEIRS = "myregistry.azurecr.io", "127.0.0.1:15445", "127.0.0.1:15446"
SECRET = ("44444444-4444-4444-4444-444444444444", "Push-an-image-1")
SEED = f"""
registries: [{{name: myregistry, resourceGroup: lab, sku: Premium}}]
resourceGroups: [{{name: lab, location: westeurope}}]
applications: [{{name: pusher, appId: {SECRET[0]}, secret: {SECRET[1]}}}]
assignments: [{{assignee: pusher, role: AcrPush, scope: myregistry}}]
"""
REGISTRY = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {data}}}, delete: {{enabled: true}}}}
http: {{addr: {address}, tls: {{certificate: {certificate}, key: {key}}}}}
"""


@contextmanager
def running(*command: object) -> Iterator[None]:
    """Run a server until the end of the block."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.1)
    sys.exit(f"{path} did not appear")


def token(ca: Path) -> str:
    """Return an access token for the benchmark's repository."""
    credentials = base64.b64encode(":".join(SECRET).encode()).decode()
    headers = {"Host": f"{HOST}:15445", "Authorization": f"Basic {credentials}"}
    query = {"service": HOST, "scope": "repository:bench/app:pull,push"}
    address = f"https://{OURS}/oauth2/token"
    return str(requests.get(address, params=query, headers=headers, verify=str(ca), timeout=30).json()["access_token"])


def measure(load: Path, address: str, port: str, ca: Path, bearer: str, more: list[str]) -> dict[str, float]:
    """Measure one registry once."""
    command = [load, "-address", address, "-host", f"{HOST}:{port}", "-ca", ca, "-token", bearer, *more]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", type=Path, required=True)
    parser.add_argument("--aztrust", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", default="8")
    parser.add_argument("--directory", type=Path, help="where both keep their data; the same disk for both")
    given, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as name:
        rows = compare(Path(name), given, ["-clients", given.clients, *more])
    print(f"{'':24}{'docker-registry':>16}{'aztrust':>10}{'ratio':>8}{'promised':>10}")
    for figure in (name for name in WORDS if name in rows):
        theirs, ours = rows[figure]
        ratio, promised = ours / theirs, PROMISED[figure]
        mark = "" if ratio >= promised else "  below"
        print(f"{WORDS[figure]:26}{theirs:14.0f}{ours:10.0f}{ratio:8.1f}{promised or '':10}{mark}")


def compare(at: Path, given: argparse.Namespace, more: list[str]) -> dict[str, tuple[float, float]]:
    """Return for each figure the medians, theirs and ours."""
    (at / "seed.yaml").write_text(SEED)
    state, ready = at / "state", at / "ready"
    with running(given.aztrust, "serve", "--state", state, "--seed", at / "seed.yaml", "--listen", OURS,
                 "--ready-file", ready, "--only-show-errors"):  # fmt: skip
        wait_for(ready)
        ca, certificate, key = (state / "ca" / file for file in ("ca.pem", "server.pem", "server.key"))
        (at / "registry.yml").write_text(
            REGISTRY.format(data=at / "registry", address=THEIRS, certificate=certificate, key=key)
        )
        with running("docker-registry", "serve", at / "registry.yml"):
            time.sleep(1)
            bearer, found = token(ca), []
            for _ in range(given.rounds):
                theirs = measure(given.load, THEIRS, "15446", ca, "", more)
                found.append((theirs, measure(given.load, OURS, "15445", ca, bearer, more)))
    figures = found[0][0]
    return {
        name: (statistics.median(one[name] for one, _ in found), statistics.median(two[name] for _, two in found))
        for name in figures
    }


if __name__ == "__main__":
    main()
