// Files over 9P2000: the bytes, the verbs, how something is given up, and how it all ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { describe as inWords } from "../src/close.js";
import { DoorwardError } from "../src/error.js";
import { Link } from "../src/ninep/link.js";
import { Incoming, Malformed, NO_FID, NO_TAG, Request, RERROR, T } from "../src/ninep/message.js";
import { withDefaults } from "../src/options.js";
import { FakeWorld, settled, URL_OF_GATE } from "./support/fake.js";
import { cameIn, planted, Tree } from "./support/tree.js";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (of: Uint8Array) => Buffer.from(of).toString("hex");

// Made by the PyPI package python-9p 0.1.0.
const VERSION = "1300000064ffff002000000600395032303030";
const ATTACH = "1400000068000000000000ffffffff0100750000";
const DENIED = "1a0000006b010011007065726d697373696f6e2064656e696564";

test("messages are, byte by byte, those of another implementation", () => {
  assert.equal(hex(new Request(T.version).u32(8192).text("9P2000").tagged(NO_TAG)), VERSION);
  assert.equal(hex(new Request(T.attach).u32(0).u32(NO_FID).text("u").text("").tagged(0)), ATTACH);
  assert.equal(hex(new Request(RERROR).text("permission denied").tagged(1)), DENIED);
  const { type, tag, body } = cameIn(bytes(DENIED));
  assert.deepEqual([type, tag, body.text(), body.isAtEnd], [RERROR, 1, "permission denied", true]);
});

test("a message that says to be too short or too long is refused before it has come", () => {
  for (const size of ["06000000", "01200000", "ffffffff"]) {
    assert.throws(() => [...new Incoming(8192).take(bytes(size))], Malformed, size);
  }
  assert.deepEqual([...new Incoming(8192).take(bytes("00200000"))], []);
});

test("a connection names its subprotocol, agrees on a size, and attaches without authentication", async () => {
  const { tree } = await planted();
  assert.deepEqual(tree.world.socket.protocols, ["9p"]);
  assert.equal(tree.world.socket.binaryType, "arraybuffer");
  assert.deepEqual(tree.types, [T.version, T.attach]);
  assert.equal(hex(tree.world.socket.sent[1] as Uint8Array), ATTACH);
});

for (const pieces of [Infinity, 1, 5]) {
  test(`a cart is filled and emptied, where answers come ${pieces === Infinity ? "whole" : `in pieces of ${pieces}`}`, async () => {
    const { tree, files } = await planted(pieces);
    await tree.of(files.create("/cart/sku-7"));
    assert.equal(await tree.of(files.read("/cart/sku-7")), "1\n");
    await tree.of(files.write("/cart/sku-7", "3"));
    await tree.of(files.create("cart//./ä"));
    assert.equal(await tree.of(files.read("/cart/sku-7")), "3");
    assert.deepEqual((await tree.of(files.list("/cart"))).map(({ name }) => name), ["sku-7", "ä"]);
    assert.deepEqual(await tree.of(files.stat("/cart/sku-7")), {
      name: "sku-7",
      isDirectory: false,
      permissions: 0o600,
      length: 2,
      modified: new Date(1_795_305_600_000),
    });
    await tree.of(files.remove("/cart/sku-7"));
    assert.deepEqual([...tree.cart.keys()], ["ä"]);
    await tree.serve();
    assert.deepEqual([...tree.fids.keys()], [0], "what was opened is closed");
    for (const sent of tree.world.socket.sent as Uint8Array[]) {
      assert.equal(new DataView(sent.buffer).getUint32(0, true), sent.length, "each is a message of its own");
    }
  });
}

test("what the server refuses is told in its words, and leaves nothing open", async () => {
  const { tree, files } = await planted();
  await tree.of(files.create("/cart/a"));
  const refused = (reason: string) => ({ code: "request_refused", reason });
  await assert.rejects(tree.of(files.create("/cart/a")), refused("file already exists"));
  await assert.rejects(tree.of(files.read("/cart/b")), refused("file not found"));
  await assert.rejects(tree.of(files.read("/cart")), refused("that is a directory: list it"));
  await assert.rejects(tree.of(files.list("/cart/a")), refused("that is no directory: read it"));
  await tree.serve();
  assert.deepEqual([...tree.fids.keys()], [0]);
  await tree.of(files.read("/cart/a"));
  const fids = tree.world.socket.sent.map((sent) => cameIn(sent as Uint8Array)).filter(({ type }) => type === T.walk);
  assert.ok(fids.every(({ body }) => (body.u32(), body.u32() <= 2)), "fids are used again");
});

