// A foreign client of Socket.IO on the npm package `socket.io-client`, in its generation 2, 3 or 4: `node socketio.mjs GENERATION`.
// It is told what to do by lines of JSON on its standard input:
//
//   { "do": "open", "url": "http://...", "namespace": "/default", "path": "/socket.io/", "transports": ["polling", "websocket"],
//     "auth": {...}, "query": {...}, "headers": {...}, "acknowledges": false, "reconnects": false }
//   { "do": "emit", "name": "...", "args": [...], "number": 1 }      with a number an acknowledgement is asked for
//   { "do": "close" }
//
// and tells what happens by lines of JSON on its standard output:
//
//   { "happened": "connect", "transport": "polling" }      { "happened": "upgrade", "transport": "websocket" }
//   { "happened": "event", "name": "...", "args": [...], "asks": false }
//   { "happened": "ack", "number": 1, "args": [...] }
//   { "happened": "connect_error", "message": "..." }      { "happened": "disconnect", "reason": "..." }
//
// Bytes are { "base64": "..." }. Generation 2 has no `auth`; its token goes in the query. Who `acknowledges` answers every event that
// asks for it, with nothing.

import { createInterface } from "node:readline";

const generation = process.argv[2];
const { io } = await import(`socket.io-client-${generation}`).then((module) => ({ io: module.io ?? module.default }));

let socket;
const tell = (happened, fields) => console.log(JSON.stringify({ happened, ...fields }));

const shown = (value) => {
  if (Buffer.isBuffer(value)) return { base64: value.toString("base64") };
  if (Array.isArray(value)) return value.map(shown);
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shown(each)]));
  return value;
};
const meant = (value) => {
  if (Array.isArray(value)) return value.map(meant);
  if (typeof value?.base64 === "string") return Buffer.from(value.base64, "base64");
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, meant(each)]));
  return value;
};

const open = ({ url, namespace, path, transports, auth, query, headers, acknowledges, reconnects }) => {
  socket = io(url + namespace, {
    path,
    transports,
    auth,
    query,
    extraHeaders: headers,
    reconnection: reconnects ?? false,
    forceNew: true,
    autoConnect: false,
  });
  const transport = () => socket.io.engine.transport.name;
  socket.on("connect", () => tell("connect", { transport: transport() }));
  socket.io.on("open", () =>
    socket.io.engine.on("upgrade", () => tell("upgrade", { transport: transport() })),
  );
  socket.on("disconnect", (reason) => tell("disconnect", { reason }));
  // Generation 2 calls it an error when it is refused in a namespace.
  for (const name of generation === "2" ? ["connect_error", "error"] : ["connect_error"])
    socket.on(name, (error) => tell("connect_error", { message: error.message ?? String(error), data: error.data }));
  // Below all listeners, so that nothing that arrives goes unseen, not even before `connect`.
  socket.onevent = ({ data: [name, ...args], id }) => {
    tell("event", { name, args: shown(args), asks: id !== undefined });
    if (id !== undefined && acknowledges) socket.ack(id)();
  };
  socket.connect();
};

const emit = ({ name, args, number }) => {
  const answer = (...args) => tell("ack", { number, args: shown(args) });
  socket.emit(name, ...meant(args), ...(number === undefined ? [] : [answer]));
};

const verbs = { open, emit, close: () => socket.disconnect() };
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    verbs[order.do](order);
  })
  .on("close", () => process.exit());
