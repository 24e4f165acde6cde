"""The wire of the embedded cloud: bodies pass piece by piece."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import requests

from azext_trust.cloud.embedded import EmbeddedAdapter
from tests.conftest import BUILDER

PIECE = bytes(range(256)) * 4096
COUNT = 64
HOST = "https://myregistry.azurecr.io"


def pieces() -> Iterator[bytes]:
    """Yield 64 MiB."""
    for _ in range(COUNT):
        yield PIECE


def test_a_large_blob_passes_with_flat_memory(founded: Path, tmp_path: Path) -> None:
    """M28: an upload from a generator and a download in pieces hold a few pieces at a time."""
    import shutil

    shutil.copytree(founded, tmp_path / "cloud")
    session = requests.Session()
    session.mount("https://", EmbeddedAdapter(tmp_path / "cloud"))
    query = {"service": "x", "scope": "repository:big:pull,push"}
    token = session.get(f"{HOST}/oauth2/token", params=query, auth=(BUILDER, "Builder-secret-1")).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    digest = hashlib.sha256()
    for piece in pieces():
        digest.update(piece)
    location = session.post(f"{HOST}/v2/big/blobs/uploads/").headers["Location"]
    tracemalloc.start()
    name = f"sha256:{digest.hexdigest()}"
    assert session.put(HOST + location, params={"digest": name}, data=pieces()).status_code == 201
    with session.get(f"{HOST}/v2/big/blobs/{name}", stream=True) as answer:
        received = sum(len(piece) for piece in answer.iter_content(1 << 20))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    session.close()
    assert received == COUNT * len(PIECE)
    assert most < 16 * 1024 * 1024
