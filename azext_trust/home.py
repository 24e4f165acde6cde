"""Where aztrust keeps its files, and with which rights."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def config_dir() -> Path:
    """Return the directory of the user's configuration and token cache."""
    return Path(os.environ.get("AZTRUST_CONFIG_DIR") or Path.home() / ".aztrust").expanduser().absolute()


def cloud_dir(state: str | None = None) -> Path:
    """Return the cloud directory: where the local Azure's state lies.

    Args:
        state: the value of ``--state``; None means the user gave none.
    """
    chosen = state or os.environ.get("AZTRUST_STATE")
    return Path(chosen).expanduser().absolute() if chosen else config_dir() / "cloud"


def private_dir(path: Path) -> Path:
    """Make a directory that only its owner can enter, with its parents, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only.

    Args:
        path: the file; its directory is made when missing.
        data: the content.

    Raises:
        OSError: the disk is full or the directory may not be written; the old file is then unchanged.
    """
    private_dir(path.parent)
    # mkstemp creates with 0600: at no moment can another user open the content.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def create_private(path: Path, data: bytes) -> bytes:
    """Write a file unless it exists, and return what it then holds.

    Two processes that found one state at once must agree on its keys: the first link wins.
    """
    private_dir(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            return path.read_bytes()
        return data
    finally:
        Path(name).unlink(missing_ok=True)
