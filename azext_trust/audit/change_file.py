"""A change file: YAML or JSON, a list of changes; what is wrong in it is named with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azext_trust.audit.errors import FileError


class ChangeFile:
    """A change file that has been read.

    Args:
        path: where it lies; ``-`` is the standard input.

    Attributes:
        rows: the changes.

    Raises:
        FileError: it cannot be read, or is no list of objects.
    """

    def __init__(self, path: str) -> None:
        import yaml

        self.path = path
        text = _text(path)
        try:
            # JSON is YAML; the node tree knows the lines.
            node = yaml.compose(text, yaml.SafeLoader)
            value = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise FileError(f"{path}{place}: {error.problem or error.context}.") from None
        except yaml.YAMLError as error:
            raise FileError(f"{path}: {' '.join(str(error).split())}.") from None
        if not isinstance(value, list):
            raise FileError(f"{path}: line 1: a change file is a list of changes.")
        self._items = node.value if isinstance(node, yaml.SequenceNode) else []
        for at, row in enumerate(value):
            if not isinstance(row, dict):
                raise FileError(f"{path}: line {self.line(at)}: a change is an object with a member 'change'.")
        self.rows: list[dict[str, Any]] = [_plain(row) for row in value]

    def line(self, at: int, key: str = "") -> int:
        """Return the line of a change, or of one of its members."""
        item = self._items[at]
        pairs = item.value if isinstance(item.value, list) else []
        for pair in pairs:
            if key and isinstance(pair, tuple) and pair[0].value == key:
                return int(pair[0].start_mark.line) + 1
        return int(item.start_mark.line) + 1


def _text(path: str) -> str:
    import sys

    try:
        return sys.stdin.read() if path == "-" else Path(path).expanduser().read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileError(f"The change file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise FileError(f"The change file {path} is no UTF-8 text.") from None


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a change as JSON can say it: a number or date that YAML took for one is text again."""
    return {
        str(key): value if isinstance(value, (str, list, dict)) or value is None else str(value)
        for key, value in row.items()
    }
