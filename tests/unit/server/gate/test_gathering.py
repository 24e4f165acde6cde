"""Small requests that come at the same time are answered in one go, and so share one wait for the disk."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any, cast

import pytest

from azext_trust.server.gate import stream
from azext_trust.server.gate.call import Reply


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Answer any item after a while, and note how many were answered in one go."""
    sizes: list[int] = []

    def answered(_store: object, items: list[Any]) -> list[Reply]:
        sizes.append(len(items))
        sleep(0.005)
        return [Reply(item) for item in items]

    monkeypatch.setattr(stream, "_all", answered)
    monkeypatch.setattr(stream, "COMPANY_SECONDS", 0.2)
    return sizes


def run(clients: int, times: int) -> list[list[object]]:
    """Let clients ask again as soon as they are answered; return what each was told."""
    workers = stream.Workers(ThreadPoolExecutor(1))

    async def client(name: int) -> list[object]:
        told = []
        for at in range(times):
            item = cast(Any, (name, at))
            told.append((await workers.gathered(cast(Any, None), item)).body)
        return told

    async def main() -> list[list[object]]:
        return list(await asyncio.gather(*(client(name) for name in range(clients))))

    return asyncio.run(main())


def test_clients_do_not_fall_apart(batches: list[int]) -> None:
    """M14: after the first turn all are answered in one go, each with its own answer."""
    told = run(6, 10)
    assert told == [[(name, at) for at in range(10)] for name in range(6)]
    assert batches[2:9] == [6] * 7


def test_nobody_waits_for_company_alone(batches: list[int]) -> None:
    """M14: a single client is answered at once, every time."""
    began = asyncio.run(_timed(lambda: run(1, 20)))
    assert (batches, began < 1) == ([1] * 20, True)


async def _timed(work: Any) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.to_thread(work)
    return loop.time() - began
