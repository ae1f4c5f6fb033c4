"""The smallest client of the HTTP API on the internal port."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request

from .door import Door


async def ask(door: Door, key: str | None, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
    """One request; the status and the document."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://{door.internal}/api/v1{path}", data, headers, method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send() -> tuple[int, dict]:
        try:
            with direct.open(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            assert error.headers["Content-Type"] == "application/problem+json", error.headers
            return error.code, json.loads(error.read())

    return await asyncio.to_thread(send)
