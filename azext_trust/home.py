"""Where aztrust keeps its files, and with which rights."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Make a directory that only its owner can enter, with its parents, and return it.

    One that exists is left as it is: it may be somebody's home, or ``/tmp``.

    Raises:
        OSError: it cannot be made, or something else has its name.
    """
    try:
        path.mkdir(mode=0o700)
    except FileNotFoundError:
        # Some file systems say so where no directory can be made at all: /proc.
        if path.parent.is_dir():
            raise
        private_dir(path.parent)
        return private_dir(path)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
        return path
    # The umask may have taken rights from the owner as well.
    path.chmod(0o700)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only.

    Args:
        path: the file; its directory is made when missing.
        data: the content.

    Raises:
        OSError: the disk is full or the directory may not be written; the old file is then unchanged.
    """
    with _prepared(path, data) as name:
        os.replace(name, path)
        sync_dir(path.parent)


def create_private(path: Path, data: bytes) -> bytes:
    """Write a file unless it exists, and return what it then holds.

    Two processes that found one state at once must agree on its keys: the first link wins.

    Raises:
        OSError: as `write_private`.
    """
    with _prepared(path, data) as name:
        try:
            os.link(name, path)
        except FileExistsError:
            return path.read_bytes()
        sync_dir(path.parent)
        return data


@contextmanager
def _prepared(path: Path, data: bytes) -> Iterator[str]:
    """Write the data to a file beside `path`, on the disk when this yields, and gone afterwards if still there."""
    private_dir(path.parent)
    # mkstemp creates with 0600: at no moment can another user open the content.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


def sync_dir(path: Path) -> None:
    """Wait until a directory's entries are on the disk, where the file system can: a new name must outlive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def open_private(path: Path) -> int:
    """Open a file for reading and writing, made with its owner's rights only when it is missing.

    Returns:
        The file descriptor, closed on exec; the caller closes it.

    Raises:
        OSError: it may not be written, or its directory does not exist.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.fchmod(handle, 0o600)
        return handle


@contextmanager
def only_one(folder: str) -> Iterator[bool]:
    """Hold a folder for one piece of long work; False while another process holds it.

    Args:
        folder: a directory of ours, made when missing.
    """
    import fcntl

    place = Path(folder).expanduser()
    private_dir(place)
    handle = open_private(place / ".busy")
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(handle)  # with it goes the lock, as it does when the process is killed
