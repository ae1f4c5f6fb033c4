// A foreign client on the npm package `ws`, told what to do by lines of JSON on its standard input:
//
//   { "do": "open", "url": "...", "protocols": [...], "headers": {...}, "origin": "...", "ca": "..." }
//   { "do": "send", "parts": ["..."], "binary": false }      several parts are sent as fragments; binary ones in base64
//   { "do": "close", "code": 1000, "reason": "..." }
//
// and telling what happens by lines of JSON on its standard output: `open`, `message`, `close`, `refused`, `error`.

import { createInterface } from "node:readline";
import WebSocket from "ws";

let socket;
const tell = (happened, fields) => console.log(JSON.stringify({ happened, ...fields }));

const open = ({ url, protocols, headers, origin, ca }) => {
  let refused = false;
  socket = new WebSocket(url, protocols, { headers, origin, ca: ca ?? undefined, maxPayload: 16 * 1024 * 1024 });
  socket.on("upgrade", ({ headers }) => tell("upgrade", { extensions: headers["sec-websocket-extensions"] ?? null }));
  socket.on("open", () => tell("open", { protocol: socket.protocol || null }));
  socket.on("message", (data, isBinary) =>
    tell("message", { binary: isBinary, data: data.toString(isBinary ? "base64" : "utf8") }),
  );
  socket.on("close", (code, reason) => refused || tell("close", { code, reason: reason.toString() }));
  socket.on("unexpected-response", (request, response) => {
    refused = true;
    tell("refused", { status: response.statusCode });
    request.destroy();
  });
  socket.on("error", (error) => refused || tell("error", { message: error.message }));
};

const send = ({ parts, binary }) =>
  parts.forEach((part, at) => {
    const data = binary ? Buffer.from(part, "base64") : part;
    socket.send(data, { binary, fin: at === parts.length - 1 });
  });

const verbs = { open, send, close: ({ code, reason }) => socket.close(code, reason) };
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    verbs[order.do](order);
  })
  .on("close", () => socket?.terminate());
