"""Style sheets and scripts: read once, compressed once, named by their content so that browsers may keep them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).with_name("static")
CHARTS = Path(__file__).parents[1] / "audit" / "static"
"""The plotting library that the audit's report uses; its licence stands beside it."""
_PLOTTING = ("vega.min.js", "vega-lite.min.js")
_MEDIA = {
    ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}  # fmt: skip
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file."""

    media: str
    plain: bytes

    @cached_property
    def packed(self) -> bytes:
        """Its compressed form, made when somebody first asks for it."""
        return gzip.compress(self.plain, 9)


@cache
def files() -> dict[str, Asset]:
    """Return all files by name."""
    paths = sorted([*FOLDER.iterdir(), *(CHARTS / name for name in _PLOTTING)], key=lambda path: path.name)
    return {path.name: Asset(_MEDIA[path.suffix], path.read_bytes()) for path in paths if path.suffix in _MEDIA}


@cache
def version() -> str:
    """Return the text that stands for the content of all files."""
    content = hashlib.sha256()
    for name, asset in files().items():
        content.update(name.encode() + b"\0" + asset.plain)
    return content.hexdigest()[:16]


def url(name: str) -> str:
    """Return the path under which a file is served."""
    if name not in files():
        raise KeyError(name)
    return f"/portal/static/{version()}/{name}"


async def serve(request: Request) -> Response:
    """Answer with a file. Nothing here is secret or mixed with what a visitor sent, so compressing it tells nothing."""
    found = files().get(request.path_params["name"])
    if found is None:
        return Response("Not Found", 404, media_type="text/plain")
    current = request.path_params["version"] == version()
    headers = {"cache-control": _FOREVER if current else "no-cache", "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, headers=headers | {"content-encoding": "gzip"}, media_type=found.media)
    return Response(found.plain, headers=headers, media_type=found.media)
