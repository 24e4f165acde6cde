"""How clients find login servers: hosts entries, our own name server, and the printed recipes, on a private machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.wire.programs import AZTRUST
from tests.wire.registry_world import ADDRESS, HOST, PUSHER, World, bare, wait_for


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine that knows no login server by name, and a docker engine; the cloud answers DNS."""
    made = bare(tmp_path_factory.mktemp("names"))
    made.env |= {"AZTRUST_CONFIG_DIR": str(made.directory / "own")}
    ready = made.directory / "ready"
    made.must(
        "bash",
        "-c",
        "echo nameserver 192.0.2.1 >/etc/resolv.conf; echo 'options timeout:1 attempts:1' >>/etc/resolv.conf",
    )
    made.server = made.start(
        "serve.log", AZTRUST, "serve", "--state", made.state, "--seed", made.seed, "--ready-file", ready,
        "--listen", f"{ADDRESS}:443", "--listen", "127.0.0.1:443", "--dns", "53",
    )  # fmt: skip
    try:
        wait_for(ready.exists, made.directory / "serve.log")
        made.start_engine()
        yield made
    finally:
        made.stop()


def snapshot(machine: World) -> str:
    """Return all that names and trust depend on."""
    return machine.must("bash", "-c", "cat /etc/hosts; find /etc/docker $DOCKER_CONFIG -type f -path '*ca.crt' | sort")


def test_hosts_entries(machine: World) -> None:
    """M29: without them docker finds nothing; with them it logs in; afterwards all is as it was."""
    before = snapshot(machine)
    assert machine.docker_login(*PUSHER).code == 1
    shown = machine.must(AZTRUST, "hosts", "show", "--state", machine.state, "--address", ADDRESS)
    assert f"{ADDRESS} {HOST}" in shown
    assert f"/etc/docker/certs.d/{HOST}/ca.crt" in shown
    assert snapshot(machine) == before
    machine.must(AZTRUST, "hosts", "add", "--state", machine.state, "--address", ADDRESS)
    # Programs in Go read the hosts file again after five seconds.
    wait_for(lambda: machine.docker_login(*PUSHER).code == 0, machine.directory / "docker.log")
    assert machine.must("getent", "hosts", HOST).split()[0] == ADDRESS
    machine.must(AZTRUST, "hosts", "remove")
    assert snapshot(machine) == before
    assert machine("getent", "hosts", HOST).code != 0


def test_name_server(machine: World) -> None:
    """M29: with the cloud as name server every login server resolves, and nothing else does."""
    kept = machine.must("cat", "/etc/resolv.conf")
    try:
        machine.must("bash", "-c", f"echo nameserver {ADDRESS} >/etc/resolv.conf")
        for name in (HOST, "any-other.azurecr.io"):
            assert machine.must("getent", "ahostsv4", name).split()[0] == ADDRESS
        assert machine("getent", "hosts", "azure.com").code != 0
        answer = machine.must(
            "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", machine.ca, f"https://{HOST}/v2/"
        )
        assert answer == "401"
    finally:
        machine.must("bash", "-c", "cat >/etc/resolv.conf", stdin=kept)


def test_printed_setup(machine: World) -> None:
    """M29: the recipe names the authority, what docker needs, and how it is undone."""
    told = machine.must(AZTRUST, "serve", "--print-setup", "--state", machine.state)
    assert f"REQUESTS_CA_BUNDLE={machine.ca}" in told
    assert f"aztrust hosts show --state {machine.state}" in told
    subprocess.run(["bash", "-n"], input=told, text=True, check=True)


def test_a_port_that_is_taken(machine: World) -> None:
    """M29: a name server's port that is taken is told, and nothing is served."""
    refused = machine(
        AZTRUST, "serve", "--state", machine.directory / "second", "--listen", f"{ADDRESS}:8443", "--dns", "53"
    )
    assert (refused.code, f"cannot listen on {ADDRESS}:53" in refused.err) == (1, True), refused
    wrong = machine(AZTRUST, "serve", "--dns", "70000")
    assert (wrong.code, "--dns: 70000 is no port" in wrong.err) == (1, True)