test("a path of more than sixteen names is walked in parts", async () => {
  const { tree, files } = await planted();
  await tree.of(files.stat(Array.from({ length: 20 }, (_, each) => `d${each}`).join("/")));
  assert.equal(tree.types.filter((type) => type === T.walk).length, 2);
  await tree.serve();
  assert.deepEqual([...tree.fids.keys()], [0]);
});

test("where a later part of a path is not there, nothing stays open", async () => {
  const { tree, files } = await planted();
  const path = [...Array.from({ length: 17 }, (_, each) => `d${each}`), "nowhere"].join("/");
  await assert.rejects(tree.of(files.stat(path)), { reason: "file not found" });
  await tree.serve();
  assert.deepEqual([...tree.fids.keys()], [0]);
});

test("a text that does not fit into one message is not sent in parts", async () => {
  const { tree, files } = await planted();
  await tree.of(files.create("/cart/a"));
  await tree.of(files.write("/cart/a", "x".repeat(8192 - 24)));
  await assert.rejects(files.write("/cart/a", "x".repeat(8192 - 23)), { code: "too_big" });
});

test("what is given up is flushed, and its tag is not used again before that is answered", async () => {
  const { tree, files } = await planted();
  tree.cart.set("a", "1\n");
  tree.silentOn = new Set([T.read, T.flush]);
  const giveUp = new AbortController();
  const read = files.read("/cart/a", { signal: giveUp.signal });
  let isOver = false;
  read.catch(() => (isOver = true));
  await tree.serve();
  giveUp.abort(new Error("enough"));
  await tree.serve();
  const [asked, flush] = tree.unanswered;
  assert.ok(asked && flush);
  assert.equal(flush.body.u16(), asked.tag);
  assert.equal(isOver, false);
  tree.say(new Request(T.flush + 1).tagged(flush.tag));
  await assert.rejects(read, { message: "enough" });
  await tree.serve();
  assert.deepEqual([...tree.fids.keys()], [0]);
});

test("an answer that comes before the flush is done counts", async () => {
  const { tree, files } = await planted();
  tree.cart.set("a", "1\n");
  tree.silentOn = new Set([T.write, T.flush]);
  const giveUp = new AbortController();
  const write = files.write("/cart/a", "2", { signal: giveUp.signal });
  await tree.serve();
  giveUp.abort();
  await tree.serve();
  const [asked, flush] = tree.unanswered;
  assert.ok(asked && flush);
  tree.say(new Request(T.write + 1).u32(1).tagged(asked.tag));
  tree.say(new Request(T.flush + 1).tagged(flush.tag));
  await write;
});

test("nothing is asked for somebody who has given up before", async () => {
  const { tree, files } = await planted();
  await assert.rejects(files.read("/cart/a", { signal: AbortSignal.abort(new Error("no")) }), { message: "no" });
  await tree.serve();
  assert.deepEqual(tree.types, [T.version, T.attach]);
});

test("a request that is not answered in time is given up, and a server that is silent is left", async () => {
  const { tree, files } = await planted();
  tree.cart.set("a", "1\n");
  tree.silentOn = new Set([T.stat]);
  const slow = assert.rejects(files.stat("/cart/a"), { code: "too_slow" });
  await tree.serve();
  await tree.world.pass(10_000);
  await tree.serve();
  await slow;
  tree.silentOn = new Set([T.stat, T.flush]);
  const lost = assert.rejects(files.stat("/cart/a"), { code: "lost" });
  await tree.serve();
  await tree.world.pass(10_000);
  await tree.serve();
  await tree.world.pass(12_000);
  await lost;
  assert.equal((await files.closed).name, "too_slow");
  assert.equal(tree.world.timers, 0);
});

test("a channel is followed, message by message, however long one is and however long it takes", async () => {
  const { tree, files } = await planted();
  tree.silentOn = new Set([T.read]);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const said = async (...pieces: (string | Uint8Array<ArrayBuffer>)[]) => {
    for (const piece of pieces) {
      await tree.serve();
      const data = typeof piece === "string" ? bytes(piece) : piece;
      tree.say(new Request(T.read + 1).data(data).tagged(tree.unanswered.shift()?.tag ?? 0));
    }
  };
  const lost: string[] = [];
  const messages = files.follow("/channels/group/3", { onLost: () => lost.push("lost") });
  const next = async (...pieces: Parameters<typeof said>) => {
    const message = messages.next();
    await said(...pieces);
    return (await message).value;
  };
  const room = 8192 - 24;
  assert.deepEqual(await next('{"n":1}\n'), { n: 1 });
  const long = JSON.stringify("x".repeat(room - 3));
  assert.equal(long.length, room - 1);
  assert.equal(await next(`${long}\n`), "x".repeat(room - 3));
  const inLines = `[1,${" ".repeat(room - 4)}\n2]`;
  assert.deepEqual(await next(inLines.slice(0, room), `${inLines.slice(room)}\n`), [1, 2]);
  const euro = bytes('"€"\n');
  assert.equal(await next(euro.slice(0, 2), euro.slice(2)), "€", "a character may lie in two pieces");
  const late = messages.next();
  await tree.serve();
  await tree.world.pass(3_600_000);
  tree.error(tree.unanswered.shift()?.tag ?? 0, "messages were lost");
  await said("4\n");
  assert.equal((await late).value, 4);
  assert.deepEqual(lost, ["lost"]);
  await messages.return();
  await tree.serve();
  assert.deepEqual([...tree.fids.keys()], [0]);
});

