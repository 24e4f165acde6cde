"""A configuration directory of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def config_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep profiles, accounts and tokens away from the user's."""
    directory = tmp_path / "own"
    monkeypatch.setenv("AZTRUST_CONFIG_DIR", str(directory))
    monkeypatch.delenv("AZTRUST_STATE", raising=False)
    monkeypatch.delenv("AZTRUST_CLOUD", raising=False)
    return directory
