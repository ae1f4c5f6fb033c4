// From one connection to the next: states, reconnects, and the end.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { connect } from "../src/index.js";
import { ADMITTED, admitted, ASK_TOKEN, doorway, refused, settled, URL_OF_GATE } from "./support/fake.js";

test("a door goes from connecting to admitted, and its promise with it", async () => {
  const { door, world, states } = await doorway({ token: "eyJ" });
  assert.equal(door.state, "connecting");
  const ready = door.ready();
  world.socket.open().say(ASK_TOKEN);
  await settled();
  world.socket.say(ADMITTED);
  const admission = await ready;
  assert.deepEqual([admission.socket, admission.subject?.uuid, admission.backend], ["0f", "bob", "hub"]);
  assert.deepEqual(states, ["climbing", "admitted"]);
});

test("a credential that was named invalid is not tried again", async () => {
  for (const [code, reason] of [[4401, "not_authenticated"], [4403, "not_allowed"], [4410, "session_ended"]] as const) {
    const { door, world } = await doorway({ token: "eyJ" });
    const ready = assert.rejects(door.ready(), { code: "closed", message: /\(trace 4bf92f35\)/ });
    world.socket.open().say(refused(code, reason, "never"));
    world.socket.end(code, reason);
    await ready;
    await world.pass(3_600_000);
    assert.equal(world.sockets.length, 1);
    assert.deepEqual([door.state, door.closing?.name, door.closing?.trace], ["closed", reason, "4bf92f35"]);
  }
});

test("a close without a word of the gate before it is followed by its code and name", async () => {
  for (const [code, reason, state] of [
    [1012, "restart", "connecting"],
    [1013, "try_later", "connecting"],
    [4410, "expired", "closed"],
    [4409, "replaced", "closed"],
  ] as const) {
    const { door, world } = await admitted();
    world.socket.end(code, reason);
    assert.deepEqual([door.state, door.closing?.name], [state, reason]);
  }
});

test("a connection that is lost is tried again with growing delays, each with a fresh ticket", async () => {
  let made = 0;
  const { door, world } = await doorway({ atUpgrade: "ticket", ticket: async () => `dwt_${++made}` });
  world.socket.open();
  const delays: number[] = [];
  door.on("lost", ({ delayMs }) => delays.push(delayMs));
  world.chance = 0.999_999;
  for (let attempt = 1; attempt <= 9; attempt++) {
    assert.deepEqual(world.socket.protocols, ["doorward.v1", `ticket.doorward.dwt_${attempt}`]);
    world.socket.end(1006);
    assert.equal(door.state, "connecting");
    await world.pass(delays.at(-1) ?? 0);
    await settled();
    assert.equal(world.sockets.length, attempt + 1);
  }
  assert.deepEqual(delays, [499, 999, 1999, 3999, 7999, 15_999, 31_999, 59_999, 59_999]);
});

test("a gate that never opened is given up after three tries, in words that help, and a page may try again", async () => {
  const { door, world } = await doorway();
  world.chance = 0;
  const ready = assert.rejects(door.ready(), { code: "closed", message: /1006 not_opened: The gate did not open\. You may have to log in .* open it\.$/ });
  const refuse = async (tries: number) => {
    for (let left = tries; left > 0; left--) {
      assert.equal(door.state, "connecting");
      world.socket.end(1006);
      await world.pass(0);
    }
    await world.pass(3_600_000);
  };
  await refuse(3);
  await ready;
  assert.deepEqual([door.state, door.closing?.name, world.sockets.length, world.timers], ["closed", "not_opened", 3, 0]);
  door.reopen();
  await settled();
  await refuse(3);
  assert.deepEqual([door.closing?.name, world.sockets.length], ["not_opened", 6]);
});

test("once it was open, a door comes back however often it is refused, until it is opened anew by the page", async () => {
  const { door, world } = await admitted();
  world.chance = 0;
  for (let attempt = 1; attempt <= 9; attempt++) {
    world.socket.end(1006);
    await world.pass(0);
  }
  assert.deepEqual([door.state, world.sockets.length], ["connecting", 10]);
  world.socket.open().say(refused(4410, "session_ended", "never"));
  world.socket.end(4410);
  door.reopen();
  await settled();
  for (let attempt = 1; attempt <= 3; attempt++) {
    world.socket.end(1006);
    await world.pass(0);
  }
  assert.deepEqual([door.closing?.name, world.sockets.length], ["not_opened", 13]);
});

