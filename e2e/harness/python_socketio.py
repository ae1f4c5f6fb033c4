"""A foreign client of Socket.IO on the Python library `python-socketio`: `python -m harness.python_socketio`.

It is told what to do and tells what happens as `node/socketio.mjs` is and does; an `upgrade` it does not tell.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from typing import Any

import socketio


def tell(happened: str, **fields: object) -> None:
    """Prints one line."""
    print(json.dumps({"happened": happened, **fields}), flush=True)


def shown(value: Any) -> Any:
    """Bytes as base64, wherever they stand."""
    match value:
        case bytes():
            return {"base64": base64.b64encode(value).decode()}
        case list() | tuple():
            return [shown(each) for each in value]
        case dict():
            return {name: shown(each) for name, each in value.items()}
        case _:
            return value


def meant(value: Any) -> Any:
    """What `shown` has made of it, undone."""
    match value:
        case {"base64": str(text)}:
            return base64.b64decode(text)
        case list():
            return [meant(each) for each in value]
        case dict():
            return {name: meant(each) for name, each in value.items()}
        case _:
            return value


class Client:
    """One socket in one namespace."""

    def __init__(self) -> None:
        self._client: socketio.AsyncClient | None = None
        self._namespace = "/"

    async def open(self, order: dict) -> None:
        """Connects; what becomes of it is told."""
        self._namespace = order["namespace"]
        self._client = client = socketio.AsyncClient(reconnection=order.get("reconnects", False), handle_sigint=False)
        client.on("connect", lambda: tell("connect", transport=client.transport()), self._namespace)
        client.on("disconnect", lambda reason: tell("disconnect", reason=str(reason)), self._namespace)
        client.on("connect_error", self._refused, self._namespace)
        # Below all listeners, so that nothing that arrives goes unseen, not even before `connect`.
        client._handle_event = self._event(order.get("acknowledges", False))
        query = "&".join(f"{name}={value}" for name, value in (order.get("query") or {}).items())
        try:
            await client.connect(
                f"{order['url']}?{query}",
                headers=order.get("headers") or {},
                auth=order.get("auth"),
                transports=order.get("transports"),
                namespaces=[self._namespace],
                socketio_path=order["path"],
                wait=False,
            )
        except socketio.exceptions.ConnectionError as error:
            tell("connect_error", message=str(error))

    def _refused(self, error: object) -> None:
        message = error.get("message") if isinstance(error, dict) else error
        tell("connect_error", message=str(message), data=error.get("data") if isinstance(error, dict) else None)

    def _event(self, acknowledges: bool) -> Any:
        async def event(namespace: str | None, number: int | None, data: list) -> None:
            tell("event", name=data[0], args=shown(data[1:]), asks=number is not None)
            if number is not None and acknowledges:
                packet = self._client.packet_class(socketio.packet.ACK, namespace=namespace, id=number, data=[])
                await self._client._send_packet(packet)

        return event

    async def emit(self, order: dict) -> None:
        """Sends an event."""
        number = order.get("number")
        answer = None if number is None else lambda *args: tell("ack", number=number, args=shown(args))
        await self._client.emit(order["name"], tuple(meant(order["args"])), namespace=self._namespace, callback=answer)

    async def close(self, _order: dict) -> None:
        """Leaves."""
        await self._client.disconnect()


async def main() -> None:
    """Obeys its standard input, a line at a time, until that ends."""
    client = Client()
    verbs = {"open": client.open, "emit": client.emit, "close": client.close}
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        await verbs[order["do"]](order)


if __name__ == "__main__":
    asyncio.run(main())
