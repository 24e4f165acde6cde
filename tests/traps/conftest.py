"""The cloud of traps, one for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from tests.conftest import Client
from tests.traps import sources
from tests.traps.served import fill


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Give a served tenant of traps."""
    directory = tmp_path_factory.mktemp("traps")
    (directory / "seed.yaml").write_text(sources.SEED)
    app = create_app(Settings(state=directory / "cloud", seed=directory / "seed.yaml", quiet=True))
    client = Client(app)
    fill(client, app.store.vault.operator_key())
    yield client
    app.store.close()