test("a ticket that cannot be had at first is told after the last try, and who wants more tries gets them", async () => {
  const ticket = () => Promise.reject(new Error("503"));
  const { door, world } = await doorway({ atUpgrade: "ticket", ticket });
  await world.pass(3_600_000);
  assert.deepEqual([door.state, door.closing?.name], ["closed", "call_back_failed"]);
  const patient = await doorway({ atUpgrade: "ticket", ticket, openTries: Infinity });
  await patient.world.pass(3_600_000);
  assert.equal(patient.door.state, "connecting");
});

test("the gate's advice is followed: now is at once, later not before its time", async () => {
  const { door, world } = await admitted();
  const delays: number[] = [];
  door.on("lost", ({ delayMs }) => delays.push(delayMs));
  await world.pass(60_000);
  world.socket.end(1001, "going_away");
  await world.pass(0);
  assert.equal(world.sockets.length, 2);
  world.socket.open().say(refused(4429, "too_fast", "later", 7000));
  world.socket.end(4429);
  assert.deepEqual(delays, [0, 7000]);
});

test("a socket that lived makes the next delay short again, and one that did not does not", async () => {
  const { door, world } = await doorway();
  const attempts: number[] = [];
  door.on("lost", ({ attempt }) => attempts.push(attempt));
  world.chance = 0;
  for (const lives of [0, 4_999, 5_000]) {
    world.socket.open().say(ADMITTED);
    await world.pass(lives);
    world.socket.end(1006);
    await world.pass(0);
  }
  assert.deepEqual(attempts, [1, 2, 1]);
});

test("whoever wants no reconnect gets none", async () => {
  const { door, world } = await admitted({ reconnect: false });
  world.socket.end(1012, "restart");
  assert.equal(door.state, "closed");
  assert.equal(world.timers, 0);
});

test("after the end the page may open the door again", async () => {
  const { door, world } = await admitted();
  world.socket.end(4410, "session_ended");
  door.reopen();
  await settled();
  assert.equal(world.sockets.length, 2);
  world.socket.open().say(ADMITTED);
  assert.equal(door.state, "admitted");
});

test("closing says goodbye, and a gate that does not answer is left", async () => {
  const { door, world } = await admitted();
  const closed = door.close();
  assert.deepEqual(world.socket.goodbye, { code: 1000, reason: "normal" });
  await world.pass(2_000);
  assert.deepEqual([(await closed).name, door.state, world.timers], ["normal", "closed", 0]);
});

test("closing between two connections, and before the first, leaves nothing behind", async () => {
  const { door, world } = await admitted();
  world.socket.end(1012, "restart");
  await door.close();
  assert.deepEqual([door.state, world.timers, world.sockets.length], ["closed", 0, 1]);
  const early = await doorway({ atUpgrade: "token", token: () => new Promise(() => {}) });
  await early.door.close();
  assert.deepEqual([early.door.state, early.world.sockets.length], ["closed", 0]);
});

test("a listener that closes while a reconnect is announced has its way", async () => {
  const { door, world } = await admitted();
  door.on("lost", () => void door.close());
  world.socket.end(1012, "restart");
  await world.pass(60_000);
  assert.deepEqual([door.state, world.timers, world.sockets.length], ["closed", 0, 1]);
});

test("an upgrade that is not answered is given up in time", async () => {
  const { door, world } = await doorway();
  await world.pass(10_000);
  assert.deepEqual(world.socket.goodbye, { code: 1000, reason: "normal" });
  await world.pass(2_000);
  assert.deepEqual([door.state, door.closing?.name], ["connecting", "too_slow"]);
});

test("a suspended socket says why, and goes on when it is resumed, on the same connection", async () => {
  const { door, world, states } = await admitted();
  const heard: unknown[] = [];
  door.on("suspended", (detail) => heard.push(detail));
  door.on("resumed", (detail) => heard.push(detail));
  world.socket.say({ event: "suspended", reason: "logged_out" });
  await assert.rejects(door.publish("news", 1), { code: "suspended" });
  world.socket.say({ event: "resumed", gap: true });
  assert.deepEqual(heard, [{ reason: "logged_out" }, { gap: true }]);
  assert.deepEqual(states, ["climbing", "admitted", "suspended", "admitted"]);
  assert.equal(world.sockets.length, 1);
});

