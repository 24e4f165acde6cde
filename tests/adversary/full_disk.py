"""What happens on a full disk: ``python -m tests.adversary.full_disk SCENARIO DIRECTORY FOUNDED``.

DIRECTORY lies on a small file system that is mounted for this program alone (see test_full_disk.py), so all that is to
be looked at is looked at here. FOUNDED is a small founded cloud elsewhere. A failure ends the program with a traceback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from azext_trust.server.store import migrate
from azext_trust.server.store.verification import verify
from tests.adversary import trust_data
from tests.adversary.conftest import REGISTRY
from tests.adversary.purger import BODY
from tests.conftest import Client
from tests.contract.conftest import Place
from tests.contract.test_migrations import OLDER, content_of, make_older, revision_of
from tests.tokens import token_of

SET = ("local", "retirement", "set", "-p", "2026")


def _fill(disk: Path, leave: int = 0) -> None:
    """Fill the file system up to `leave` bytes."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    size = (disk / "filler").stat().st_size
    os.truncate(disk / "filler", max(0, size - leave))


def _free(disk: Path) -> None:
    (disk / "filler").unlink()


def _run(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "azext_trust", *words, "--state", str(state)]
    return subprocess.run(command, text=True, capture_output=True, timeout=60)


def _refused(state: Path, *words: str) -> None:
    done = _run(state, *words)
    assert (done.returncode, done.stdout) == (1, ""), done
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ERROR: "), lines
    assert "is full" in lines[0], lines
    assert "Free some space and try again" in lines[0], lines


def founding(disk: Path, _: Path) -> None:
    """Nothing is founded and nothing half-made stays; with room, it works."""
    for leave in (0, 65536, 200_000):
        _fill(disk, leave)
        _refused(disk / "cloud", "cloud", "init")
        assert not (disk / "cloud" / "state.db").exists()
        _free(disk)
    done = _run(disk / "cloud", "cloud", "init")
    assert (done.returncode, "Password of owner@contoso.com" in done.stderr) == (0, True), done


def writing(disk: Path, founded: Path) -> None:
    """A write is answered with 507 and changes nothing, reading goes on, and with room all works again."""
    shutil.copytree(founded, disk / "cloud")
    app = create_app(Settings(state=disk / "cloud", quiet=True))
    client, target = Client(app), REGISTRY.format("myregistry")
    token = token_of(client)
    before = client.call("GET", target, token=token).body
    _fill(disk)
    refused = [client.call("PATCH", target, {"tags": {"big": "x" * 100_000}}, token) for _ in range(3)]
    assert [reply.status for reply in refused] == [507] * 3, refused
    error = client.json(refused[0])["error"]
    assert (error["code"], "Free some space" in error["message"]) == ("InsufficientStorage", True), error
    assert client.call("GET", target, token=token).body == before
    signed_in = client.token_request(grant_type="password", username="owner@contoso.com", password="Owner-pass-1")
    assert (signed_in.status, client.json(signed_in)["error_codes"]) == (507, [90033]), signed_in
    _free(disk)
    assert client.call("PATCH", target, {"tags": {"big": "x" * 100_000}}, token).status == 200
    assert verify(app.store).problem == ""
    app.store.close()


def command(disk: Path, founded: Path) -> None:
    """A command that writes is refused in one line; with room it works."""
    shutil.copytree(founded, disk / "cloud")
    _fill(disk)
    _refused(disk / "cloud", *SET)
    _free(disk)
    assert _run(disk / "cloud", *SET).returncode == 0


def upgrading(disk: Path, _: Path) -> None:
    """An upgrade that finds no room for the backup, or for itself, leaves the older database as it was."""
    place = Place(disk / "cloud", None)
    make_older(place, OLDER[0])
    before = content_of(place)
    size = (disk / "cloud" / "state.db").stat().st_size
    for leave in (0, size // 2, size + 16384):
        _fill(disk, leave)
        _refused(disk / "cloud", *SET)
        _free(disk)
        assert (revision_of(place), content_of(place)) == (OLDER[0], before)
        assert list((disk / "cloud").glob("*.part")) == []
    place.open().close()
    assert revision_of(place) == migrate.HEAD


def erasing(disk: Path, founded: Path) -> None:
    """An erasure whose bytes cannot be wiped says so (503); asked again with room, it ends; or it never began."""
    shutil.copytree(founded, disk / "cloud")
    trust_data.fill(disk / "cloud", {"myregistry": (30, 30), "basicregistry": (60, 30)})
    app = create_app(Settings(state=disk / "cloud", quiet=True))
    client, target = Client(app), REGISTRY.format("myregistry")
    token, seen = token_of(client), set()
    everything = trust_data.counts(disk / "cloud", "myregistry")
    for leave in range(0, 4_000_000, 150_000):
        _fill(disk, leave)
        status = client.call("PATCH", target, BODY, token).status
        seen.add(status)
        _free(disk)
        left = trust_data.counts(disk / "cloud", "myregistry")
        assert left == everything if status == 507 else set(left.values()) == {0}, (status, left)
        if status == 200:
            break
    assert seen == {507, 503, 200}, seen
    assert trust_data.marks(disk / "cloud", "myregistry") == {}
    app.store.close()


if __name__ == "__main__":
    scenario, directory, founded_at = sys.argv[1:]
    globals()[scenario](Path(directory), Path(founded_at))
