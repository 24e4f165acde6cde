"""Layers in object stores, S3 (moto) and Azure Blob (Azurite): pushes, pulls, a killed server, collection (M32)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import sleep

import pytest

from tests.wire.programs import AZTRUST
from tests.wire.registry_world import ADDRESS, HOST, PUSHER, World, bare, wait_for

S3 = f"http://{ADDRESS}:5555"
AZURITE = "http://127.0.0.1:10000"
"""Where object_store looks for the emulator."""
MIB = 1024 * 1024


@dataclass
class Kind:
    """An object store.

    Attributes:
        start: starts a server on the machine, and makes the bucket or container ``lab``.
        env: what the cloud is told, as obstore documents it.
        url: where the cloud is to lay its layers.
        listing: a command that prints the names of what lies in ``lab``.
    """

    start: Callable[[World], subprocess.Popen[bytes]]
    env: dict[str, str]
    url: str
    listing: tuple[str, ...]


def named(variable: str) -> str:
    """Return the path of a program."""
    return os.environ.get(variable) or pytest.fail(f"{variable} is not set: run scripts/real-clients")


def s3(machine: World) -> subprocess.Popen[bytes]:
    """Start moto's."""
    store = machine.start("store.log", named("AZTRUST_TEST_S3"), "-H", ADDRESS, "-p", "5555")
    wait_for(lambda: machine("curl", "-sf", "-X", "PUT", f"{S3}/lab").code == 0, machine.directory / "store.log")
    return store


def azure(machine: World) -> subprocess.Popen[bytes]:
    """Start Microsoft's emulator of Azure Storage; az makes the container."""
    store = machine.start("store.log", named("AZTRUST_TEST_AZURITE"), "--location", machine.directory / "azurite",
                          "--skipApiVersionCheck", "--disableTelemetry")  # fmt: skip
    container = (named("AZTRUST_TEST_AZ"), "storage", "container")
    wait_for(lambda: machine(*container, "create", "-n", "lab").code == 0, machine.directory / "store.log")
    machine.must(*container, "set-permission", "-n", "lab", "--public-access", "container")
    return store


KINDS = {
    "s3": Kind(
        s3,
        {"AWS_ENDPOINT_URL": S3, "AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_REGION": "us-east-1",
         "AWS_ALLOW_HTTP": "true"},
        "s3://lab/blobs", ("curl", "-s", f"{S3}/lab?list-type=2"),
    ),
    "azure": Kind(
        azure,
        {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURE_STORAGE_CONNECTION_STRING": "UseDevelopmentStorage=true"},
        "az://lab/blobs", ("curl", "-s", f"{AZURITE}/devstoreaccount1/lab?restype=container&comp=list"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Give an object store."""
    return KINDS[request.param]


@pytest.fixture(scope="module")
def machine(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine with an object store, and a cloud that lays its layers there."""
    made = bare(tmp_path_factory.mktemp("store"), f"{ADDRESS} {HOST}")
    made.env |= {**kind.env, "SSL_CERT_FILE": str(made.ca), "AZTRUST_CONFIG_DIR": str(made.directory / "own")}
    made.options = ("--blobs", kind.url)
    try:
        made.store = kind.start(made)
        made.serve()
        made.must("oras", "login", "-u", PUSHER[0], "--password-stdin", HOST, stdin=PUSHER[1])
        yield made
    finally:
        end(made)
        made.stop()


def end(machine: World) -> None:
    """End the object store."""
    if machine.store is not None:
        machine.store.kill()
        machine.store.wait(10)


def layer(machine: World, name: str, size: int) -> bytes:
    """Write a file and return its content."""
    content = os.urandom(size)
    (machine.directory / name).write_bytes(content)
    return content


def pulled(machine: World, image: str, name: str) -> bytes:
    """Pull an artifact and return its file."""
    machine.must("oras", "pull", "-o", machine.directory / "back", f"{HOST}/{image}")
    return (machine.directory / "back" / name).read_bytes()


def test_push_and_pull(machine: World, kind: Kind) -> None:
    """M32: a layer of several parts comes back; nothing of it lies in the cloud directory."""
    content = layer(machine, "large", 30 * MIB + 7)
    machine.must("oras", "push", f"{HOST}/team/web:v1", "large:application/octet-stream")
    assert pulled(machine, "team/web:v1", "large") == content
    assert not (machine.state / "blobs").exists()
    assert "blobs/uploads/" in machine.must(*kind.listing)


def test_killed(machine: World) -> None:
    """M14, M32: a server killed in the middle leaves nothing half there; the next push succeeds."""
    content = layer(machine, "broken", 60 * MIB)
    with ThreadPoolExecutor(1) as executor:
        pushing = executor.submit(machine, "oras", "push", f"{HOST}/broken/web:v1", "broken:application/octet-stream")
        sleep(0.8)
        machine.kill_server()
        machine.serve()
        pushing.result()
    machine.must("oras", "push", f"{HOST}/broken/web:v1", "broken:application/octet-stream")
    assert pulled(machine, "broken/web:v1", "broken") == content


def test_collected_beside_a_push(machine: World) -> None:
    """M14, M32: collection on request takes nothing from a push that goes on."""
    content = layer(machine, "going", 60 * MIB)
    with ThreadPoolExecutor(1) as executor:
        pushing = executor.submit(machine, "oras", "push", f"{HOST}/going/web:v1", "going:application/octet-stream")
        while not pushing.done():
            machine.must(AZTRUST, "local", "gc", "--older-than", "60", "--state", machine.state)
        assert pushing.result().code == 0
    assert pulled(machine, "going/web:v1", "going") == content


def test_elsewhere(machine: World, kind: Kind) -> None:
    """M32: once layers lie in a bucket, the cloud is not served without them."""
    listen = ("--listen", f"{ADDRESS}:8443", "--listen", "127.0.0.1:8443")
    refused = machine(AZTRUST, "serve", "--state", machine.state, *listen, "--blobs", f"{kind.url}x")
    assert (refused.code, f"lie at {kind.url}, not at {kind.url}x" in refused.err) == (1, True), refused


def test_gone(machine: World) -> None:
    """M32: a store that is away is said to be away, to whoever pushes and to whoever pulls."""
    layer(machine, "late", 20 * MIB)
    machine.must("oras", "push", f"{HOST}/late/web:v1", "late:application/octet-stream")
    layer(machine, "later", 20 * MIB)
    end(machine)
    pushed = machine("oras", "push", f"{HOST}/late/web:v2", "later:application/octet-stream")
    got = machine("oras", "pull", "-o", machine.directory / "gone", f"{HOST}/late/web:v1")
    for done in (pushed, got):
        assert (done.code != 0, "cannot be reached" in done.err) == (True, True), done
