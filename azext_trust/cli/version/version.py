"""The handler of ``version``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from azext_trust import __version__

_PARTS = ("azure-identity", "cryptography", "knack", "msal", "requests", "sqlmodel", "uvicorn")


def show(_: Any) -> dict[str, Any]:
    """Return the versions of aztrust, Python and the libraries."""
    return {"aztrust": __version__, "python": platform.python_version(), "libraries": dict(map(_part, _PARTS))}


def _part(name: str) -> tuple[str, str | None]:
    try:
        return name, version(name)
    except PackageNotFoundError:
        return name, None
