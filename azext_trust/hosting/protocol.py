"""HTTP/1.1 as uvicorn speaks it, with what a public server must not take."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """Drops the trailers of a chunked request: they would reach the application as headers (RFC 9110 section 6.5.1)."""

    def on_headers_complete(self) -> None:
        """Begin the request with the headers that stand before its body."""
        super().on_headers_complete()
        # Trailers go to a list that nobody reads.
        self.headers = []
