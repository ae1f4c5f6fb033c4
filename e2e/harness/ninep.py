"""A foreign client of 9P, `python-9p`, over TCP and over a WebSocket."""

from __future__ import annotations

import json
import socket

from py9p.client import Client, RemoteError
from py9p.constants import NOFID
from py9p.messages import Rauth, Tauth
from py9p.native import decode_dir
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

AFID = 9

__all__ = ["AFID", "RemoteError", "Tool", "Wire"]


class Wire:
    """A WebSocket as the stream that the client wants; remembers how it was closed."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._read = b""
        self.closed: tuple[int, str] | None = None

    def recv(self, most: int) -> bytes:
        """Some bytes; none at the end."""
        while not self._read:
            try:
                message = self._connection.recv(timeout=20)
            except ConnectionClosed as end:
                self._ended(end)
                return b""
            assert isinstance(message, bytes), message
            self._read = message
        taken, self._read = self._read[:most], self._read[most:]
        return taken

    def _ended(self, end: ConnectionClosed) -> None:
        self.closed = (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")

    def sendall(self, data: bytes) -> None:
        """Sends bytes in two halves: a server takes any split."""
        try:
            for half in (data[: len(data) // 2], data[len(data) // 2 :]):
                self._connection.send(half)
        except ConnectionClosed as end:
            self._ended(end)
            raise EOFError("closed") from end

    def close(self) -> None:
        """Leaves."""
        self._connection.close()


class Tool:
    """A file tool. It waits for its answers, so it wants a thread of its own."""

    def __init__(self, transport: object) -> None:
        self.client = Client(transport)
        self.client.negotiate()
        self._fid = 20

    @classmethod
    def over_tcp(cls, address: str) -> Tool:
        """Over TCP."""
        host, port = address.rsplit(":", 1)
        stream = socket.create_connection((host, int(port)), timeout=20)
        return cls(stream)

    @classmethod
    def over_websocket(cls, url: str, **options: object) -> Tool:
        """Over a WebSocket, attached."""
        wire = Wire(connect(url, subprotocols=["9p"], proxy=None, legacy=True, **options))
        tool = cls(wire)
        tool.wire = wire
        tool.client.attach(0, uname="none", afid=NOFID)
        return tool

    def authenticate(self, aname: str = "") -> None:
        """Opens the authentication file."""
        self.client.rpc(Tauth(afid=AFID, uname="none", aname=aname), Rauth)

    def asked(self) -> dict:
        """The next line of the authentication file."""
        return json.loads(self.client.read(AFID, 4096))

    def answer(self, **fields: object) -> None:
        """Answers in the authentication file."""
        self.client.write(AFID, json.dumps({"action": "auth", **fields}).encode())

    def attach(self) -> None:
        """Attaches with what was proven."""
        self.client.attach(0, uname="none", afid=AFID)

    def _walked(self, path: str) -> int:
        self._fid += 1
        self.client.walk(0, self._fid, path)
        return self._fid

    def list(self, path: str) -> list[str]:
        """The names in a directory."""
        fid = self._walked(path)
        self.client.open(fid)
        names, at = [], 0
        while records := self.client.read(fid, offset=at):
            at += len(records)
            while records:
                size = int.from_bytes(records[:2], "little") + 2
                names.append(decode_dir(records[:size]).name)
                records = records[size:]
        self.client.clunk(fid)
        return sorted(names)

    def read(self, path: str) -> str:
        """A whole file."""
        fid = self._walked(path)
        self.client.open(fid)
        text = self.client.read(fid, 4096).decode()
        self.client.clunk(fid)
        return text

    def write(self, path: str, text: str) -> None:
        """Writes a file from its beginning."""
        fid = self._walked(path)
        self.client.open(fid, 1)
        self.client.write(fid, text.encode())
        self.client.clunk(fid)

    def create(self, folder: str, name: str) -> None:
        """Makes a file."""
        fid = self._walked(folder)
        self.client.create(fid, name, 0o600, 1)
        self.client.clunk(fid)

    def remove(self, path: str) -> None:
        """Removes a file."""
        self.client.remove(self._walked(path))
