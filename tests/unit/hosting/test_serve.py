"""The life of the served process, with a small application in the place of the cloud."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
import requests

from azext_trust.hosting import setup
from tests.sockets import free_port, talk

PROGRAM = """
import asyncio, sys
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    if scope["path"] == "/slow":
        await asyncio.sleep(2)
    if scope["path"] == "/headers":
        while (await receive()).get("more_body"):
            pass
    names = b",".join(name for name, _ in scope["headers"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": names if scope["path"] == "/headers" else scope["path"].encode()})
from azext_trust.hosting import listener, serve
if len(sys.argv) == 3:
    import os
    listener.DEFAULT_PORT, listener.FALLBACK_PORT = map(int, os.environ["AZTRUST_TEST_PORTS"].split())
serve.application.create_app = lambda settings: app
serve.RENEWAL_TICKS = 5
serve.serve(serve.Options(state=sys.argv[1], listen=sys.argv[3:], ready_file=sys.argv[2], log_format="json"))
"""


class Running:
    """A served process of this file's application."""

    def __init__(self, folder: Path, endpoints: int = 1) -> None:
        self.state, self.ready = folder / "state", folder / "ready"
        self.ports = [free_port() for _ in range(endpoints)]
        listen = [f"127.0.0.1:{port}" for port in self.ports]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, self.state, self.ready, *listen],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = monotonic() + 20
        while not self.ready.exists() and monotonic() < deadline and self.process.poll() is None:
            sleep(0.02)

    def url(self, path: str, endpoint: int = 0) -> str:
        """Return the address of a path."""
        return f"https://localhost:{self.ports[endpoint]}{path}"

    @property
    def ca(self) -> str:
        """The authority's file."""
        return str(self.state / "ca" / "ca.pem")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A process that listens on two ports."""
    made = Running(tmp_path, 2)
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.communicate()


def test_ready_line_and_file(running: Running) -> None:
    """M29: the origin is told on stdout and in the ready file, and every address answers."""
    assert running.process.stdout is not None
    line = running.process.stdout.readline()
    assert line == f"ready https://localhost:{running.ports[0]}\n" == running.ready.read_text()
    for endpoint in (0, 1):
        assert requests.get(running.url("/x", endpoint), verify=running.ca, timeout=5).text == "/x"
    assert json.loads((running.state / "serving.json").read_text())["pid"] == str(running.process.pid)


def test_stops_in_time_with_requests_finished(running: Running) -> None:
    """M29: SIGTERM lets a running request finish, is not held up by an idle connection, and exits with 0."""
    context = ssl.create_default_context(cafile=running.ca)
    plain = socket.create_connection(("127.0.0.1", running.ports[1]))
    idle = context.wrap_socket(plain, server_hostname="localhost")
    slow = subprocess.Popen(
        ["curl", "-sS", "--cacert", running.ca, running.url("/slow")], stdout=subprocess.PIPE, text=True
    )
    sleep(0.7)
    started = monotonic()
    os.kill(running.process.pid, signal.SIGTERM)
    assert running.process.wait(10) == 0
    assert monotonic() - started < 10
    assert slow.communicate(timeout=5)[0] == "/slow"
    assert not (running.state / "serving.json").exists()
    idle.close()


def test_log_has_no_query(running: Running) -> None:
    """M29: the log tells the path and never the query, and nothing can break out of its line."""
    requests.get(running.url("/a?password=secret"), verify=running.ca, timeout=5)
    running.process.terminate()
    _, err = running.process.communicate(timeout=10)
    entries = [json.loads(line) for line in err.splitlines()]
    assert [(entry["method"], entry["path"], entry["status"]) for entry in entries] == [("GET", "/a", 200)]
    assert "secret" not in err


def test_ready_file_that_cannot_be_written(tmp_path: Path) -> None:
    """M29: the server does not run on when it cannot say that it is ready."""
    (tmp_path / "state.ready").mkdir()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "state"), str(tmp_path / "state.ready")]
    command.append(f"127.0.0.1:{free_port()}")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1
    assert "state.ready cannot be written: Is a directory." in done.stderr


def test_trailers_are_dropped(running: Running) -> None:
    """M29: what follows a chunked body is no header: neither a token nor a second host can be slipped in."""
    head = b"POST /headers HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    body = b"2\r\nok\r\n0\r\nauthorization: Bearer x\r\nhost: evil\r\n\r\n"
    answer = talk(running.ports[0], running.ca, head + body)
    assert b"\r\nhost,transfer-encoding,connection\r\n" in answer


def test_next_request_has_its_headers(running: Running) -> None:
    """M29: after trailers the connection goes on as it should."""
    first = b"POST /x HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n"
    second = b"GET /headers HTTP/1.1\r\nhost: localhost\r\nx-second: 1\r\nconnection: close\r\n\r\n"
    assert b"\r\nhost,x-second,connection\r\n" in talk(running.ports[0], running.ca, first + second)


def test_endless_head(running: Running) -> None:
    """M29: a head that does not end is not collected."""
    answer = talk(running.ports[0], running.ca, b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 70000)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_certificate_is_renewed_while_serving(running: Running) -> None:
    """M29: a server that runs for a year does not serve an expired certificate; nobody needs to trust anything anew."""

    def served() -> str:
        return ssl.get_server_certificate(("127.0.0.1", running.ports[0]))

    before, authority = served(), (running.state / "ca" / "ca.pem").read_bytes()
    (running.state / "ca" / "server.pem").unlink()
    deadline = monotonic() + 10
    while served() == before and monotonic() < deadline:
        sleep(0.1)
    assert served() != before
    assert (running.state / "ca" / "ca.pem").read_bytes() == authority
    assert requests.get(running.url("/x"), verify=running.ca, timeout=5).text == "/x"


def test_recipe_of_a_running_server(running: Running) -> None:
    """M29: beside a server that runs, the recipe names what that one published."""
    from azext_trust.hosting import serve

    text = serve.recipe(serve.Options(state=str(running.state)))
    assert f"--endpoint-resource-manager https://localhost:{running.ports[0]}\n" in text


def test_recipe_on_443() -> None:
    """M29: on 443 az is told to ask no discovery service."""
    text = setup.recipe("https://localhost", Path("/state"), Path("/state/ca/ca.pem"))
    assert "az config set core.instance_discovery=false\n" in text
    assert "az cloud register -n Aztrust --endpoint-resource-manager https://localhost\n" in text


def test_recipe_elsewhere() -> None:
    """M29: on another port that setting is not needed; paths are quoted."""
    text = setup.recipe("https://localhost:8443", Path("/my state"), Path("/my state/ca.pem"))
    assert "instance_discovery=false" not in text.split("# Azure SDKs")[0]
    assert "export REQUESTS_CA_BUNDLE='/my state/ca.pem'\n" in text


def test_fallback_of_the_default(tmp_path: Path) -> None:
    """M29: where the default port may not be had, another one is taken, and what then needs another way is told."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = free_port()
        env = {**os.environ, "AZTRUST_TEST_PORTS": f"{taken.getsockname()[1]} {other}"}
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "state"), str(tmp_path / "ready")]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = monotonic() + 20
        while not (tmp_path / "ready").exists() and monotonic() < deadline:
            sleep(0.02)
        process.terminate()
        out, err = process.communicate(timeout=10)
    assert out == f"ready https://localhost:{other}\n"
    assert (
        f"127.0.0.1:443 cannot be listened on (Address already in use): serving https://localhost:{other} instead."
        in err
    )
    assert f"The login endpoint is https://localhost:{other}/adfs." in err
    assert process.returncode == 0
