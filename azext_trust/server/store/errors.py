"""What keeps a state from being used. Each message is one line and names the cure."""

from __future__ import annotations


class StateError(Exception):
    """The state cannot be used; nothing was changed."""


class DiskFullError(StateError):
    """There is no room left to write; what was begun is undone."""


class BusyError(StateError):
    """Another program holds the database; the same request succeeds once it lets go."""


class UnwipedError(BusyError):
    """An erasure is committed, but bytes of it are still on the disk; asking again goes on with it."""


class VaultKeyError(StateError):
    """The vault's key file is missing, damaged, unreadable or belongs to another state."""
