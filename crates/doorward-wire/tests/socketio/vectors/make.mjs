// Writes engineio.json and socketio.json: what the common parsers write and read. See README.md.

import { writeFileSync } from "node:fs";
import engine3 from "engine.io-parser-3";
import * as engine4 from "engine.io-parser-4";
import socket4 from "socket.io-parser-4";
import * as socket5 from "socket.io-parser-5";

const bytes = (...of) => Buffer.from(of);
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
const shown = (value) => {
  if (Buffer.isBuffer(value)) return { base64: value.toString("base64") };
  if (value instanceof ArrayBuffer) return { base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value === "string") return value.toWellFormed();
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shown(each)]));
  return value;
};
// What a parser throws at is refused; so is what it answers with an error.
const attempt = (read) => {
  try {
    return shown(read()) ?? null;
  } catch {
    return null;
  }
};
const save = (file, sections) => {
  const lines = Object.entries(sections).map(
    ([name, cases]) => `${JSON.stringify(name)}: [\n${cases.map((one) => JSON.stringify(one)).join(",\n")}\n]`,
  );
  writeFileSync(new URL(file, import.meta.url), `{\n${lines.join(",\n")}\n}\n`);
};

// Engine.IO

const packets = [
  { type: "open", data: '{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}' },
  { type: "close" },
  { type: "ping" },
  { type: "ping", data: "probe" },
  { type: "pong" },
  { type: "pong", data: "probe" },
  { type: "message" },
  { type: "message", data: "hello" },
  { type: "message", data: "€ß水🚪" },
  { type: "message", data: '2["a:b","1:4"]' },
  { type: "message", data: "\n\t " },
  { type: "upgrade" },
  { type: "noop" },
  { type: "message", data: bytes() },
  { type: "message", data: bytes(1, 2, 3) },
  { type: "message", data: bytes(0xff, 0x00, 0x1e, 0x04, 0x3a) },
  { type: "message", data: everyByte },
];

const write3 = (packet, takesBytes) => {
  let wire;
  engine3.encodePacket(packet, takesBytes, false, (encoded) => (wire = encoded));
  return wire;
};
const write4 = (packet, takesBytes) => {
  let wire;
  engine4.encodePacket(packet, takesBytes, (encoded) => (wire = encoded));
  return wire;
};
const payload3 = (packets, takesBytes) => {
  let body;
  engine3.encodePayload(packets, takesBytes, (encoded) => (body = encoded));
  return body;
};
const payload4 = (packets) => {
  let body;
  engine4.encodePayload(packets, (encoded) => (body = encoded));
  return body;
};

const writes = [
  [3, write3],
  [4, write4],
].flatMap(([revision, write]) =>
  packets.map((packet) => ({
    revision,
    packet: shown(packet),
    text: write(packet, false),
    message: shown(write(packet, true)),
  })),
);

const texts = packets.filter(({ data }) => !Buffer.isBuffer(data));
const lists = [
  ...packets.map((packet) => [packet]),
  texts,
  packets,
  [packets[15], packets[8], packets[14]],
  Array.from({ length: 200 }, (_, at) => ({ type: "message", data: `2["n",${at}]` })),
];
const payloads = lists.flatMap((list) => [
  { revision: 3, takes_bytes: false, packets: shown(list), body: shown(payload3(list, false)) },
  { revision: 3, takes_bytes: true, packets: shown(list), body: shown(payload3(list, true)) },
  { revision: 4, takes_bytes: false, packets: shown(list), body: shown(payload4(list)) },
]);

