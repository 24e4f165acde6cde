"""A page whose ``console`` blocks are run as printed: a shell at a terminal, and the output compared."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

_BLOCK = re.compile(r"^```console(?P<fails> fails)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "@@prompt@@"
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


@dataclass(frozen=True)
class Step:
    """A command of the page.

    Attributes:
        line: where it stands.
        command: what is typed; a here document has several lines.
        expected: what the page shows after it.
        fails: whether the command ends with an error.
    """

    line: int
    command: str
    expected: str
    fails: bool


def steps(page: Path) -> Iterator[Step]:
    """Yield the commands of a page, in order: each begins with ``$ ``, its continuation lines with ``> ``."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 2
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            more = 1
            while more < len(lines) and lines[more].startswith("> "):
                more += 1
            command = "\n".join([lines[0], *(one[2:] for one in lines[1:more])])
            yield Step(line, command, "\n".join(lines[more:]), bool(block["fails"]))
            line += len(lines)


def matches(expected: str, output: str) -> bool:
    """Tell whether an output is what a page shows: ``...`` stands for any text, alone on a line for any lines."""
    parts = []
    for line in expected.rstrip().splitlines():
        if line.strip() in ("...", "[...]"):
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r".*?".join(re.escape(piece.rstrip()) for piece in line.split("...")) + r"[ \t]*\n")
    said = "\n".join(line.rstrip() for line in output.rstrip().splitlines())
    return re.fullmatch("".join(parts), f"{said}\n" if said else "") is not None


class Shell:
    """A bash at a terminal of its own, to which answers are typed when it is asked something.

    Args:
        command: runs bash: ``bash --norc -i`` and perhaps what leads to it.
        env: its environment.
        answers: what is typed when the output ends with a pattern.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str], answers: Mapping[str, str]) -> None:
        self._answers = {re.compile(pattern + r"\Z"): text for pattern, text in answers.items()}
        self._asked = 0
        self._terminal, slave = pty.openpty()
        settings = termios.tcgetattr(slave)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        # What is typed comes from the terminal; output goes to a pipe, so that docker draws no progress bars.
        self._output, write = os.pipe()

        def own() -> None:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self._process = subprocess.Popen(
            list(command), stdin=slave, stdout=write, stderr=write, preexec_fn=own, pass_fds=(slave,),
            env={**env, "PS1": f"{_MARK}$?\n", "PS2": "", "PROMPT_COMMAND": "", "TERM": "dumb"},
        )  # fmt: skip
        os.close(slave)
        os.close(write)
        self._until_prompt(30)

    def run(self, command: str, seconds: float = 120) -> tuple[int, str]:
        """Type a command; return its exit code and all it said."""
        os.write(self._terminal, f"{command}\n".encode())
        return self._until_prompt(seconds)

    def close(self) -> None:
        """End the shell and what it started."""
        # A shell that is hung up on hangs up on its jobs, which have process groups of their own.
        self._process.send_signal(signal.SIGHUP)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait(10)
        os.close(self._terminal)
        os.close(self._output)

    def _until_prompt(self, seconds: float) -> tuple[int, str]:
        said, end = "", monotonic() + seconds
        self._asked = 0
        while True:
            found = re.search(rf"{_MARK}(\d+)\n", said)
            if found:
                return int(found[1]), _COLOURS.sub("", said[: found.start()])
            ready, _, _ = select.select([self._terminal, self._output], [], [], max(0, end - monotonic()))
            if not ready:
                raise TimeoutError(said)
            for handle in ready:
                said += os.read(handle, 65536).decode("utf-8", "replace")
            said = self._answered(said)

    def _answered(self, said: str) -> str:
        """Type the answer to a question, once; return what is said, with an answer that a terminal would show."""
        for pattern, text in self._answers.items():
            if len(said) > self._asked and pattern.search(_COLOURS.sub("", said)):
                os.write(self._terminal, f"{text}\n".encode())
                # Programs that hide what is typed end the line themselves.
                said = f"{said}{text}\n" if text == "y" else said
                self._asked = len(said)
        return said
