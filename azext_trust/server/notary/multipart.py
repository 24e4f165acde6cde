"""The body of a publish: ``multipart/form-data`` with one file for each role (RFC 7578, RFC 2046 section 5.1)."""

from __future__ import annotations

import re

from azext_trust.server.gate.call import Call, MalformedBody
from azext_trust.server.notary import errors

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?\bboundary=("?)([0-9A-Za-z\'()+_,./:=? -]{1,70})\1', re.IGNORECASE)
_FILENAME = re.compile(rb'content-disposition:[^\r\n]*?;\s*filename=(?:"([^"\r\n]*)"|([^\s;"]+))', re.IGNORECASE)
MAX_PARTS = 1000
"""Nobody publishes more roles at once."""


def files(call: Call) -> list[tuple[str, bytes]]:
    """Return file names and contents, in the order they came.

    Raises:
        MalformedBody: the body is none, or broken off.
        ServiceError: a part has no file name.
    """
    found = _BOUNDARY.match(call.headers.get("content-type", ""))
    if not found:
        raise MalformedBody("no multipart form")
    delimiter = b"\r\n--" + found[2].rstrip().encode()
    # The first delimiter may stand at the very beginning.
    body = b"\r\n" + call.body
    at = body.find(delimiter)
    parts: list[tuple[str, bytes]] = []
    while at >= 0:
        start = at + len(delimiter)
        if body.startswith(b"--", start):
            return parts
        head_end = body.find(b"\r\n\r\n", start)
        end = body.find(delimiter, head_end + 2) if head_end >= 0 else -1
        if end < 0 or len(parts) >= MAX_PARTS:
            break
        parts.append((_filename(body[start:head_end]), body[head_end + 4 : end]))
        at = end
    raise MalformedBody("the form is broken off")


def _filename(head: bytes) -> str:
    found = _FILENAME.search(head)
    name = (found[1] or found[2] or b"") if found else b""
    if not name:
        raise errors.no_filename()
    return name.decode("utf-8", "replace")
