"""Imports an image into a state: ``python -m tests.adversary.importing DIRECTORY ADDRESS``."""

from __future__ import annotations

import sys
from pathlib import Path

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from tests.conftest import Client
from tests.unit.server.registry.conftest import Login
from tests.unit.server.registry.importing import begin


def main() -> None:
    """Import ``web:v1`` to two repositories."""
    login = Login(Client(create_app(Settings(state=Path(sys.argv[1]), quiet=True))))
    source = {"registryUri": sys.argv[2], "sourceImage": "web:v1"}
    begin(login, {"source": source, "targetTags": ["web:v1", "copy:v1"]})


if __name__ == "__main__":
    main()
