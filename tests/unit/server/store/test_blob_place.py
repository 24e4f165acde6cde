"""Where layers lie is decided once, and remembered by the state."""

from __future__ import annotations

from pathlib import Path

import pytest

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from azext_trust.server.store.errors import StateError
from azext_trust.server.store.transaction import Store
from tests.conftest import SEED, Client
from tests.unit.server.registry.conftest import Login

BIG = bytes(range(256)) * 200


def push(state: Path, blobs: str | None) -> None:
    """Found a cloud and push an image to it."""
    seed = state.with_name("seed.yaml")
    seed.write_text(SEED)
    app = create_app(Settings(state=state, seed=seed, quiet=True, blobs=blobs))
    login = Login(Client(app))
    login.image(login.token("repository:team/web:pull,push"), "team/web", "v1", BIG)
    app.store.close()


def test_another_directory(tmp_path: Path) -> None:
    """M32: layers lie where they are told to, and whoever opens the state later looks there."""
    push(tmp_path / "cloud", f"file://{tmp_path}/a%20disk")
    assert len([one for one in (tmp_path / "a disk").rglob("*.*") if one.is_file()]) == 1
    assert not (tmp_path / "cloud" / "blobs").exists()
    store = Store(tmp_path / "cloud")
    assert len(list(store.contents.locations())) == 1
    store.close()


@pytest.mark.parametrize("first", [None, "there"])
def test_moving_is_refused(tmp_path: Path, first: str | None) -> None:
    """M32: a cloud that has layers is not opened on another, empty place; the error names the one it has."""
    push(tmp_path / "cloud", f"file://{tmp_path}/{first}" if first else None)
    with pytest.raises(StateError, match=f"lie at .*{first or 'blobs'}, not at"):
        Store(tmp_path / "cloud", blobs=f"file://{tmp_path}/elsewhere")


@pytest.mark.parametrize("url", ["s3:bucket", "ftp://host/x", "s3://", "file://relative", "/plain"])
def test_no_address(tmp_path: Path, url: str) -> None:
    """M32: what is no address is refused, and the kinds are named."""
    with pytest.raises(StateError, match="expected file:///DIRECTORY, s3://BUCKET/PREFIX"):
        Store(tmp_path / "cloud", blobs=url)