test("behind a gate without a hub the bytes are the backend's", async () => {
  const { door, world } = await doorway();
  const data: unknown[] = [];
  door.on("data", (what) => data.push(what));
  world.socket.open().say({ ...ADMITTED, backend: "echo" });
  world.socket.sayRaw('{"event":"refused"}');
  assert.deepEqual(data, ['{"event":"refused"}']);
  door.send('"hello"');
  assert.deepEqual(world.socket.sent, ["hello"]);
  await assert.rejects(door.subscribe("news"), { code: "not_admitted" });
});

test("a listener that throws keeps nobody else from hearing, and is reported", async (context) => {
  const { door, world } = await doorway();
  const reported: unknown[] = [];
  const before = globalThis.reportError;
  globalThis.reportError = (error) => reported.push(error);
  context.after(() => (globalThis.reportError = before));
  door.on("admitted", () => {
    throw new Error("from the page");
  });
  let heard = false;
  door.on("admitted", () => (heard = true));
  world.socket.open().say(ADMITTED);
  assert.equal(heard, true);
  assert.match(String(reported), /from the page/);
});

test("an address that is none is told, and not repeated", () => {
  for (const address of ["", "chat", "ftp://host/chat", "wss://", "ht tp://secret"]) {
    assert.throws(() => connect(address), (error: { code: string; message: string }) => {
      return error.code === "bad_url" && !error.message.includes("secret");
    }, address);
  }
});

test("without a WebSocket the error says what to pass in", { skip: "WebSocket" in globalThis }, () => {
  assert.throws(() => connect(URL_OF_GATE), { code: "no_websocket", message: /option `WebSocket`/ });
});

test("an http address becomes one of a WebSocket", async () => {
  const urls: string[] = [];
  class Recorder {
    constructor(url: string) {
      urls.push(url);
      throw new Error("no network here");
    }
  }
  for (const address of ["https://h/a#b", "http://h/a?x=1", "wss://h/", new URL("ws://h:1/")]) {
    connect(address, { WebSocket: Recorder as never });
  }
  await settled();
  assert.deepEqual(urls, ["wss://h/a", "ws://h/a?x=1", "wss://h/", "ws://h:1/"]);
});

test("no credential stands in an error, in a close, or in what the console shows of a door", async () => {
  const secret = "s3cr3t-";
  const said: string[] = [];
  for (const options of [
    { appKey: `dwk_${secret}` },
    { challenge: secret },
    { ticket: `${secret} with space`, atUpgrade: "ticket" },
    { token: `${secret}token` },
  ] as const) {
    const { door, world } = await doorway(options);
    if (world.sockets.length > 0) {
      world.socket.open().say(
        { event: "ask", layer: "app_key", step: "s", fields: ["key"], expires_in: 5 },
        { event: "ask", layer: "challenge", step: "s", fields: ["partial", "proof"], gate: "g", nonce: "n", statement: "a", expires_in: 5 },
      );
      await settled();
      world.socket.end(1000);
    }
    said.push(inspect(door, { depth: 9, showHidden: true }), JSON.stringify(door), inspect(door.closing, { depth: 9 }));
    assert.equal(door.state, "closed");
  }
  assert.ok(!said.join("\n").includes(secret), said.join("\n"));
});

test("a ticket that cannot stand in a header is not put into one", async () => {
  for (const ticket of ["dwt_ 1", "dwt_,x", "dwt_\r\n"]) {
    const { door, world } = await doorway({ ticket, atUpgrade: "ticket" });
    assert.deepEqual([door.state, door.closing?.name, world.sockets.length], ["closed", "bad_credential", 0]);
  }
});

test("a WebSocket that repeats the subprotocols in its error does not get them told on", async () => {
  class Talkative {
    constructor(_url: string, protocols: string[]) {
      throw new SyntaxError(`The subprotocol '${protocols.join()}' is invalid.`);
    }
  }
  const door = connect(URL_OF_GATE, { ticket: "dwt_s3cr3t", atUpgrade: "ticket", WebSocket: Talkative as never });
  await settled();
  assert.deepEqual([door.state, door.closing?.name], ["closed", "bad_url"]);
  assert.ok(!inspect(door.closing, { depth: 9 }).includes("s3cr3t"));
});