// A payload in which one packet is an error is refused as a whole, which the servers do by closing.
const whole = (packets) => (packets.some(({ type }) => type === undefined || type === "error") ? undefined : packets);
const readPayload3 = (body) => {
  const packets = [];
  engine3.decodePayload(body, "nodebuffer", (packet) => void packets.push(packet));
  return whole(packets);
};
const strayTexts3 = [
  "", ":", "0:", "5:", "1:", "1:4:", "6:4hello", "06:4hello", "6:4hell", "6:4hello2", "6:4hello2:", "6:4hello2:4€", "4:4€", "3:4🚪", "2:4🚪",
  "-1:4", "1e0:4", "0x1:4", " 1:4", "+1:4", "1.0:4", "999999999:4", "99999999999999999999:4", "1:7", "1:x", "1:b", "2:b4", "6:b4AQID",
  "8:b4AQIDBA", "10:b4AQIDBA==", "6:b2AQID", "1:2", "6:2probe", "2:1x", "6hello", "NaN:4", "Infinity:4",
];
const strayBytes3 = [
  [], [0], [0, 1], [0, 1, 255], [0, 1, 255, 0x34], [1, 1, 255, 4], [1, 3, 255, 4, 1, 2], [1, 4, 255, 4, 1, 2], [0, 255, 0x34],
  [2, 1, 255, 0x34], [0, 2, 255, 0x34, 0xc3], [0, 1, 0, 255, 0x34], [1, 1, 255, 9], [1, 1, 255, 2], [0, 0, 255],
  [0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 255, 0x34], [0, 12, 255, 0x34],
];
const strayTexts4 = [
  "", "4", "4hello\x1e", "\x1e4", "4a\x1e\x1e4b", "4a\x1e4b", "7", "x", "b", "bAQID", "bAQIDBA", "bAQIDBA==", "b!", "4a\x1ebAQID\x1e2", "2probe",
  "1x", " 4", "44", "4a\x1e9",
];
const payloadsRead = [
  ...strayTexts3.map((body) => ({ revision: 3, body, packets: attempt(() => readPayload3(body)) })),
  // The parser of revision 3 does not return from a binary payload whose length has no end.
  ...strayBytes3
    .map((of) => bytes(...of))
    .map((body) => ({
      revision: 3,
      body: shown(body),
      packets: body.length > 0 && !body.includes(255) ? null : attempt(() => readPayload3(body)),
    })),
  ...strayTexts4.map((body) => ({ revision: 4, body, packets: attempt(() => whole(engine4.decodePayload(body, "nodebuffer"))) })),
];

save("engineio.json", { packets: writes, payloads, payloads_read: payloadsRead });

// Socket.IO

const CONNECT = 0, DISCONNECT = 1, EVENT = 2, ACK = 3, ERROR = 4, BINARY_EVENT = 5, BINARY_ACK = 6;
const attached = { name: "x.bin", deep: [{ first: bytes(1, 2, 3) }, [everyByte]], last: null };
const written = [
  { type: CONNECT, nsp: "/" },
  { type: CONNECT, nsp: "/default" },
  { type: DISCONNECT, nsp: "/" },
  { type: DISCONNECT, nsp: "/default" },
  { type: EVENT, nsp: "/", data: ["authentication", { token: "abc.def" }] },
  { type: EVENT, nsp: "/default", data: ["authentication", { token: 'quo"te\\' }] },
  { type: EVENT, nsp: "/default", data: ["authenticated", true] },
  { type: EVENT, nsp: "/", id: 0, data: ["€ß水🚪", 1, -1.5, null, [], {}, "\u2028\u0000"] },
  { type: EVENT, nsp: "/a/b-c", id: 9007199254740991, data: ["nothing"] },
  { type: EVENT, nsp: "/12", data: ["digits"] },
  { type: EVENT, nsp: "/12", id: 12, data: ["digits"] },
  { type: EVENT, nsp: "/", data: ["looks", { _placeholder: true, num: 7 }] },
  { type: ACK, nsp: "/", id: 7, data: [] },
  { type: ACK, nsp: "/default", id: 13, data: ["ok", { a: [1] }] },
  { type: EVENT, nsp: "/", data: ["upload", bytes(1, 2, 3)] },
  { type: EVENT, nsp: "/default", id: 1, data: ["upload", attached, bytes()] },
  { type: EVENT, nsp: "/", data: ["ten", ...Array.from({ length: 10 }, (_, at) => bytes(at))] },
  { type: ACK, nsp: "/default", id: 5, data: [bytes(9), { again: bytes(8) }] },
];
const written4 = [
  { type: CONNECT, nsp: "/default?token=abc.def&x=%2C" },
  { type: ERROR, nsp: "/default", data: "not authorized" },
  { type: ERROR, nsp: "/", data: { code: 1 } },
];
const written5 = [
  { type: CONNECT, nsp: "/", data: { token: "abc.def" } },
  { type: CONNECT, nsp: "/default", data: { sid: "xyz" } },
  { type: ERROR, nsp: "/default", data: { message: "not authorized" } },
  { type: ERROR, nsp: "/", data: { message: "no", data: { code: 1 } } },
];
const encode4 = (packet) => {
  const isBinary = JSON.stringify(shown(packet)).includes('"base64"');
  const type = isBinary ? (packet.type === EVENT ? BINARY_EVENT : BINARY_ACK) : packet.type;
  let messages;
  new socket4.Encoder().encode({ ...packet, type }, (encoded) => (messages = encoded));
  return messages;
};
const encode5 = (packet) => new socket5.Encoder().encode({ ...packet });
const both = [
  [4, encode4, [...written, ...written4]],
  [5, encode5, [...written, ...written5]],
];
const packetsWritten = both.flatMap(([protocol, encode, list]) =>
  // Encoding replaces the bytes in a packet, so it is shown first.
  list.map((packet) => ({ protocol, packet: shown(packet), messages: shown(encode(packet)) })),
);

