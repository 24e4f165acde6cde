"""A full disk loses nothing, and is told in one line or one answer (issue: bad input)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A file system of its own in a mount namespace of its own; somebody who is not root needs a user namespace as well.
_ALONE = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--mount", "--map-root-user"]
_MOUNT = 'mount -t tmpfs -o size="$1",mode=700 tmpfs "$2" && shift 2 && exec "$@"'


@pytest.mark.parametrize("scenario", ["founding", "writing", "command", "upgrading", "erasing"])
def test_a_full_disk(scenario: str, founded: Path, tmp_path: Path) -> None:
    """At founding, at a write (served and typed), at an upgrade, at an erasure: see the scenario."""
    (tmp_path / "disk").mkdir()
    size = "12M" if scenario == "erasing" else "3M"
    program = [sys.executable, "-m", "tests.adversary.full_disk", scenario, str(tmp_path / "disk"), str(founded)]
    environment = {**os.environ, "AZTRUST_CONFIG_DIR": str(tmp_path / "config")}
    done = subprocess.run([*_ALONE, "sh", "-c", _MOUNT, "sh", size, str(tmp_path / "disk"), *program], text=True,
                          capture_output=True, env=environment, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
