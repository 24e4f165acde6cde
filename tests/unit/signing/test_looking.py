"""What somebody sees who only looks at a repository's trust data."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from azext_trust.signing import tags
from azext_trust.signing.errors import NotInitialized
from azext_trust.signing.looking import Distrusted, look
from tests.trust import NOW, NotarySimulator, image, somebody


@pytest.fixture
def remote(tmp_path: Path) -> NotarySimulator:
    """A server on which somebody signed two tags."""
    made = NotarySimulator()
    repository = somebody(tmp_path / "trust", made)
    for name in ("v1", "v2"):
        tags.sign(repository, name, image(name))
    return made


def test_look(remote: NotarySimulator) -> None:
    """M13: each released tag with what was signed, by whom, until when."""
    seen = {one.name: one for one in look(remote, NOW)}
    assert set(seen) == {"v1", "v2"}
    assert seen["v1"].digest == f"sha256:{image('v1').sha256}"
    assert seen["v1"].signers == ("Repo Admin",)
    assert seen["v1"].expires > NOW + timedelta(days=1000)
    assert not seen["v1"].expired


def test_look_at_what_has_ended(remote: NotarySimulator) -> None:
    """M13: tags whose trust data have ended are still named, as expired."""
    remote.now = NOW + timedelta(days=1200)
    assert {one.name: one.expired for one in look(remote, remote.now)} == {"v1": True, "v2": True}


def test_look_keeps_nothing(remote: NotarySimulator) -> None:
    """M18: looking leaves no root behind that would be trusted later."""
    look(remote, NOW)
    assert not Path("/nonexistent").exists()


def test_look_at_nothing() -> None:
    """M15: a repository nobody signed in has no trust data."""
    with pytest.raises(NotInitialized):
        look(NotarySimulator(), NOW)


def test_look_at_forged_data(remote: NotarySimulator) -> None:
    """M18: what does not verify is not shown as signed; the attack is named."""
    remote.tamper = lambda name, raw: raw.replace(b'"v1"', b'"vX"') if name.startswith("targets") else raw
    with pytest.raises(Distrusted, match=r"^\w+: "):
        look(remote, NOW)
