// The JavaScript client of Doorward on the npm package `ws`, told what to do by lines of JSON on its standard input:
//
//   { "do": "open", "url": "...", "options": {...}, "tickets": ["..."], "headers": {...} }     a fresh ticket for each connection
//   { "do": "answer", "answer": {...} }                                                        to the question that was told last
//   { "do": "send", "text": "..." }                                                            as it is
//   { "do": "subscribe" | "unsubscribe" | "publish" | "close", "with": [...] }
//
// and telling what happens by lines of JSON on its standard output.

import { createInterface } from "node:readline";
import WebSocket from "ws";
import { connect } from "../../clients/js/dist/doorward.js";

let door;
let answer;
const tell = (happened, detail) => console.log(JSON.stringify({ happened, detail }));

const open = ({ url, options, tickets = [], headers = {} }) => {
  door = connect(url, {
    ...options,
    ...(tickets.length > 0 && { ticket: () => tickets.shift() }),
    onQuestion: ({ signal, ...question }) => {
      tell("question", question);
      return new Promise((resolve) => (answer = resolve));
    },
    WebSocket: class extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { headers });
      }
    },
  });
  for (const name of ["state", "admitted", "tell", "wait", "message", "dropped", "suspended", "resumed", "lost", "closed", "data"]) {
    door.on(name, (detail) => tell(name, detail));
  }
};

const ask = (verb, args) =>
  door[verb](...args).then(
    (detail) => tell(verb, detail ?? null),
    ({ code, reason, message }) => tell(`${verb} failed`, { code, reason, message }),
  );

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.do === "open") open(order);
  else if (order.do === "answer") answer(order.answer);
  else if (order.do === "send") door.send(order.text);
  else void ask(order.do, order.with ?? []);
}
await door?.close();
