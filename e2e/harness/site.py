"""A website on loopback: files, made-up answers, and a list of the requests that came."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass
class Page:
    """One answer."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Site:
    """Answers GET requests from `pages`; whatever else comes is a 404, and written down too."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.origin = f"http://127.0.0.1:{self.port}"

    def page(self, path: str, body: str, **headers: str) -> None:
        """Something to be answered; the names of headers with `_` for `-`."""
        kind = TYPES.get(Path(path).suffix, TYPES[".html"])
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Page(body.encode(), {"Content-Type": kind, **named})

    def file(self, path: str, file: Path, **headers: str) -> None:
        """A file to be answered."""
        self.page(path, file.read_text(), **headers)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The headers of all requests for that path, their names in lower case."""
        return [headers for asked, headers in self.requests if asked == path]

    def _handler(site) -> type[BaseHTTPRequestHandler]:  # noqa: N805 (the inner class has a `self` of its own)
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                page = site.pages.get(self.path.partition("?")[0])
                self.send_response(200 if page else 404)
                for name, value in (page.headers if page else {}).items():
                    self.send_header(name, value)
                body = page.body if page else b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *said: object) -> None:
                pass

        return Handler

    def __enter__(self) -> Site:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()
