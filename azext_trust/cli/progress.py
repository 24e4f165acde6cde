"""Progress of long work, on a terminal only: what is being done, how far, since when."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

_FRAMES = "|/-\\"
_WIDTH = 30


class Progress:
    """A line on stderr that moves while work goes on, and is gone afterwards; nothing where stderr is no terminal.

    Args:
        title: what is being done.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._done = 0.0
        self._began = time.monotonic()
        self._over = threading.Event()
        self._drawing = threading.Lock()
        self._thread = threading.Thread(target=self._move, daemon=True) if sys.stderr.isatty() else None

    def __enter__(self) -> Progress:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def set(self, done: float, title: str | None = None) -> None:
        """Say how far it is, from 0 to 1, and perhaps what is being done now."""
        self._done = done
        self.title = title or self.title

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take the line away while something else is written or asked there."""
        with self._drawing:
            if self._thread:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
            yield

    def _move(self) -> None:
        at = 0
        while not self._over.wait(0.12):
            with self._drawing:
                self._draw(at)
            at += 1

    def _draw(self, at: int) -> None:
        filled = round(self._done * _WIDTH)
        bar = f" [{'#' * filled}{'.' * (_WIDTH - filled)}] {self._done:4.0%}" if self._done else ""
        seconds = time.monotonic() - self._began
        sys.stderr.write(f"\r\x1b[K{_FRAMES[at % 4]} {self.title}{bar} {seconds:.0f} s")
        sys.stderr.flush()
