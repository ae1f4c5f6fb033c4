// A foreign server of Socket.IO on the npm package `socket.io`, for clients of all generations: `node socketio-server.mjs`.
//
// It prints `listening on ADDR`. In every namespace but `/closed` it lets everybody in who shows no token `wrong`, sends `hello` with
// what was shown and asks for an acknowledgement, sends back each event by its name, and acknowledges it with its arguments. `leave`
// ends the socket.

import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { allowEIO3: true, serveClient: false });
const admit = (socket, next) => {
  const token = socket.handshake.auth.token ?? socket.handshake.query.token;
  if (token === "wrong" || socket.nsp.name === "/closed") next(new Error("not let in"));
  else next();
};
const attend = (socket) => {
  const token = socket.handshake.auth.token ?? socket.handshake.query.token ?? null;
  socket.emit("hello", { token, transport: socket.conn.transport.name }, () => socket.emit("thanks"));
  socket.onAny((name, ...args) => {
    const acknowledge = typeof args.at(-1) === "function" ? args.pop() : () => {};
    if (name === "leave") return socket.disconnect();
    acknowledge(...args);
    socket.emit(name, ...args);
  });
};
for (const namespace of [io.of("/"), io.of(/.+/)]) namespace.use(admit).on("connection", attend);
http.listen(0, "127.0.0.1", () => {
  const { address, port } = http.address();
  console.log(`listening on ${address}:${port}`);
});
