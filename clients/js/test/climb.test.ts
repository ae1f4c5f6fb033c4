// The ladder: what is answered by itself, what the page is asked, and what ends a climb from this side.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GiveUp } from "../src/error.js";
import type { Answer, Ask, Question } from "../src/question.js";
import { ADMITTED, admitted, ASK_CODE, ASK_TOKEN, doorway, settled } from "./support/fake.js";

/** Answers when the test says so. */
function slowPerson() {
  const questions: Question[] = [];
  const answers: ((answer: Answer) => void)[] = [];
  const onQuestion = (question: Question) => {
    questions.push(question);
    return new Promise<Answer>((resolve) => answers.push(resolve));
  };
  return { questions, answers, onQuestion };
}

test("what no credential answers the page is asked, with what the layer told and how long there is time", async () => {
  const { questions, answers, onQuestion } = slowPerson();
  const { world } = await doorway({ onQuestion });
  const socket = world.socket.open();
  socket.say({ event: "tell", layer: "ident", step: "socket shows glyph", glyph: "☂" });
  socket.say({ event: "ask", layer: "ident", step: "user accepts glyph", fields: ["accept"], expires_in: 60 });
  await settled();
  const asked = questions[0] as Ask;
  assert.deepEqual([asked.kind, asked.layer, asked.fields, asked.expiresIn], ["ask", "ident", ["accept"], 60]);
  assert.equal(asked.expiresAt, world.now() + 60_000);
  assert.equal(asked.told[0]?.shows["glyph"], "☂");
  answers[0]?.({ accept: true });
  await settled();
  assert.deepEqual(socket.sent, [{ action: "auth", kind: "ident", accept: true }]);
});

test("the page chooses and answers, and whoever listens hears who answered", async () => {
  const onQuestion = (question: Question): Answer => (question.kind === "choose" ? { take: question.of[1] ?? "" } : { code: 123456 });
  const { door, world } = await doorway({ onQuestion, token: "eyJ" });
  const answered: unknown[] = [];
  door.on("answered", (detail) => answered.push(detail));
  const socket = world.socket.open().say({ event: "choose", of: ["sms", "totp"], expires_in: 60 });
  await settled();
  socket.say(ASK_CODE);
  await settled();
  socket.say(ASK_TOKEN);
  await settled();
  assert.deepEqual(socket.sent, [
    { action: "auth", kind: "totp" },
    { action: "auth", kind: "totp", code: 123456 },
    { action: "auth", kind: "jwt", token: "eyJ" },
  ]);
  assert.deepEqual(answered, [
    { layer: "totp", automatic: false },
    { layer: "totp", automatic: false, step: "user sends code" },
    { layer: "jwt", automatic: true, step: "user sends token" },
  ]);
});

test("the page may skip what is optional; without a page it is skipped", async () => {
  const choose = { event: "choose", of: ["totp"], optional: true, expires_in: 60 };
  for (const options of [{ onQuestion: (): Answer => "skip" }, {}]) {
    const { world } = await doorway(options);
    world.socket.open().say(choose);
    await settled();
    assert.deepEqual(world.socket.sent, [{ action: "auth", kind: "skip" }]);
  }
});

test("a question that nobody can answer ends the connection for good, and says which", async () => {
  for (const options of [{}, { onQuestion: () => undefined }]) {
    const { door, world } = await doorway(options);
    world.socket.open().say(ASK_CODE);
    await settled();
    assert.deepEqual(world.socket.goodbye, { code: 1000, reason: "normal" });
    world.socket.end(1000, "normal");
    assert.equal(door.state, "closed");
    assert.equal(door.closing?.error?.code, "no_answer");
    assert.match(door.closing?.sentence ?? "", /`code` \(totp: user sends code\)/);
  }
});

test("a question is dropped when its time is over, and a late answer is not sent", async () => {
  const { questions, answers, onQuestion } = slowPerson();
  const { world } = await doorway({ onQuestion });
  const socket = world.socket.open().say(ASK_CODE);
  await settled();
  await world.pass(29_999);
  assert.equal(questions[0]?.signal.aborted, false);
  await world.pass(1);
  assert.equal(questions[0]?.signal.aborted, true);
  answers[0]?.({ code: "1" });
  await settled();
  assert.deepEqual(socket.sent, []);
});

test("a verdict, another question and the end of the connection drop the question before", async () => {
  for (const [what, happen] of [
    ["verdict", (socket) => socket.say(ADMITTED)],
    ["question", (socket) => socket.say({ ...ASK_CODE, step: "user sends code again" })],
    ["end", (socket) => socket.end()],
  ] as [string, (socket: { say(event: object): void; end(): void }) => void][]) {
    const { questions, answers, onQuestion } = slowPerson();
    const { world } = await doorway({ onQuestion });
    const socket = world.socket.open().say(ASK_CODE);
    await settled();
    happen(socket);
    assert.equal(questions[0]?.signal.aborted, true, what);
    answers[0]?.({ code: "1" });
    await settled();
    assert.deepEqual(socket.sent, [], what);
  }
});

test("another glyph than the expected one is the end, before anything was said", async () => {
  const { door, world } = await doorway({ glyph: "☂", token: "eyJ" });
  const tell = { event: "tell", layer: "ident", step: "socket shows glyph", glyph: "☀" };
  world.socket.open().say(tell, ASK_TOKEN);
  await settled();
  world.socket.end(1000);
  assert.equal(door.closing?.error?.code, "other_gate");
  assert.deepEqual(world.socket.sent, []);
});

