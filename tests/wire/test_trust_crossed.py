"""What docker 20.10, docker 28, notary or aztrust signs, every other lists, goes on with, revokes and rotates (M16, M18).

One key store serves all four.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from tests.wire.registry_world import HOST, World, world
from tests.wire.trust_world import SEED, Person

SIZE = 524
"""Bytes of every manifest of the images here."""


class Client(Protocol):
    """What each of the four does."""

    def begin(self, person: Person, repository: str) -> None:
        """Make a repository's trust data, where that is a step of its own."""
        ...

    def sign(self, person: Person, repository: str, tag: str, digest: str) -> None:
        """Sign an image that the registry has."""
        ...

    def listed(self, person: Person, repository: str) -> dict[str, str]:
        """Return tag to digest."""
        ...

    def revoke(self, person: Person, repository: str, tag: str) -> None:
        """Take a tag's signature away."""
        ...


class Docker:
    """The client of docker, in a version."""

    def __init__(self, version: str) -> None:
        self.version = version

    def begin(self, person: Person, repository: str) -> None:
        """Do nothing: it begins with the first push."""

    def sign(self, person: Person, repository: str, tag: str, digest: str) -> None:
        """Sign by pushing."""
        done = person.dockered("push", f"{HOST}/{repository}:{tag}", version=self.version)
        assert f"Successfully signed {HOST}/{repository}:{tag}" in done

    def listed(self, person: Person, repository: str) -> dict[str, str]:
        """Return tag to digest."""
        return person.inspected(repository, self.version)

    def revoke(self, person: Person, repository: str, tag: str) -> None:
        """Revoke a tag."""
        person.dockered("trust", "revoke", "-y", f"{HOST}/{repository}:{tag}", version=self.version)


class Notary:
    """The client of notary."""

    def begin(self, person: Person, repository: str) -> None:
        """Begin with a snapshot key of its own, as notary does."""
        person.notaried("init", "-p", f"{HOST}/{repository}")

    def sign(self, person: Person, repository: str, tag: str, digest: str) -> None:
        """Sign a digest."""
        person.notaried("addhash", "-p", f"{HOST}/{repository}", tag, str(SIZE), "--sha256", digest)

    def listed(self, person: Person, repository: str) -> dict[str, str]:
        """Return tag to digest."""
        rows = person.notaried("list", f"{HOST}/{repository}")
        return dict(re.findall(r"^(\S+)\s+([0-9a-f]{64})\s", rows, re.MULTILINE))

    def revoke(self, person: Person, repository: str, tag: str) -> None:
        """Remove a target."""
        person.notaried("remove", "-p", f"{HOST}/{repository}", tag)

    def rotate(self, person: Person, repository: str, role: str) -> None:
        """Rotate a key."""
        person.notaried("key", "rotate", f"{HOST}/{repository}", role, stdin="yes\n")


class Ours:
    """Our own."""

    def begin(self, person: Person, repository: str) -> None:
        """Do nothing: it begins with the first signature."""

    def sign(self, person: Person, repository: str, tag: str, digest: str) -> None:
        """Sign what the registry has."""
        (row,) = person.ours("trust", "sign", f"{HOST}/{repository}:{tag}")
        assert (row["digest"], row["length"]) == (f"sha256:{digest}", SIZE)

    def listed(self, person: Person, repository: str) -> dict[str, str]:
        """Return tag to digest, each of them verified against the registry too."""
        (shown,) = person.ours("trust", "inspect", f"{HOST}/{repository}")
        found = {row["SignedTag"]: row["Digest"] for row in shown["SignedTags"]}
        person.ours("trust", "verify", *(f"{HOST}/{repository}:{tag}" for tag in found))
        return found

    def revoke(self, person: Person, repository: str, tag: str) -> None:
        """Revoke a tag."""
        person.ours("trust", "revoke", f"{HOST}/{repository}:{tag}")

    def rotate(self, person: Person, repository: str, role: str) -> None:
        """Rotate a key."""
        person.ours("trust", "key", "rotate", f"{HOST}/{repository}", role, "--yes")


CLIENTS: dict[str, Client] = {"docker20": Docker("20"), "docker28": Docker("28"), "notary": Notary(), "aztrust": Ours()}
ROTATORS: dict[str, Notary | Ours] = {"notary": Notary(), "aztrust": Ours()}

Push = Callable[[str, str], str]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine with a served cloud and a docker engine."""
    made = world(tmp_path_factory.mktemp("machine"), SEED)
    try:
        made.start_engine()
        yield made
    finally:
        made.stop()


@pytest.fixture
def signer(machine: World) -> Person:
    """Give who may sign, with no keys yet, logged in with docker and aztrust."""
    return Person.on(machine, "signer").login().registered()


@pytest.fixture(scope="module")
def readers(machine: World) -> dict[str, Person]:
    """Give a reader for each client, each with a cache of their own."""
    return {name: Person.on(machine, "puller", f"reader-{name}").login().registered() for name in CLIENTS}


@pytest.fixture
def push(signer: Person) -> Push:
    """Give a function that pushes an image without signing it and returns its digest in hex."""

    def pushed(repository: str, tag: str) -> str:
        said = signer.dockered("push", signer.image(f"{repository}:{tag}"), trusted=False)
        return str(re.findall(r"digest: sha256:([0-9a-f]{64}) size: 524", said)[0])

    return pushed


def all_see(readers: dict[str, Person], repository: str, expected: dict[str, str]) -> None:
    """Let every reader list, each with their own client."""
    for name, reader in readers.items():
        assert CLIENTS[name].listed(reader, repository) == expected, name


@pytest.mark.parametrize("name", CLIENTS)
def test_one_signs_and_all_go_on(name: str, signer: Person, readers: dict[str, Person], push: Push) -> None:
    """M18: what one client begins, all list; each signs there with the first one's keys, and revokes another's tag."""
    repository, digests = f"cross-{name}", {}
    digests["v1"] = push(repository, "v1")
    CLIENTS[name].begin(signer, repository)
    CLIENTS[name].sign(signer, repository, "v1", digests["v1"])
    all_see(readers, repository, digests)
    for other, client in CLIENTS.items():
        digests[other] = push(repository, other)
        client.sign(signer, repository, other, digests[other])
    all_see(readers, repository, digests)
    order = list(CLIENTS)
    for other, victim in zip(order, order[1:] + order[:1], strict=True):
        CLIENTS[other].revoke(signer, repository, victim)
    all_see(readers, repository, {"v1": digests["v1"]})


@pytest.mark.parametrize("rotator", ROTATORS)
@pytest.mark.parametrize("name", CLIENTS)
def test_all_follow_rotations(name: str, rotator: str, signer: Person, readers: dict[str, Person], push: Push) -> None:
    """M18: after each rotation every reader with an old cache follows, and whoever began signs on."""
    repository, digests = f"rotated-{name}-{rotator}", {}
    CLIENTS[name].begin(signer, repository)
    for tag, role in (("v1", ""), ("v2", "root"), ("v3", "targets"), ("v4", "snapshot")):
        if role:
            ROTATORS[rotator].rotate(signer, repository, role)
        digests[tag] = push(repository, tag)
        CLIENTS[name].sign(signer, repository, tag, digests[tag])
        all_see(readers, repository, digests)
