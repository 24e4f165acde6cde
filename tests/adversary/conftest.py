"""A founded cloud whose registry holds 100,000 signed tags, and copies of it to destroy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from tests.adversary import trust_data
from tests.conftest import SEED, SUBSCRIPTION, Client

REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/{{}}"
    "?api-version=2023-07-01"
)


@dataclass(frozen=True)
class Busy:
    """A cloud with trust data: ``myregistry`` is to lose it, ``other`` is to keep it.

    Attributes:
        directory: the cloud directory; tests work on copies.
        token: an access token of its owner.
    """

    directory: Path
    token: str


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Busy:
    """Found a cloud with 100,000 signed tags in 1,000 repositories, beside another registry's 3,000."""
    directory = tmp_path_factory.mktemp("busy")
    seed = directory / "seed.yaml"
    seed.write_text(SEED.replace("name: basicregistry", "name: other").replace("sku: Basic", "sku: Premium"))
    app = create_app(Settings(state=directory / "cloud", seed=seed, quiet=True))
    token = Client(app).sign_in("owner@contoso.com", "Owner-pass-1")
    app.store.close()
    trust_data.fill(directory / "cloud", {"myregistry": (1000, 100), "other": (100, 30)})
    return Busy(directory / "cloud", token)


@pytest.fixture
def copied(busy: Busy, tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Give a function that copies the busy cloud under a name; the copies go with the test: they are large."""

    def copy(name: str) -> Path:
        shutil.copytree(busy.directory, tmp_path / name)
        return tmp_path / name

    yield copy
    for made in tmp_path.iterdir():
        shutil.rmtree(made)
