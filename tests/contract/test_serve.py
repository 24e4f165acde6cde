"""``aztrust serve`` as a process, with the real cloud in it (M29)."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from urllib.parse import quote, urlencode

import pytest
import requests

from tests.sign_in import AZURE_CLI
from tests.sockets import free_port, talk
from tests.wire.programs import AZTRUST, PASSWORDS, Served, start

TENANT = "11111111-1111-1111-1111-111111111111"
SECRETS = (PASSWORDS["owner"], "Build-an-image-1", "a-secret-state", "a-secret-code")


def logged(served: Served) -> str:
    """Return what the server printed."""
    return served.state.with_suffix(".log").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud on two addresses, with a JSON log."""
    listen = [word for _ in range(2) for word in ("--listen", f"127.0.0.1:{free_port()}")]
    started = start(tmp_path_factory.mktemp("serve") / "state", *listen, "--log-format", "json")
    yield started
    started.stop()


def port(served: Served) -> int:
    """Return the port that the cloud publishes."""
    return int(served.origin.rpartition(":")[2])


def test_health(served: Served) -> None:
    """M29: the cloud's host says that it is there."""
    assert requests.get(f"{served.origin}/healthz", verify=str(served.ca), timeout=10).json() == {"status": "ok"}


def test_no_secret_in_the_log(served: Served) -> None:
    """M29: passwords, client secrets, codes and states that are sent stand in no line of the log."""
    verify = str(served.ca)
    where = f"{served.origin}/{TENANT}/oauth2/v2.0"
    form = {"grant_type": "password", "client_id": AZURE_CLI, "username": "owner@contoso.com", "scope": "openid",
            "password": PASSWORDS["owner"]}  # fmt: skip
    assert requests.post(f"{where}/token", data=form, verify=verify, timeout=10).status_code == 200
    form |= {"grant_type": "client_credentials", "client_secret": "Build-an-image-1"}
    requests.post(f"{where}/token", data=form, verify=verify, timeout=10)
    requests.get(f"{where}/authorize?state=a-secret-state&code=a-secret-code", verify=verify, timeout=10)
    requests.get(f"{served.origin}/x%0d%0aINJECTED?code=a-secret-code", verify=verify, timeout=10)
    lines = [json.loads(line) for line in logged(served).splitlines() if line.startswith("{")]
    assert {line.get("path") for line in lines} >= {f"/{TENANT}/oauth2/v2.0/token", f"/{TENANT}/oauth2/v2.0/authorize"}
    assert not [text for text in SECRETS if text in logged(served)]
    assert not [line for line in logged(served).splitlines() if line.startswith("INJECTED")]


def test_quiet(tmp_path: Path) -> None:
    """M29: with --only-show-errors no request is logged."""
    started = start(tmp_path / "state", "--listen", f"127.0.0.1:{free_port()}", "--only-show-errors")
    try:
        assert requests.get(f"{started.origin}/healthz", verify=str(started.ca), timeout=10).status_code == 200
    finally:
        started.stop()
    assert "healthz" not in logged(started)


def test_two_hosts(served: Served) -> None:
    """M29: a request that names two hosts is refused: which one would be meant?"""
    sent = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nhost: x.azurecr.io\r\nconnection: close\r\n\r\n"
    answer = talk(port(served), str(served.ca), sent)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_no_host(served: Served) -> None:
    """M29: and one that names none (RFC 9112 section 3.2)."""
    assert talk(port(served), str(served.ca), b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n").startswith(
        b"HTTP/1.1 400 "
    )


