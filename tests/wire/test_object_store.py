"""Layers in an S3 object store (moto): pushes, pulls, a server that is killed, collection beside a push (M32)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from tests.wire.programs import AZTRUST
from tests.wire.registry_world import ADDRESS, HOST, PUSHER, World, bare, wait_for

S3 = f"http://{ADDRESS}:5555"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine with an object store, and a cloud that lays its layers there."""
    program = os.environ.get("AZTRUST_TEST_S3") or pytest.fail("AZTRUST_TEST_S3 is not set: run scripts/real-clients")
    made = bare(tmp_path_factory.mktemp("store"), f"{ADDRESS} {HOST}")
    made.env |= {
        "AWS_ENDPOINT_URL": S3, "AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true", "SSL_CERT_FILE": str(made.ca), "AZTRUST_CONFIG_DIR": str(made.directory / "own"),
    }  # fmt: skip
    made.options = ("--blobs", "s3://lab/blobs")
    store: subprocess.Popen[bytes] | None = None
    try:
        store = made.start("moto.log", program, "-H", ADDRESS, "-p", "5555")
        wait_for(lambda: made("curl", "-sf", "-X", "PUT", f"{S3}/lab").code == 0, made.directory / "moto.log")
        made.serve()
        made.must("oras", "login", "-u", PUSHER[0], "--password-stdin", HOST, stdin=PUSHER[1])
        yield made
    finally:
        if store is not None:
            store.kill()
            store.wait(10)
        made.stop()


def layer(machine: World, name: str, size: int) -> bytes:
    """Write a file and return its content."""
    content = os.urandom(size)
    (machine.directory / name).write_bytes(content)
    return content


def pulled(machine: World, image: str, name: str) -> bytes:
    """Pull an artifact and return its file."""
    machine.must("oras", "pull", "-o", machine.directory / "back", f"{HOST}/{image}")
    return (machine.directory / "back" / name).read_bytes()


def test_push_and_pull(machine: World) -> None:
    """M32: a layer of several parts comes back; nothing of it lies in the cloud directory."""
    content = layer(machine, "large", 30 * MIB + 7)
    machine.must("oras", "push", f"{HOST}/team/web:v1", "large:application/octet-stream")
    assert pulled(machine, "team/web:v1", "large") == content
    assert not (machine.state / "blobs").exists()
    assert "<Key>blobs/" in machine.must("curl", "-s", f"{S3}/lab?list-type=2")


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


def test_elsewhere(machine: World) -> None:
    """M32: once layers lie in a bucket, the cloud is not served without them."""
    listen = ("--listen", f"{ADDRESS}:8443", "--listen", "127.0.0.1:8443")
    refused = machine(AZTRUST, "serve", "--state", machine.state, *listen, "--blobs", "s3://lab/x")
    assert (refused.code, "lie at s3://lab/blobs, not at s3://lab/x" in refused.err) == (1, True), refused
