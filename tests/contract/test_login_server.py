"""A login server keeps its promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from azext_trust.server.store import collection, imports
from tests.conftest import SEED, Client
from tests.unit.server.registry.conftest import REGISTRY, Login, digest_of
from tests.unit.server.registry.importing import begin, ended, tags_of

SERVER = os.environ.get("AZTRUST_TEST_POSTGRES")
KINDS = ["sqlite", *(["postgresql"] if SERVER else [])]
BIG = bytes(range(256)) * 200


def fresh_database() -> str:
    """Make an empty database beside the one that other tests use, and return its address."""
    engine = create_engine(str(SERVER), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS login_server WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE login_server"))
    engine.dispose()
    return make_url(str(SERVER)).set(database="login_server").render_as_string(hide_password=False)


@pytest.fixture(params=KINDS)
def login(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Login]:
    """Give a login server of a cloud founded on each database."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED)
    url = fresh_database() if request.param == "postgresql" else None
    app = create_app(Settings(state=tmp_path / "cloud", seed=seed, quiet=True, database=url))
    yield Login(Client(app))
    app.store.close()


def test_push_pull_lock_delete_and_sweep(login: Login) -> None:
    """M32: the whole life of an image, on each database."""
    token, owner = login.token("repository:team/web:pull,push"), login.owner("team/web")
    digest = login.image(token, "team/web", "v1", BIG)
    login.image(token, "team/web", "v2", b"small")
    assert login.call("GET", "/v2/team/web/manifests/v1", token).headers["docker-content-digest"] == digest
    assert login.call("GET", f"/v2/team/web/blobs/{digest_of(BIG)}", token).body == BIG
    assert login.call("GET", f"/v2/team/web/blobs/{digest_of(b'small')}", token).body == b"small"
    assert login.call("GET", "/acr/v1/team/web/_tags?orderby=timedesc&n=1", owner).json["tags"][0]["name"] == "v2"
    assert login.call("PATCH", "/acr/v1/team/web/_tags/v1", owner, b'{"deleteEnabled": false}').status == 200
    assert login.call("DELETE", f"/v2/team/web/manifests/{digest}", owner).status == 405
    assert login.call("PATCH", "/acr/v1/team/web/_tags/v1", owner, b'{"deleteEnabled": true}').status == 200
    assert login.call("DELETE", "/acr/v1/team/web", owner).status == 202
    with login.cloud.app.store.write() as transaction:
        transaction.session.execute(text("UPDATE blob_link SET touched = 1"))
        transaction.session.execute(text("UPDATE blob SET created = 1"))
    swept = collection.sweep(login.cloud.app.store, 0, 0)
    assert (swept.links, swept.blobs) == (3, 3)
    assert list(login.cloud.app.store.contents.locations()) == []


def test_import_and_taking_one_up(login: Login) -> None:
    """M32: an image is imported, and an import that its worker has left is taken up once, on each database."""
    login.image(login.token("repository:team/web:pull,push"), "team/web", "v1", BIG)
    body = {"source": {"resourceId": REGISTRY, "sourceImage": "team/web:v1"}, "targetTags": ["copy:v1"]}
    assert ended(login, begin(login, body)).status == 200
    assert tags_of(login, "copy") == ["v1"]
    store = login.cloud.app.store
    with store.write(moves="") as transaction:
        transaction.session.execute(text("UPDATE import_operation SET state = 'Running', beat = 0"))
    assert store.together.run(lambda connection: imports.claim(connection, "one")).startswith("registries-")
    assert store.together.run(lambda connection: imports.claim(connection, "two")) == ""
