"""Clouds that end with their tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.sockets import free_port
from tests.wire.browser import CHROMIUM
from tests.wire.programs import Served, start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Return a function that serves a state of a given name; all end with the test."""
    started: list[Served] = []

    def one(name: str, *options: str) -> Served:
        started.append(start(tmp_path / name, *options))
        return started[-1]

    yield one
    for served in started:
        if served.process.poll() is None:
            served.stop()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud on a port of its own, for the tests of one file."""
    served = start(tmp_path_factory.mktemp("cloud") / "state", "--listen", f"127.0.0.1:{free_port()}")
    yield served
    served.stop()


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud on a free port, for the tests of its portal."""
    served = start(tmp_path_factory.mktemp("portal") / "state", "--listen", f"127.0.0.1:{free_port()}")
    yield served
    served.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()
