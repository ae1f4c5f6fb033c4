// A foreign echo server on the npm package `ws`: `node echo.mjs`.
//
// It prints `listening on ADDR`, then `opened` and `closed CODE REASON` for each connection.
// What it does besides echoing stands in `harness/commands.py`.

import { WebSocketServer } from "ws";

const FRAGMENTS = ["one ", "two ", "three"];

const numbered = (number, size) => {
  const head = `${String(number).padStart(8, "0")}:`;
  return head + String.fromCharCode(97 + (number % 26)).repeat(size - head.length);
};

const flood = (socket, size, number = 0) =>
  socket.send(numbered(number, size), (error) => error || setImmediate(flood, socket, size, number + 1));

const obey = (socket, request, data, isBinary) => {
  const words = !isBinary && data.length < 1024 ? data.toString().split(" ") : [];
  if (words[0] === "headers" && words.length === 1) {
    socket.send(JSON.stringify(request.headers));
  } else if (words[0] === "fragments" && words.length === 1) {
    FRAGMENTS.forEach((part, at) => socket.send(part, { fin: at === FRAGMENTS.length - 1 }));
  } else if (words[0] === "close" && words.length >= 3) {
    socket.close(Number(words[1]), words.slice(2).join(" "));
  } else if (words[0] === "flood" && words.length === 2) {
    flood(socket, Number(words[1]));
  } else {
    socket.send(data, { binary: isBinary });
  }
};

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  maxPayload: 16 * 1024 * 1024,
  perMessageDeflate: true,
  handleProtocols: (offered) => ["chat", "other"].find((ours) => offered.has(ours)) ?? false,
});
server.on("listening", () => {
  const { address, port } = server.address();
  console.log(`listening on ${address}:${port}`);
});
server.on("connection", (socket, request) => {
  console.log("opened");
  socket.on("message", (data, isBinary) => obey(socket, request, data, isBinary));
  socket.on("error", (error) => console.log(`error ${error.message}`));
  socket.on("close", (code, reason) => console.log(`closed ${code} ${reason}`));
});
