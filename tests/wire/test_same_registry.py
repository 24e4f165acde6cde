"""The same words about images, typed to az and to aztrust: same results, same errors, same exit codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.wire.programs import AZTRUST, Done
from tests.wire.registry_world import HOST, PUSHER, World, world
from tests.wire.test_az_registry import program
from tests.wire.test_same_as_az import difference, told

READING = """
acr repository list -n myregistry
acr repository list -n myregistry -o table
acr repository list -n myregistry --top 1
acr repository list -n nosuchregistry
acr repository list -n myregistry -u nobody -p nothing
acr repository show -n myregistry --repository seed/web
acr repository show -n myregistry --repository seed/web -o table
acr repository show -n myregistry --image seed/web:v1
acr repository show -n myregistry --image seed/web:v1 -o table
acr repository show -n myregistry --image seed/web@DIGEST
acr repository show -n myregistry --image seed/web
acr repository show -n myregistry --image seed/web:nothing
acr repository show -n myregistry --repository nothing
acr repository show -n myregistry
acr repository show -n myregistry --repository seed/web --image seed/web:v1
acr repository show-tags -n myregistry --repository seed/web
acr repository show-tags -n myregistry --repository seed/web -o table
acr repository show-tags -n myregistry --repository seed/web --detail
acr repository show-tags -n myregistry --repository seed/web --detail -o table
acr repository show-tags -n myregistry --repository seed/web --orderby time_desc --top 1
acr repository show-tags -n myregistry --repository nothing
acr repository show-manifests -n myregistry --repository seed/web
acr repository show-manifests -n myregistry --repository seed/web --detail
acr repository list-deleted -n myregistry
acr repository untag -n myregistry --image seed/web:nothing
acr repository delete -n myregistry --image nothing:v1 --yes
acr repository delete -n myregistry --repository nothing --yes
acr repository delete -n myregistry --repository seed/web
acr repository update -n myregistry --image seed/web:v1
acr repository update -n myregistry --image seed/web:nothing --write-enabled false
acr manifest list -r myregistry -n seed/web
acr manifest list-metadata -r myregistry -n seed/web
acr manifest list-metadata -r myregistry -n seed/web -o table
acr manifest list-metadata -r myregistry -n seed/web --orderby time_desc --top 1
acr manifest list-metadata myregistry.azurecr.io/seed/web
acr manifest list-metadata myregistry.azurecr.io/seed/web -r myregistry
acr manifest list-metadata -r myregistry -n nothing
acr manifest list-metadata -r myregistry
acr manifest show -r myregistry -n seed/web:v1
acr manifest show -r myregistry -n seed/web:v1 --raw
acr manifest show -r myregistry -n seed/web:nothing
acr manifest show myregistry.azurecr.io/seed/web:v1
acr manifest show-metadata -r myregistry -n seed/web:v1
acr manifest show-metadata -r myregistry -n seed/web@DIGEST
acr manifest show-metadata -r myregistry -n seed/web:nothing
acr manifest list-referrers -r myregistry -n seed/web:v1
acr manifest list-referrers -r myregistry -n seed/web:v1 -o table
acr manifest list-referrers -r myregistry -n seed/web:v1 --artifact-type application/x.note
acr manifest list-referrers -r myregistry -n seed/web:v1 --recursive
acr manifest list-deleted -r myregistry -n seed/web
acr manifest list-deleted-tags -r myregistry -n seed/web
acr manifest delete -r myregistry -n nothing:v1 --yes
acr manifest restore -r myregistry -n seed/web:v9 --yes
acr login -n myregistry --expose-token --query username
acr login -n nosuchregistry --expose-token
acr import -n myregistry --source web
acr import -n myregistry --source web:v1 -r nosuchregistry
acr import -n myregistry --source myregistry.azurecr.io/seed/web:nothing
acr import -n myregistry --source myregistry.azurecr.io/seed/web:v1
acr import -n myregistry --source myregistry.azurecr.io/SEED:v1
acr import -n nosuchregistry --source myregistry.azurecr.io/seed/web:v1
acr import -n myregistry --source seed/web:v1 -r myregistry -u only
acr scope-map list -r myregistry
acr scope-map list -r myregistry -o table
acr scope-map show -r myregistry -n _repositories_pull
acr scope-map show -r myregistry -n nothing
acr scope-map create -r myregistry -n bad --repository seed/web content/fly
acr scope-map create -r myregistry -n bad
acr scope-map update -r myregistry -n nothing --add-repository seed/web content/read
acr scope-map delete -r myregistry -n nothing --yes
acr token list -r myregistry
acr token show -r myregistry -n nothing
acr token create -r myregistry -n bad
acr token create -r myregistry -n bad --scope-map nothing
acr token delete -r myregistry -n nothing --yes
acr token credential generate -r myregistry -n nothing
""".strip().splitlines()

CHANGING = """
acr import -n myregistry --source myregistry.azurecr.io/seed/web:v1 -t NAME/web:v1 --repository NAME/plain
acr import -n myregistry --source myregistry.azurecr.io/seed/web:v1 -t NAME/web:v1
acr import -n myregistry --source seed/web:v2 -r myregistry -t NAME/web:v1 -t NAME/web:v2 --force
acr repository show-tags -n myregistry --repository NAME/web --detail
acr manifest list-metadata -r myregistry -n NAME/plain
acr repository update -n myregistry --repository NAME/web --delete-enabled false
acr repository update -n myregistry --image NAME/web:v1 --write-enabled false --list-enabled true
acr repository update -n myregistry --image NAME/web:v1 --write-enabled false -o table
acr manifest update-metadata -r myregistry -n NAME/web:v1 --write-enabled false
acr repository delete -n myregistry --image NAME/web:v1 --yes
acr repository delete -n myregistry --repository NAME/web --yes
acr repository untag -n myregistry --image NAME/web:v1
acr repository update -n myregistry --image NAME/web:v1 --write-enabled true
acr manifest update-metadata -r myregistry -n NAME/web:v1 --write-enabled true
acr repository update -n myregistry --repository NAME/web --delete-enabled true
acr repository untag -n myregistry --image NAME/web:v1
acr manifest delete -r myregistry -n NAME/web:v2 --yes
acr repository delete -n myregistry --image NAME/plain@DIGEST --yes
acr repository delete -n myregistry --repository NAME/web --yes
acr repository list -n myregistry --query length(@)
acr scope-map create -r myregistry -n mNAME --repository NAME/web content/read metadata/read --description d
acr scope-map create -r myregistry -n mNAME --repository NAME/web content/read
acr scope-map show -r myregistry -n mNAME
acr scope-map update -r myregistry -n mNAME --add-repository NAME/b content/write --remove-repository NAME/web metadata/read -o none
acr scope-map show -r myregistry -n mNAME --query length(actions)
acr scope-map show -r myregistry -n mNAME -o table
acr scope-map list -r myregistry --query length(@)
acr token create -r myregistry -n tokNAME --scope-map mNAME --query [name,status,length(credentials.passwords)]
acr token create -r myregistry -n tokNAME --scope-map mNAME --no-passwords
acr token create -r myregistry -n bareNAME --repository NAME/web content/read --no-passwords
acr token show -r myregistry -n tokNAME
acr token show -r myregistry -n tokNAME -o table
acr token credential generate -r myregistry -n tokNAME --password1 --expiration-in-days 30 --query [username,length(passwords)]
acr token credential delete -r myregistry -n tokNAME --password1
acr token update -r myregistry -n tokNAME --status disabled
acr token update -r myregistry -n tokNAME --scope-map _repositories_pull
acr scope-map delete -r myregistry -n mNAME --yes
acr token delete -r myregistry -n tokNAME --yes
acr token delete -r myregistry -n bareNAME --yes
acr scope-map list -r myregistry --query length(@)
""".strip().splitlines()


VOLATILE = (
    (r"registries-\S+", "OPERATION"),
    (r"(?<=-p )[A-Za-z0-9+/]{30,}", "PASSWORD"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", "TIME"),
    # az prints a set, in an order of its own each time.
    (r"Valid actions are {.*}", "Valid actions"),
    # Only az says that commands are young or old, only we that signatures stay behind; check-health is az's alone.
    (r"(?m)^WARNING: .*(in preview and under|been deprecated and will|Docker Content Trust are not imported).*\n?", ""),
    (r"\nTry running 'az acr check-health.*", ""),
)


class Pair:
    """The two programs on one machine, signed in as the same owner.

    Args:
        machine: where they run.
    """

    def __init__(self, machine: World) -> None:
        self.machine = machine
        self.digest = machine.must("regctl", "image", "digest", f"{HOST}/seed/web:v1").strip()

    def run(self, line: str) -> tuple[Done, Done]:
        """Type one line to both; NAME is a name of each one's own."""
        return self._one(program(), line, "theirs"), self._one(AZTRUST, line, "ours")

    def all(self, theirs: bool) -> list[Done]:
        """Type all that changes nothing to one of them."""
        return [self._one(program() if theirs else AZTRUST, line, "theirs" if theirs else "ours") for line in READING]

    def _one(self, path: str | Path, line: str, name: str) -> Done:
        words = [word.replace("NAME", name).replace("DIGEST", self.digest) for word in line.split()]
        done = told(self.machine(path, *words), name)
        err = done.err
        for pattern, text in VOLATILE:
            err = re.sub(pattern, text, err)
        return Done(done.code, done.out, err.strip())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Give both programs, and a repository with two images, one of them with a note attached."""
    made = world(tmp_path_factory.mktemp("same"))
    made.env |= {
        "AZURE_CONFIG_DIR": str(made.directory / "azure"), "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZTRUST_CONFIG_DIR": str(made.directory / "own"),
    }  # fmt: skip
    try:
        made.must(program(), "config", "set", "core.instance_discovery=false")
        for path, more in ((program(), ()), (AZTRUST, ("--ca", made.ca))):
            made.must(path, "cloud", "register", "-n", "Lab", "--endpoint-resource-manager", "https://localhost", *more)
            made.must(path, "cloud", "set", "-n", "Lab")
            made.must(path, "login", "-u", "owner@contoso.com", "-p", "Own-the-cloud-1")
        _fill(made)
        yield Pair(made)
    finally:
        made.stop()


def _fill(machine: World) -> None:
    machine.must("oras", "login", "-u", PUSHER[0], "--password-stdin", HOST, stdin=PUSHER[1])
    machine.must("regctl", "registry", "login", "-u", PUSHER[0], "--pass-stdin", HOST, stdin=PUSHER[1])
    (machine.directory / "note.txt").write_text("hello")
    for tag, platform in (("v1", "amd64"), ("v2", "arm64")):
        machine.must("regctl", "image", "create", "--platform", f"linux/{platform}", f"{HOST}/seed/web:{tag}")
    note = ("--artifact-type", "application/x.note", f"{HOST}/seed/web:v1", "note.txt:text/plain")
    machine.must("oras", "attach", *note)


def test_the_same(pair: Pair) -> None:
    """M14, M20, M28: what is told of images, tokens and scope maps, and a session of changes, line by line."""
    differ = []
    with ThreadPoolExecutor(2) as executor:
        # One thread each: az does not share its token cache between two of its own.
        told_of = list(zip(*executor.map(pair.all, (True, False)), strict=True))
    told_of += [pair.run(line) for line in CHANGING]
    for line, (theirs, ours) in zip(READING + CHANGING, told_of, strict=True):
        if ours != theirs:
            differ += [f"$ {line}", *difference(theirs, ours)]
    assert not differ, "\n" + "\n".join(differ)
