"""``aztrust local`` and ``aztrust cloud init`` on a cloud directory (M5, M25)."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import SEED
from tests.unit.cli.conftest import Command


def test_the_retirement_switch(command: Command) -> None:
    """M5: shown, set, shown; no sign-in is needed."""
    assert command.value("local retirement show") == {"position": "off"}
    assert command.value("local retirement set --position 2028") == {"position": "2028"}
    assert command.value("local retirement show") == {"position": "2028"}


def test_a_position_that_is_none(command: Command) -> None:
    """M5: refused as az refuses a choice, with the choices."""
    assert "off, 2026, 2028" in command.refused("local retirement set -p 2027", 2)


def test_the_clock(command: Command) -> None:
    """Set still, moved on, ahead, and back to the machine's."""
    assert command.value("local clock set --time 2028-03-31T00:00:00Z")["now"] == "2028-03-31T00:00:00.0000000Z"
    assert command.value("local clock advance --seconds 90")["now"] == "2028-03-31T00:01:30.0000000Z"
    assert command.value("local clock advance -s -30")["now"] == "2028-03-31T00:01:00.0000000Z"
    assert command.value("local clock show")["frozenAt"] == "2028-03-31T00:01:00.0000000Z"
    assert command.value("local clock reset")["frozenAt"] is None
    assert command.value("local clock set --offset -3600")["offsetSeconds"] == -3600


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("set", "usage error: --time TIME | --offset SECONDS"),
        ("set --time 2028-01-01 --offset 5", "usage error: --time TIME | --offset SECONDS"),
        ("set --time soon", "The clock cannot be set so"),
        ("set --time=", "The clock cannot be set so"),
        ("set --offset much", "'much' is no number of seconds"),
        ("set --offset nan", "'nan' is no number of seconds"),
        ("advance --seconds inf", "'inf' is no number of seconds"),
        ("advance --seconds 1e12", "The clock"),
    ],
)
def test_a_time_that_is_none(command: Command, words: str, told: str) -> None:
    """One line, exit code 1."""
    assert told in command.refused(f"local clock {words}")


def test_the_log_is_listed(command: Command) -> None:
    """M25: oldest first, all or the newest, or those with an outcome."""
    command.value("local retirement set -p 2026")
    rows = command.value("local log list")
    assert [row["operation"] for row in rows] == ["aztrust/seed/apply", "aztrust/retirement/write"]
    assert [row["sequence"] for row in command.value("local log list --last 1")] == [2]
    assert command.value("local log list --outcome Denied") == []
    assert len(command.value("local log list --outcome allowed --last 1")) == 1


def test_the_log_verifies(command: Command) -> None:
    """M25: how many entries, and the head to note; noted, it is found again."""
    found = command.value("local log verify")
    assert (found["entries"], found["valid"]) == (1, True)
    command.value("local retirement set -p 2026")
    assert command.value(f"local log verify --head {found['head']}")["entries"] == 2


def test_a_log_that_was_tampered_with(command: Command) -> None:
    """M25: exit code 1 and what is wrong."""
    with closing(sqlite3.connect(command.state / "state.db")) as connection, connection:
        connection.execute("UPDATE activity SET outcome = 'Denied'")
    assert "tampered with: Entry 1 was changed" in command.refused("local log verify")


def test_a_head_that_is_not_in_the_log(command: Command) -> None:
    """M25: cut off or not, it is not the log it was noted from."""
    assert "noted earlier is not part of this log" in command.refused(f"local log verify --head {'1' * 64}")
    assert "64 hexadecimal digits" in command.refused("local log verify --head mine")


