"""Command lines run in the test's own process, on a cloud of its own."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from azext_trust.cli.main import run


@dataclass
class Command:
    """Runs command lines in this process, on a cloud of the test's own.

    Attributes:
        state: the cloud directory.
    """

    state: Path
    capture: pytest.CaptureFixture[str]
    log: pytest.LogCaptureFixture

    def run(self, line: str) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr; what the command line logs goes there too."""
        self.log.clear()
        try:
            code = run(line.split())
        except SystemExit as end:
            code = int(str(end.code))
        said = self.capture.readouterr()
        # The handler of an earlier command may still write to that one's stderr.
        logged = [f"{text}\n" for record in self.log.records if (text := record.getMessage()) not in said.err]
        return code, said.out, "".join(logged) + said.err

    def value(self, line: str) -> Any:
        """Return the result of a command that succeeds and says nothing else."""
        code, out, err = self.run(line)
        assert (code, err) == (0, "")
        return json.loads(out)

    def refused(self, line: str, code: int = 1) -> str:
        """Return the error of a command that fails with nothing on stdout."""
        found, out, err = self.run(line)
        assert (found, out) == (code, ""), err
        return err


@pytest.fixture
def command(
    founded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Command:
    """Give a runner of commands on a founded cloud."""
    shutil.copytree(founded, tmp_path / "cloud")
    monkeypatch.setenv("AZTRUST_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("AZTRUST_STATE", str(tmp_path / "cloud"))
    caplog.set_level(logging.WARNING)
    return Command(tmp_path / "cloud", capsys, caplog)
