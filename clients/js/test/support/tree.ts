// A server of a few files in memory, at the other end of a fake socket: `/cart` with what is in it, and whatever a test answers itself.

import { Files } from "../../src/ninep/files.js";
import { Link } from "../../src/ninep/link.js";
import { HEADER, NO_TAG, Reader, Request, RERROR, T } from "../../src/ninep/message.js";
import { withDefaults } from "../../src/options.js";
import { FakeWorld, settled, URL_OF_GATE } from "./fake.js";

/** What came, by its type and tag, with what is left of it to read. */
export interface Came {
  readonly type: number;
  readonly tag: number;
  readonly body: Reader;
  readonly bytes: Uint8Array;
}

export const cameIn = (bytes: Uint8Array): Came => {
  const head = new Reader(bytes.subarray(4));
  return { type: head.u8(), tag: head.u16(), body: new Reader(bytes.subarray(HEADER)), bytes };
};

const qid = (request: Request, type = 0) => request.u8(type).u32(0).u64(7);

export class Tree {
  readonly world = new FakeWorld();
  readonly cart = new Map<string, string>();
  readonly fids = new Map<number, string[]>();
  /** What is left unanswered. */
  silentOn = new Set<number>();
  readonly unanswered: Came[] = [];
  /** Into pieces of how many bytes answers are cut. */
  pieces = Infinity;
  #seen = 0;

  /** Answers all that has come, until nothing comes any more. */
  async serve(): Promise<void> {
    for (;;) {
      await settled();
      const { sent } = this.world.socket;
      if (this.#seen === sent.length) return;
      const came = cameIn(sent[this.#seen++] as Uint8Array);
      if (this.silentOn.has(came.type)) this.unanswered.push(came);
      else this.say(this.#answer(came).tagged(came.tag));
    }
  }

  /** What comes of a promise that waits for answers. */
  async of<Told>(promise: Promise<Told>): Promise<Told> {
    promise.catch(() => {});
    await this.serve();
    return promise;
  }

  /** The types of all that came. */
  get types(): number[] {
    return this.world.socket.sent.map((bytes) => cameIn(bytes as Uint8Array).type);
  }

  say(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += this.pieces) this.world.socket.sayRaw(bytes.slice(at, at + this.pieces).buffer);
  }

  error(tag: number, text: string): void {
    this.say(new Request(RERROR).text(text).tagged(tag));
  }

  #answer({ type, body }: Came): Request {
    const answer = new Request(type + 1);
    const no = (text: string) => new Request(RERROR).text(text);
    if (type === T.version) return answer.u32(8192).text("9P2000");
    if (type === T.flush) return answer;
    const fid = body.u32();
    const at = this.fids.get(fid);
    if (type === T.attach) return this.fids.set(fid, []), qid(answer, 0x80);
    if (!at) return no("unknown fid");
    const name = at[1] ?? "";
    switch (type) {
      case T.walk: {
        const [newfid, many] = [body.u32(), body.u16()];
        const to = [...at, ...Array.from({ length: many }, () => body.text())];
        const isThere = to.length === 2 ? this.cart.has(to[1] ?? "") : to.at(-1) !== "nowhere";
        const known = isThere ? many : many - 1;
        if (known === 0 && many > 0) return no("file not found");
        if (known === many) this.fids.set(newfid, to);
        answer.u16(known);
        for (let each = 0; each < known; each++) qid(answer);
        return answer;
      }
      case T.open:
        return qid(answer, at.length > 1 ? 0 : 0x80).u32(0);
      case T.create: {
        const made = body.text();
        if (this.cart.has(made)) return no("file already exists");
        this.cart.set(made, "1\n");
        return qid(answer).u32(0);
      }
      case T.read: {
        const [offset, count] = [body.u64(), body.u32()];
        return answer.data(this.#content(at, name).slice(offset, offset + count));
      }
      case T.write: {
        body.u64();
        const data = body.bytes(body.u32());
        this.cart.set(name, new TextDecoder().decode(data));
        return answer.u32(data.length);
      }
      case T.remove:
        this.cart.delete(name);
        this.fids.delete(fid);
        return answer;
      case T.clunk:
        this.fids.delete(fid);
        return answer;
      case T.stat: {
        const record = recordOf(name);
        answer.u16(record.length);
        for (const byte of record) answer.u8(byte);
        return answer;
      }
      default:
        return no("what?");
    }
  }

  #content(at: readonly string[], name: string): Uint8Array<ArrayBuffer> {
    const text = this.cart.get(name);
    if (at.length > 1) return new TextEncoder().encode(text);
    return Uint8Array.from([...this.cart.keys()].flatMap((sku) => [...recordOf(sku)]));
  }
}

function recordOf(name: string): Uint8Array {
  const record = qid(new Request(0).u16(0).u32(0)).u32(0o600).u32(0).u32(1_795_305_600).u64(2).text(name).text("").text("").text("");
  const bytes = record.tagged(NO_TAG).subarray(HEADER);
  return Uint8Array.from([bytes.length & 0xff, bytes.length >> 8, ...bytes]);
}

/** A tree, and the files of it that are open. */
export async function planted(pieces = Infinity): Promise<{ tree: Tree; files: Files }> {
  const tree = new Tree();
  tree.pieces = pieces;
  const link = Link.open(URL_OF_GATE, { uname: "u", aname: "" }, withDefaults(), tree.world);
  await settled();
  tree.world.socket.open();
  return { tree, files: new Files(await tree.of(link)) };
}
