"""docs/tutorial.md, run as printed in a machine of its own with docker 20.10; what it shows is what is seen (M1 to M21)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from tests.wire.console import Shell, matches, steps
from tests.wire.registry_world import World, bare

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
HEADINGS = Path(__file__).with_name("article_headings.txt").read_text(encoding="utf-8").splitlines()
"""The French article's headings, in its order."""
ANSWERS = {r"[Pp]assphrase for .*: ": "correct-horse-1", r"\(y/n\): ": "y"}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[World]:
    """Give a private machine with a docker engine and nothing else."""
    made = bare(tmp_path)
    try:
        made.start_engine()
        # The engine has just read /etc/hosts and believes it for five seconds (Go's net package).
        sleep(5)
        yield made
    finally:
        made.stop()


def test_matching() -> None:
    """Dots stand for any text, and alone on a line for any lines; everything else has to be there."""
    assert matches("a...c\n...\nend", "abc\n1\n2\nend\n")
    assert matches("...", "")
    assert not matches("a...c", "ab")
    assert not matches("a", "a\nb")


def test_every_heading_in_order() -> None:
    """M14: the page goes through the article from beginning to end."""
    text = PAGE.read_text(encoding="utf-8")
    places = [text.index(heading) for heading in HEADINGS]
    assert places == sorted(places)


def test_as_printed(machine: World) -> None:
    """M1 to M21: every command does what the page says, in one shell, one after the other."""
    work = machine.directory / "desk"
    work.mkdir()
    kept = {name: machine.env[name] for name in ("LANG", "DOCKER_HOST")}
    aztrust = machine.env["PATH"].split(":")[0]
    env = {**kept, "HOME": str(machine.directory / "home"), "PATH": f"{aztrust}:/usr/sbin:/usr/bin:/sbin:/bin"}
    Path(env["HOME"]).mkdir()
    inside = ["nsenter", "-t", str(machine.holder.pid), "-m", "-n", "--", "env", "-C", str(work)]
    shell = Shell([*inside, "bash", "--norc", "-i"], {**env, "USER": os.environ.get("USER", "root")}, ANSWERS)
    try:
        for step in steps(PAGE):
            code, said = shell.run(step.command)
            assert matches(step.expected, said), (
                f"line {step.line}: $ {step.command}\n{said}\nnot as the page says:\n{step.expected}"
            )
            assert bool(code) is step.fails, f"line {step.line}: $ {step.command}: exit {code}\n{said}"
    finally:
        shell.close()
