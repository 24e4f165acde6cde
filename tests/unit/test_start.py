"""What the program loads, and how soon it says its help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import azext_trust

HELP = Path(azext_trust.__file__).with_name("help.txt")


def loaded(*arguments: str) -> set[str]:
    """Run a command line in a process of its own and return the modules it loaded."""
    code = (
        "import sys\nfrom azext_trust.__main__ import main\nsys.argv = ['aztrust', *sys.argv[1:]]\n"
        "try:\n main()\nexcept SystemExit:\n pass\nprint('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES ")[2].split())


def test_help_is_current() -> None:
    """M28: the kept help text is what knack prints."""
    code = "import sys\nfrom azext_trust.cli.main import run\nrun(['--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == HELP.read_text(encoding="utf-8")


def test_help_loads_nothing() -> None:
    """M28: the program's help needs neither knack nor rows."""
    assert not loaded("--help") & {"knack", "requests", "sqlmodel", "azext_trust.cli"}


@pytest.mark.parametrize("arguments", [("acr", "--help"), ("role", "assignment", "create", "--help"), ("version",)])
def test_group_help_speaks_to_no_cloud(arguments: tuple[str, ...]) -> None:
    """M28: help of a group loads knack and rows only."""
    assert not loaded(*arguments) & {"requests", "msal", "sqlmodel", "sqlalchemy", "azext_trust.server"}
