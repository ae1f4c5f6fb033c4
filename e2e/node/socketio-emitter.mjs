// What the benchmark holds an emit of Doorward's against: a server on the npm package `socket.io`, with its engine `ws`, that lets
// everybody in and puts out what it is told to: `node socketio-emitter.mjs`.
//
// It prints `listening on ADDR`. The event `authentication` is answered with `authenticated`, whatever it shows. `POST /api/v1/emit` takes
// what Doorward's API takes, from everybody, and answers `{"sockets":N}`.

import { createServer } from "node:http";
import { Server } from "socket.io";

const emit = (request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    const { namespace, event, data } = JSON.parse(body);
    io.of(namespace).emit(event, data);
    const answer = JSON.stringify({ sockets: io.of(namespace).sockets.size });
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": answer.length }).end(answer);
  });
};
const http = createServer(emit);
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => socket.on("authentication", () => socket.emit("authenticated", true)));
http.listen(0, "127.0.0.1", () => {
  const { address, port } = http.address();
  console.log(`listening on ${address}:${port}`);
});
