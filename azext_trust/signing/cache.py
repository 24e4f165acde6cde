"""The local cache of trust data in docker's layout: ``trust/tuf/<gun>/metadata/<role>.json`` (section 6).

Nothing in it is believed as it lies there: `updater` verifies it again each time. The cached root is what pins
trust; without it the next root is trusted on first use.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from azext_trust import home
from azext_trust.names import images
from azext_trust.signing.errors import InvalidName
from azext_trust.tuf import roles, verify


class TrustCache:
    """The cached trust data of one repository.

    Args:
        directory: docker's trust directory.
        gun: the repository, host included.

    Raises:
        InvalidName: the repository's name is none: it would lead out of the cache.
    """

    def __init__(self, directory: Path, gun: str) -> None:
        if not images.valid_gun(gun):
            raise InvalidName(f"'{gun}' is no name of a repository with its registry")
        self.gun = gun
        self.path = directory / "tuf" / gun

    def read(self, role: str) -> bytes | None:
        """Return what is cached of a role, None when nothing is."""
        try:
            with self._file(role).open("rb") as file:
                return file.read(verify.MAX_METADATA + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, role: str, raw: bytes) -> None:
        """Keep verified metadata."""
        home.write_private(self._file(role), raw)

    def cached_roles(self) -> list[str]:
        """Return the targets roles that are cached, parents first."""
        base = self.path / "metadata"
        found = [path.relative_to(base).with_suffix("").as_posix() for path in base.rglob("*.json")]
        return sorted(filter(roles.is_targets, found), key=lambda role: (role.count("/"), role))

    def clear(self) -> bool:
        """Forget the repository: metadata, pinned root, pending changes. Keys stay.

        Returns:
            whether there was anything; the empty folders that docker leaves where nothing is signed are nothing.

        Raises:
            OSError: a file may not be deleted.
        """
        if not self.path.is_dir():
            return False
        anything = any(path.is_file() for path in self.path.rglob("*"))
        # The metadata go first: a clear that is broken off must not leave half a collection without its root.
        for part in ("metadata", "changelist"):
            if (self.path / part).exists():
                shutil.rmtree(self.path / part)
        if not any(self.path.iterdir()):
            self.path.rmdir()
        return anything

    def _file(self, role: str) -> Path:
        if not roles.is_valid(role):
            raise InvalidName(f"tuf: invalid role {role}.")
        return self.path / "metadata" / f"{role}.json"

    # Changes that docker or notary noted and did not publish

    def pending(self) -> list[Pending]:
        """Return changes that a failed publish left behind, oldest first: the next docker push sends them along."""
        found = []
        for path in sorted((self.path / "changelist").glob("*.change")):
            try:
                found.append(Pending.parse(path, path.read_bytes()))
            except (ValueError, KeyError, TypeError, OSError):
                continue
        return found


@dataclass(frozen=True)
class Pending:
    """A change that is noted and not published.

    Attributes:
        path: its file.
        action: ``create``, ``update`` or ``delete``.
        role: the role it changes.
        kind: ``target``, ``delegation``, ``witness`` or ``role``.
        name: the tag, or empty.
        data: what is to be written, as notary spells it.
    """

    path: Path
    action: str
    role: str
    kind: str
    name: str
    data: bytes

    @classmethod
    def parse(cls, path: Path, raw: bytes) -> Pending:
        """Read a ``.change`` file.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        value = json.loads(raw)
        data = base64.b64decode(value.get("data") or "")
        return cls(path, str(value["action"]), str(value["role"]), str(value["type"]), str(value["path"]), data)

    def __str__(self) -> str:
        what = f"{self.kind} {self.name}".strip()
        return f"{self.action} {what} in {self.role}"


def folders(directory: Path) -> Iterator[TrustCache]:
    """Yield the cache of every repository of which anything lies here, be it only noted changes, by name."""
    base = directory / "tuf"
    found = {path.parent for part in ("metadata", "changelist") for path in base.glob(f"**/{part}")}
    for path in sorted(found):
        with suppress(InvalidName):
            yield TrustCache(directory, path.relative_to(base).as_posix())


def repositories(directory: Path) -> Iterator[TrustCache]:
    """Yield the cache of every repository that has one, by name."""
    return (cache for cache in folders(directory) if cache.read(roles.ROOT) is not None)