test("nothing is signed for another gate, or another owner's", async () => {
  const appKey = "dwk_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f05374d92";
  const challenge = "00".repeat(32);
  const proof = { event: "ask", layer: "app_key", step: "user sends proof", fields: ["proof"], nonce: "n", expires_in: 5 };
  const posed = { event: "ask", layer: "challenge", step: "s", fields: ["partial", "proof"], statement: "a b", nonce: "n", expires_in: 5 };
  for (const ask of [
    { ...proof, owner: "acme", gate: "other" },
    { ...proof, owner: "other", gate: "fancy" },
    { ...posed, gate: "other" },
  ]) {
    const { door, world } = await doorway({ appKey, challenge, gate: { owner: "acme", name: "fancy" } });
    world.socket.open().say(ask);
    await settled();
    world.socket.end(1000);
    assert.equal(door.closing?.error?.code, "other_gate");
    assert.deepEqual(world.socket.sent, []);
  }
});

test("a gate that is silent when it is its turn is left, and tried again later", async () => {
  const { door, world } = await doorway({ token: "eyJ" });
  world.socket.open();
  await settled();
  await world.pass(14_999);
  assert.equal(world.socket.goodbye, undefined);
  world.socket.say(ASK_TOKEN);
  await settled();
  assert.equal(world.socket.sent.length, 1);
  await world.pass(14_999);
  assert.equal(world.socket.goodbye, undefined, "an answer begins the time anew");
  await world.pass(1);
  world.socket.end(1000);
  assert.deepEqual([door.state, door.closing?.name, door.closing?.reconnect], ["connecting", "too_slow", "later"]);
});

test("a gate that never says a word is left", async () => {
  const { door, world } = await doorway();
  world.socket.open();
  await world.pass(15_000);
  world.socket.end(1000);
  assert.equal(door.closing?.name, "too_slow");
});

test("a gate that waits for something elsewhere is not silent, and the page hears of it", async () => {
  const { door, world } = await doorway();
  const heard: unknown[] = [];
  door.on("wait", ({ layer, shows, expiresIn }) => heard.push([layer, shows["for"], expiresIn]));
  world.socket.open().say({ event: "wait", layer: "assert_login", step: "user logs in", for: "login", expires_in: 300 });
  await settled();
  assert.deepEqual(heard, [["assert_login", "login", 300]]);
  await world.pass(300_000);
  assert.equal(world.socket.goodbye, undefined);
  door.say("assert_login", { check: true });
  assert.deepEqual(world.socket.sent, [{ action: "auth", kind: "assert_login", check: true }]);
});

test("what is asked after the admission goes the same way, and the socket stays", async () => {
  let tokens = 0;
  const { door, world, states } = await admitted({ token: () => `token ${++tokens}`, onQuestion: () => ({ code: "1" }) });
  world.socket.say(ASK_TOKEN);
  await settled();
  world.socket.say(ASK_CODE);
  await settled();
  await world.pass(3_600_000);
  world.socket.say({ ...ADMITTED, expires_at: "2026-11-22T01:00:00.000Z" });
  assert.deepEqual(world.socket.sent, [
    { action: "auth", kind: "jwt", token: "token 1" },
    { action: "auth", kind: "totp", code: "1" },
  ]);
  assert.equal(door.admission?.expiresAt, "2026-11-22T01:00:00.000Z");
  assert.deepEqual(states, ["climbing", "admitted"]);
});

test("a call-back that gives up is not tried again, and one that fails is", async () => {
  for (const [thrown, state, code] of [
    [new GiveUp("log in first"), "closed", "no_answer"],
    [new Error("no network"), "connecting", "call_back_failed"],
  ] as const) {
    const { door, world } = await doorway({
      ticket: () => {
        throw thrown;
      },
    });
    world.socket.open().say({ event: "ask", layer: "ticket", step: "user sends ticket", fields: ["ticket"], expires_in: 5 });
    await settled();
    world.socket.end(1000);
    assert.deepEqual([door.state, door.closing?.error?.code], [state, code]);
  }
});

test("a call-back that never comes back is given up", async () => {
  const { door, world } = await doorway({ atUpgrade: "ticket", ticket: () => new Promise(() => {}) });
  await world.pass(10_000);
  assert.deepEqual([door.state, door.closing?.name], ["connecting", "too_slow"]);
  assert.equal(world.sockets.length, 0);
});

test("what does not speak the protocol is left for good", async () => {
  for (const [said, what] of [
    ["hello", /no JSON/],
    ["[1]", /no JSON object/],
    ['{"event":1}', /`event`/],
    ['{"event":"ask","layer":"x"}', /`step`/],
    [new ArrayBuffer(1), /binary/],
  ] as const) {
    const { door, world } = await doorway();
    world.socket.open().sayRaw(said);
    await settled();
    world.socket.end(1000);
    assert.deepEqual([door.state, door.closing?.name], ["closed", "not_doorward"]);
    assert.match(door.closing?.sentence ?? "", what);
  }
});

test("events and members that this version does not know are passed over", async () => {
  const { door, world } = await doorway();
  const others: unknown[] = [];
  door.on("other", (event) => others.push(event));
  world.socket.open().say({ event: "weather", rain: true }, { ...ADMITTED, mood: "fine" });
  await settled();
  assert.deepEqual(others, [{ event: "weather", rain: true }]);
  assert.equal(door.state, "admitted");
});