def test_trailers(served: Served) -> None:
    """M29: a token in a trailer is no token."""
    key = (served.state / "keys" / "operator").read_text().strip().encode()
    head = (
        b"GET /operator/status HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )
    answer = talk(port(served), str(served.ca), head + b"0\r\nauthorization: Bearer " + key + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("text", ["\x00", "\r\nset-cookie: a=b", "\u2028", "\ud7ff" * 50])
def test_echo(served: Served, text: str) -> None:
    """M29: what is echoed breaks no header and drops no connection."""
    ids = {"client-request-id": quote(text), "x-ms-correlation-request-id": quote(text)}
    for path in (f"/{quote(text)}/v2.0/.well-known/openid-configuration", f"/subscriptions/{quote(text)}?api-version={quote(text)}",
                 f"/v1.0/{quote(text)}", f"/operator/{quote(text)}"):  # fmt: skip
        answer = requests.get(served.origin + path, headers=ids, verify=str(served.ca), timeout=10)
        assert 400 <= answer.status_code < 500
        assert "set-cookie" not in answer.headers


def test_large_body(served: Served) -> None:
    """M29: more than four megabytes are refused, on the way and not only at the end."""
    where = f"{served.origin}/{TENANT}/oauth2/v2.0/token"
    answer = requests.post(where, data=b"a" * (5 << 20), verify=str(served.ca), timeout=30)
    assert answer.status_code == 413


def test_foreign_login_server(served: Served) -> None:
    """M29: a login server that no registry owns answers 404, whatever the address."""
    headers = {"Host": "nobody.azurecr.io"}
    answer = requests.get(f"{served.origin}/v2/", headers=headers, verify=str(served.ca), timeout=10)
    assert answer.status_code == 404


def test_published_for_others(served: Served) -> None:
    """M29: commands beside the server find what it publishes."""
    published = json.loads((served.state / "serving.json").read_text())
    assert (published["origin"], published["suffix"]) == (served.origin, "azurecr.io")


def serve(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a server that does not come up."""
    return subprocess.run(
        [str(AZTRUST), "serve", *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("option", ["--listen", "--imds"])
def test_address_that_is_taken(tmp_path: Path, option: str) -> None:
    """M29: an address that was asked for and cannot be had ends the server with 1 and says why; nothing is founded."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        more = () if option == "--listen" else ("--listen", f"127.0.0.1:{free_port()}")
        done = serve("--state", tmp_path / "state", option, address, *more)
    assert done.returncode == 1
    assert f"Cannot listen on {address}: Address already in use." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "state" / "state.db").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--listen", "localhost:1"), "expected ADDRESS:PORT"),
        (("--listen", "192.0.2.1:9443"), "Cannot listen on 192.0.2.1:9443"),
        (("--host", "no host"), "--host: 'no host' is no host name"),
        (("--login-server-suffix", "x_y"), "--login-server-suffix: 'x_y' is no host name"),
        (("--seed", "/nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    """M29: each is told in one line, exit code 1."""
    listen = () if "--listen" in words else ("--listen", f"127.0.0.1:{free_port()}")
    done = serve("--state", tmp_path / "state", *words, *listen)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert text in done.stderr


def test_open_to_the_network(tmp_path: Path) -> None:
    """M29: a metadata service that others can reach is told so."""
    address = f"0.0.0.0:{free_port()}"
    started = start(tmp_path / "state", "--listen", f"127.0.0.1:{free_port()}", "--imds", address)
    started.stop()
    assert f"Whoever reaches {address} gets the tokens of every managed identity" in logged(started)


def test_stops_in_the_middle_of_sign_ins(tmp_path: Path) -> None:
    """M29: SIGTERM while people sign in: what was begun is answered, and the process ends in time with 0."""
    started = start(tmp_path / "state", "--listen", f"127.0.0.1:{free_port()}", "--imds", f"127.0.0.1:{free_port()}")
    form = urlencode({"grant_type": "password", "client_id": AZURE_CLI, "username": "owner@contoso.com",
                      "password": PASSWORDS["owner"], "scope": "openid"})  # fmt: skip
    where = f"{started.origin}/{TENANT}/oauth2/v2.0/token"
    command = ["curl", "-sS", "--cacert", str(started.ca), "-o", "/dev/null", "-w", "%{http_code}", "-d", form, where]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    while "/oauth2/v2.0/token" not in logged(started):
        assert any(process.poll() is None for process in asking) or "/oauth2/v2.0/token" in logged(started)
    began = monotonic()
    assert started.stop() == 0
    assert monotonic() - began < 10
    answers = [process.communicate(timeout=10)[0] for process in asking]
    assert set(answers) <= {"200", "000"}
    assert "200" in answers