def test_cloud_init_founds_from_a_seed(command: Command, tmp_path: Path) -> None:
    """With what was made up on stderr; the same again changes and says nothing."""
    (tmp_path / "seed.yaml").write_text("users: [{name: a@contoso.com}]")
    line = f"cloud init --seed {tmp_path}/seed.yaml --state {tmp_path}/new"
    code, out, err = command.run(line)
    assert (code, json.loads(out)["state"]) == (0, f"{tmp_path}/new")
    assert err.splitlines()[0] == f"Founded a new local cloud in {tmp_path}/new."
    assert err.splitlines()[1].startswith("Password of a@contoso.com (shown this once): ")
    assert command.value(line)["revision"] == json.loads(out)["revision"]


def test_cloud_init_names_what_differs(command: Command, tmp_path: Path) -> None:
    """On stderr, line by line; nothing is changed."""
    before = command.value("cloud init")["revision"]
    (tmp_path / "seed.yaml").write_text(
        "tenant: {domain: fabrikam.com}\nresourceGroups: [{name: lab, location: eastus}]"
    )
    code, out, err = command.run(f"cloud init --seed {tmp_path}/seed.yaml")
    assert (code, json.loads(out)["revision"]) == (0, before)
    assert err.splitlines() == [
        "Left as it is: the tenant's domain is 'contoso.com', the seed says 'fabrikam.com'.",
        "Left as it is: the location of resource group lab is 'westeurope', the seed says 'eastus'.",
    ]


def test_cloud_init_without_a_seed_leaves_a_cloud_alone(command: Command) -> None:
    """The default seed founds; it adds nothing to a cloud that has other people."""
    before = sorted(command.state.joinpath("state.db").read_bytes())
    assert command.value("cloud init")["domain"] == "contoso.com"
    assert sorted(command.state.joinpath("state.db").read_bytes()) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [("users:\n- {name: a@b.c, pasword: x}", ", line 2: users.0.pasword: unknown key"), ("{", "no valid YAML"),
     (SEED.replace("role: Owner", "role: Emperor"), "There is no role 'Emperor'")],
)  # fmt: skip
@pytest.mark.parametrize("where", ["cloud", "new"])
def test_a_wrong_seed(command: Command, tmp_path: Path, where: str, text: str, told: str) -> None:
    """One line with file and place, exit code 1; an empty state stays empty."""
    (tmp_path / "seed.yaml").write_text(text)
    err = command.refused(f"cloud init --seed {tmp_path}/seed.yaml --state {tmp_path}/{where}")
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_seed_that_cannot_be_read(command: Command, tmp_path: Path) -> None:
    """The file is named."""
    assert f"The seed file {tmp_path}/none.yaml cannot be read" in command.refused(
        f"cloud init --seed {tmp_path}/none.yaml"
    )


def test_the_world_as_a_seed_file(command: Command, tmp_path: Path) -> None:
    """Printed, or written as YAML from which another cloud is founded."""
    world = command.value("local dump")
    assert [row["name"] for row in world["registries"]] == ["basicregistry", "myregistry"]
    file = tmp_path / "world.yaml"
    assert command.run(f"local dump --file {file}") == (0, "", "")
    command.run(f"cloud init --seed {file} --state {tmp_path}/copy")
    assert command.value(f"local dump --state {tmp_path}/copy") == world
    assert "cannot be written" in command.refused(f"local dump -f {tmp_path}/none/world.yaml")


def test_options(command: Command) -> None:
    """Listed, changed, and refused when there is no such one."""
    assert command.value("local option list")["requestsPerMinute"] == 0
    changed = command.value("local option set --settings requestsPerMinute=60 usersCreateGroups=false")
    assert (changed["requestsPerMinute"], changed["usersCreateGroups"]) == (60, False)
    assert "There is no option 'other'" in command.refused("local option set --settings other=1")
    assert "is no value of" in command.refused("local option set --settings requestsPerMinute=many")


def test_layers_are_collected(command: Command) -> None:
    """M25: what went is counted; a time that a running push would not survive is refused."""
    assert command.value("local gc --older-than 60")["blobs"] == 0
    assert "at least 60 seconds" in command.refused("local gc --older-than 59")
    assert command.value("local log list --last 1")[0]["operation"] == "aztrust/blobs/collect"
