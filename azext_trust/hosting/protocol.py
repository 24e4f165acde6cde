"""HTTP as uvicorn speaks it, without what would let a request say more than its head (RFC 9112, RFC 9110)."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes that request line and headers may have together; tokens of people in many groups are long."""
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """One connection.

    The parser hands the trailers of a chunked body over like headers, and uvicorn puts them into the same list: a
    trailer ``Authorization`` or ``Host`` would reach the application as a header. They are dropped (RFC 9110 section
    6.5.1). A head without an end is not collected either.
    """

    _in_head = True
    _seen = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came; a head that is too long ends the connection."""
        super().data_received(data)
        if self._in_head:
            self._seen += len(data)
            if self._seen > LARGEST_HEAD and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_head, self._seen = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; drop a trailer."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request over: what comes now is its body."""
        self._in_head = False
        super().on_headers_complete()
