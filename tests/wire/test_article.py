"""The article's commands, word for word, through the unmodified az and through ``alias az=aztrust``."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.sockets import free_port
from tests.wire.programs import PASSWORDS, SEED, Program, Served, az, aztrust

SCRIPT = Path(__file__).with_name("article.sh")
POLICIES = 'policies={"trustPolicy":{"status":"enabled","type":"Notary"}}'
POLICY = f"az acr update -n $REGISTRY --set '{POLICIES}'"
ENABLE = "az acr config content-trust update --registry $REGISTRY --status enabled"


def run(program: Program, enable: str) -> str:
    """Run the article's script and return what it printed on stdout."""
    env = {**program.env, "AZ": program.path, "ENABLE": enable}
    done = subprocess.run(
        ["bash", SCRIPT], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_article(tmp_path: Path, serve: Callable[..., Served]) -> None:
    """M1 to M8, M28, M29: az on the served cloud and aztrust on its embedded one leave the same state."""
    served = serve("served")
    real = az(tmp_path / "az", served)
    real.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
    assert run(real, POLICY).splitlines()[-1] == "disabled"

    own = aztrust(tmp_path / "own", tmp_path / "embedded")
    own.must("cloud", "init", "--seed", str(SEED))
    own.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
    assert run(own, ENABLE).splitlines()[-1] == "disabled"

    embedded = serve("embedded", "--listen", f"127.0.0.1:{free_port()}")
    left = served.operator("dump")
    assert left == embedded.operator("dump")
    granted = [row["assignee"] for row in left["assignments"] if row["role"] == "AcrImageSigner"]
    assert sorted(granted) == ["azureuser@contoso.com", "builder"]


def test_az_refuses_the_enabling_command(tmp_path: Path, cloud: Served) -> None:
    """M2: az itself refuses what the article says, and the cloud hears nothing of it."""
    program = az(tmp_path, cloud)
    program.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
    done = program("acr", "config", "content-trust", "update", "-r", "guardedregistry", "--status", "enabled")
    assert done.code == 2