test("to abort is to follow no more", async () => {
  const { tree, files } = await planted();
  tree.silentOn = new Set([T.read]);
  const giveUp = new AbortController();
  const next = files.follow("/channels/group/3", { signal: giveUp.signal }).next();
  next.catch(() => {});
  await tree.serve();
  giveUp.abort(new Error("enough"));
  await tree.serve();
  await assert.rejects(next, { message: "enough" });
  assert.deepEqual([...tree.fids.keys()], [0]);
});

test("the end comes with its reason, for what waits and for what comes after it", async () => {
  const { tree, files } = await planted();
  tree.silentOn = new Set([T.walk]);
  const waiting = assert.rejects(files.read("/session"), ({ code, closing }: DoorwardError) => {
    assert.deepEqual([code, closing?.name], ["lost", "session_ended"]);
    return true;
  });
  await tree.serve();
  tree.world.socket.end(4410, "session_ended");
  await waiting;
  const closing = await files.closed;
  assert.match(inWords(closing), /^4410 session_ended: The login that opened this connection has ended\./);
  assert.equal(files.isOpen, false);
  await assert.rejects(files.read("/session"), { code: "closed", closing });
  assert.equal(tree.world.timers, 0);
});

test("whoever leaves is told so, once the other side has heard it", async () => {
  const { tree, files } = await planted();
  const closing = files.close();
  assert.equal(tree.world.socket.goodbye?.code, 1000);
  tree.world.socket.end(1000, "normal");
  assert.equal((await closing).name, "normal");
  assert.equal(await files.close(), await closing);
});

/** How a connection ends on which that was said first. */
async function endedBy(say: (tree: Tree) => void | Promise<void>): Promise<DoorwardError> {
  const tree = new Tree();
  const link = Link.open(URL_OF_GATE, { uname: "u", aname: "" }, withDefaults(), tree.world);
  const failed = link.then(
    () => assert.fail("it was opened"),
    (error: unknown) => error as DoorwardError,
  );
  await settled();
  await say(tree);
  await settled();
  if (tree.world.socket.goodbye) tree.world.socket.end(1000, "normal");
  const error = await failed;
  assert.equal(error.code, "closed");
  return error;
}

test("a gate that does not open is told as what it can be", async () => {
  const { closing } = await endedBy((tree) => tree.world.socket.end());
  assert.equal(closing?.name, "not_opened");
});

test("what speaks no 9P2000, or something else first, is left", async () => {
  const said = (what: (tree: Tree) => void) => async (tree: Tree) => {
    tree.world.socket.open();
    await settled();
    what(tree);
  };
  const version = (size: number, name: string) =>
    said((tree) => tree.say(new Request(T.version + 1).u32(size).text(name).tagged(NO_TAG)));
  const says = (message: string) => said((tree) => tree.world.socket.sayRaw(bytes(message).buffer));
  const text = (event: string) => said((tree) => void tree.world.socket.say({ event }));
  const cases: [string, (tree: Tree) => Promise<void>][] = [
    ["not_9p", version(8192, "unknown")],
    ["not_9p", version(511, "9P2000")],
    ["not_9p", version(65_537, "9P2000")],
    ["not_9p", says("06000000")],
    ["not_9p", says("0700000065ffff")], // Rversion without what it has to hold
    ["not_9p", says("13000000650000002000000600395032303030")], // of a tag that was not asked
    ["not_9p", says("1300000069ffff002000000600395032303030")], // Rattach
    ["not_9p", says("1400000065ffff00200000060039503230303000")], // longer than what it holds
    ["not_9p", says("0b0000006bffff0200ffff")], // a text that is no UTF-8
    ["not_9p", text("hello")],
    ["no_answer", text("ask")],
  ];
  for (const [each, [name, say]] of cases.entries()) assert.equal((await endedBy(say)).closing?.name, name, `case ${each}`);
});

test("a server that never says its version is left", async () => {
  const world = new FakeWorld();
  const link = assert.rejects(Link.open(URL_OF_GATE, { uname: "u", aname: "" }, withDefaults(), world), { code: "closed" });
  await settled();
  world.socket.open();
  await settled();
  await world.pass(12_000);
  await link;
  assert.equal(world.timers, 0);
});
