"""Hosts entries and authorities of a served cloud: written, replaced, undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from azext_trust.hosting import host_entries
from azext_trust.hosting.host_entries import EntriesError, Places, Plan

OTHERS = "127.0.0.1 localhost\n# a comment\n10.0.0.9 build\n"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Places of a machine that has other entries."""
    (tmp_path / "hosts").write_text(OTHERS)
    return Places(tmp_path / "hosts", tmp_path / "certs.d", tmp_path / "docker", tmp_path / "own" / "hosts.json")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A cloud on port 443."""
    (tmp_path / "ca.pem").write_text("AUTHORITY")
    return Plan("192.0.2.7", ("myregistry.azurecr.io",), 443, tmp_path / "ca.pem")


def test_add_writes_what_clients_read(plan: Plan, places: Places) -> None:
    """M29: the hosts file names the login server; the engine and the trust side have the authority."""
    host_entries.add(plan, places)
    assert places.hosts.read_text() == OTHERS + "# aztrust begin\n192.0.2.7 myregistry.azurecr.io\n# aztrust end\n"
    for folder in (places.engine, places.docker / "tls"):
        assert (folder / "myregistry.azurecr.io" / "ca.crt").read_text() == "AUTHORITY"


def test_port_stands_in_folder_names(plan: Plan, places: Places) -> None:
    """M29: on another port docker's folders carry it, the hosts file does not."""
    host_entries.add(Plan(plan.address, plan.names, 8443, plan.ca), places)
    assert (places.engine / "myregistry.azurecr.io:8443" / "ca.crt").exists()
    assert ":8443" not in places.hosts.read_text()


def test_remove_undoes_all(plan: Plan, places: Places) -> None:
    """M29: nothing of ours is left, and nothing of others is gone."""
    host_entries.add(plan, places)
    host_entries.remove(places)
    assert places.hosts.read_text() == OTHERS
    assert not list(places.engine.rglob("*"))
    assert not places.note.exists()


def test_add_again_replaces(plan: Plan, places: Places) -> None:
    """M29: there is one block, that of the last call."""
    host_entries.add(plan, places)
    host_entries.add(Plan("192.0.2.8", ("other.azurecr.io",), 443, plan.ca), places)
    assert places.hosts.read_text().count("# aztrust begin") == 1
    assert "192.0.2.8 other.azurecr.io" in places.hosts.read_text()
    assert not (places.engine / "myregistry.azurecr.io").exists()


def test_foreign_files_stay(plan: Plan, places: Places) -> None:
    """M29: an authority that was there before, or was changed since, is not ours to take away."""
    mine = places.engine / "myregistry.azurecr.io" / "ca.crt"
    mine.parent.mkdir(parents=True)
    mine.write_text("ANOTHER")
    host_entries.add(plan, places)
    changed = places.docker / "tls" / "myregistry.azurecr.io" / "ca.crt"
    changed.write_text("CHANGED")
    host_entries.remove(places)
    assert (mine.read_text(), changed.read_text()) == ("ANOTHER", "CHANGED")


def test_a_place_that_cannot_be_written_is_named(plan: Plan, places: Places, tmp_path: Path) -> None:
    """M29: the error names file and cure, and what was written before it can be undone."""
    (tmp_path / "certs.d").write_text("a file where a folder is needed")
    with pytest.raises(EntriesError, match="Run this as root"):
        host_entries.add(plan, places)
    host_entries.remove(places)
    assert places.hosts.read_text() == OTHERS


def test_remove_without_add(places: Places) -> None:
    """M29: undoing nothing changes nothing."""
    assert host_entries.remove(places) == []
