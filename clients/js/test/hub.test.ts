// Requests, their answers, and what is subscribed to again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADMITTED, admitted, settled } from "./support/fake.js";

test("a request is answered by the event with its id, whatever comes between", async () => {
  const { door, world } = await admitted();
  const heard: unknown[] = [];
  door.on("message", (message) => heard.push(message));
  const one = door.subscribe({ channel: "group", pk: 3 });
  const two = door.publish({ channel: "group", pk: 3n }, { any: "json" });
  assert.deepEqual(world.socket.sent, [
    { action: "subscribe", channel: "group", pk: "3", id: 1 },
    { action: "publish", channel: "group", pk: "3", id: 2, message: { any: "json" } },
  ]);
  world.socket.say({ event: "message", channel: "group", pk: "3", message: [1] }, { event: "published", id: 2 });
  await two;
  world.socket.say({ event: "subscribed", channel: "group", pk: "3", id: 1 });
  assert.deepEqual(await one, { channel: "group", pk: "3" });
  assert.deepEqual(heard, [{ channel: "group", pk: "3", message: [1] }]);
});

test("what the hub refuses is told by its word", async () => {
  const { door, world } = await admitted();
  const denied = assert.rejects(door.subscribe("secret"), { code: "request_refused", reason: "permission_denied" });
  world.socket.say({ event: "error", id: 1, code: "permission_denied", message: "you may not do that there" });
  await denied;
});

test("an action of the application's own gives what its model answers, and nobody else hears it", async () => {
  const { door, world } = await admitted();
  door.on("message", () => assert.fail("an answer is no message of the channel"));
  const answer = door.request("typing", { channel: "group", pk: "3" }, { on: true });
  world.socket.say({ event: "message", channel: "group", pk: "3", message: { seen: true }, id: 1 });
  assert.deepEqual(await answer, { seen: true });
});

test("a request that is not answered in time is given up", async () => {
  const { door, world } = await admitted();
  const slow = assert.rejects(door.publish("news", 1), { code: "too_slow" });
  await world.pass(10_000);
  await slow;
  assert.equal(world.timers, 0);
});

test("what waits when the connection ends is told so, and what comes after it too", async () => {
  const { door, world } = await admitted();
  const lost = assert.rejects(door.publish("news", 1), { code: "lost" });
  world.socket.end(1012, "restart");
  await lost;
  await assert.rejects(door.publish("news", 1), { code: "not_admitted" });
  await door.unsubscribe("news");
});

test("a subscription that the gate ends by itself is given up, and told", async () => {
  const { door, world } = await admitted();
  const made = door.subscribe({ channel: "group", pk: 3 });
  world.socket.say({ event: "subscribed", channel: "group", pk: "3", id: 1 });
  await made;
  const dropped: unknown[] = [];
  door.on("dropped", ({ channel, pk, error }) => dropped.push([channel, pk, error.reason]));
  world.socket.say({ event: "unsubscribed", channel: "group", pk: "3" });
  assert.deepEqual(dropped, [["group", "3", "permission_denied"]]);
  world.chance = 0;
  world.socket.end(1012, "restart");
  await world.pass(0);
  world.socket.open().say(ADMITTED);
  await settled();
  assert.deepEqual(world.socket.sent, []);
});

test("after a reconnect the subscriptions are made again, but not those that were given up", async () => {
  const { door, world } = await admitted();
  for (const channel of ["a", "b", "c"]) {
    const made = door.subscribe({ channel, pk: 1 });
    world.socket.say({ event: "subscribed", channel, pk: "1", id: world.socket.sent.length });
    await made;
  }
  const left = door.unsubscribe("b");
  world.socket.say({ event: "unsubscribed", channel: "b", id: 4 });
  await left;
  const dropped: unknown[] = [];
  door.on("dropped", ({ channel, error }) => dropped.push([channel, error.reason]));
  world.chance = 0;
  world.socket.end(1012, "restart");
  await world.pass(0);
  world.socket.open().say(ADMITTED);
  await settled();
  assert.deepEqual(world.socket.sent, [{ action: "subscribe", channel: "a", pk: "1", id: 5 }]);
  world.socket.say({ event: "error", id: 5, code: "permission_denied", message: "" });
  await settled();
  assert.deepEqual(world.socket.sent.at(-1), { action: "subscribe", channel: "c", pk: "1", id: 6 });
  world.socket.say({ event: "subscribed", channel: "c", pk: "1", id: 6 });
  assert.deepEqual(dropped, [["a", "permission_denied"]]);
  world.socket.end(1012, "restart");
  await world.pass(0);
  world.socket.open().say(ADMITTED);
  await settled();
  assert.deepEqual(world.socket.sent, [{ action: "subscribe", channel: "c", pk: "1", id: 7 }]);
});

test("many subscriptions are made again slowly enough for the gate", async () => {
  const { door, world } = await admitted();
  for (let pk = 1; pk <= 30; pk++) {
    const made = door.subscribe({ channel: "a", pk });
    world.socket.say({ event: "subscribed", channel: "a", pk: String(pk), id: pk });
    await made;
  }
  world.chance = 0;
  world.socket.end(1012, "restart");
  await world.pass(0);
  const socket = world.socket.open().say(ADMITTED);
  const answerAll = async () => {
    for (let before = -1; before !== socket.sent.length; ) {
      before = socket.sent.length;
      const { id, pk } = socket.sent.at(-1) as { id: number; pk: string };
      socket.say({ event: "subscribed", channel: "a", pk, id });
      await settled();
    }
  };
  await settled();
  await answerAll();
  assert.equal(socket.sent.length, 20);
  for (let second = 1; second <= 10; second++) {
    await world.pass(100);
    await answerAll();
    assert.equal(socket.sent.length, 20 + second);
  }
});

test("a message of the hub that cannot be read is passed over, and told", async () => {
  const { door, world } = await admitted();
  const heard: string[] = [];
  door.on("malformed", (what) => heard.push(what));
  world.socket.sayRaw("{");
  world.socket.sayRaw('{"event":"message"}');
  assert.deepEqual(heard, ["it is no JSON", "`channel` is no text"]);
  assert.equal(door.state, "admitted");
});