const decode = (Decoder) => (messages) => {
  const decoder = new Decoder();
  let decoded;
  decoder.on("decoded", (packet) => (decoded = packet));
  messages.forEach((message) => decoder.add(message));
  if (!decoded) return undefined;
  const { type, nsp, id, data } = decoded;
  // The parser of protocol 4 answers some mistakes with a packet of its own.
  if (type === ERROR && typeof data === "string" && data.startsWith("parser error")) return undefined;
  const plain = { [BINARY_EVENT]: EVENT, [BINARY_ACK]: ACK };
  return { type: plain[type] ?? type, nsp, id, data };
};
const one = bytes(1), two = bytes(2);
const nested = (depth) => `2["a",${"[".repeat(depth)}${"]".repeat(depth)}]`;
const stray = [
  [""], ["7"], ["x"], ["0"], ["0/"], ["0/default"], ["0/default,"], ["0default,"], ["0,"], ["01"], ["0/default,1"], ["0{}"], ["0[]"], ['0"a"'], ["0null"],
  ['0/default,{"token":"a"}'], ['0/default,{"token":"a"'], ["0/default?a=b,"], ["0/a?b"], ["1"], ["1/default,"], ["1{}"], ["1/default,1"], ["2"], ["2/default,"],
  ["2[]"], ["2{}"], ["2null"], ['2["a"]'], ['2["a"] '], ['2 ["a"]'], ['2[ "a" , 1 , { "b" : 2 } ] '], ['2["a"'], ['2["a"]]'], ["2[1]"], ["2[null]"], ['2[""]'], ['2[{"a":1}]'],
  ['2["connect"]'], ['2["connect_error"]'], ['2["disconnect"]'], ['2["disconnecting"]'], ['2["newListener"]'], ['2["removeListener"]'],
  ['2["\\u0063onnect"]'], ['2["error"]'], ['20["a"]'], ['2007["a"]'], ['29007199254740991["a"]'], ['29007199254740992["a"]'],
  ['2-1["a"]'], ['2+1["a"]'], ['21.5["a"]'], ['2/default,3["a"]'], ['2/default["a"]'], ['2/default,["a","b"]'], ['2["a","\\ud800"]'],
  ["3[]"], ["31[]"], ["31"], ["31{}"], ["3/default,1[1,2]"], ['4"no"'], ['4{"message":"no"}'], [nested(62)], [nested(63)],
  ['5["a"]'], ['50-["a"]'], ['5-["a"]'], ['5x-["a"]'], ['5-1-["a"]'], ['5011-["a"]', one],
  ['51-["a",{"_placeholder":true,"num":0}]'],
  ['51-["a",{"_placeholder":true,"num":0}]', one],
  ['51-["a",{"num":0,"_placeholder":true}]', one],
  ['51-/default,7["a",{"_placeholder":true,"num":0}]', one],
  ['61-7[{"_placeholder":true,"num":0}]', one],
  ['61-[{"_placeholder":true,"num":0}]', one],
  ['52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]', one, two],
  ['51-["a",{"_placeholder":true,"num":-1}]', one],
  ['51-["a",{"_placeholder":true,"num":1}]', one],
  ['51-["a",{"_placeholder":true,"num":1e9}]', one],
  ['51-["a",{"_placeholder":true,"num":"0"}]', one],
  ['51-["a",{"_placeholder":true,"num":0.5}]', one],
  ['51-["a",{"_placeholder":true,"num":null}]', one],
  ['51-["a",{"_placeholder":true}]', one],
  ['52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]', one, two],
  ['51-["a"]', one],
  ['51-["a",{"_placeholder":false,"num":0}]', one],
  ['51-["a",{"_placeholder":true,"num":0,"num":0}]', one],
  ['51-["a",{"_placeholder":true,"num":0,"x":1}]', one],
  ['51-["a",{"_pl\\u0061ceholder":true,"num":0}]', one],
  ['51-[{"_placeholder":true,"num":0}]', one],
  ['511-["a",{"_placeholder":true,"num":0}]', one],
  ['51000-["a",{"_placeholder":true,"num":0}]', one],
  ['51-["a",{"_placeholder":true,"num":0}]', "2[\"b\"]"],
  ['2["a"]', one],
  [one],
];
const packetsRead = [
  [4, decode(socket4.Decoder)],
  [5, decode(socket5.Decoder)],
].flatMap(([protocol, read]) => stray.map((messages) => ({ protocol, messages: shown(messages), packet: attempt(() => read(messages)) })));

save("socketio.json", { packets: packetsWritten, packets_read: packetsRead });
