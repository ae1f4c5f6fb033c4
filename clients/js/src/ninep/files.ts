// What is done with files, each by its path from the root.
//
// read     walk, open, read ... read, clunk         until a read gives nothing
// write    walk, open, write, clunk                 whole, in one message
// create   walk to the directory, create, clunk
// remove   walk, remove
// list     walk, open, read ... read, clunk         of a directory
// stat     walk, stat, clunk
// follow   walk, open, read, read ...               each waits for the next message

import { utf8 } from "../bytes.js";
import type { Closing } from "../close.js";
import { DoorwardError } from "../error.js";
import { type Link, ROOT } from "./link.js";
import { NAMES_PER_WALK, READ, Reader, Request, type Stat, T, textOf, TRUNCATE, WRITE } from "./message.js";

/** How something is done. */
export interface Doing {
  /** Gives it up. What was done already stays done. */
  readonly signal?: AbortSignal | undefined;
}

/** How a channel is followed. */
export interface Following extends Doing {
  /** Is called where messages were lost, since they came faster than they were read. Without it that is an error. */
  readonly onLost?: () => void;
}

/** What a new file may be used for by whom, where the server asks. */
const PERMISSIONS = 0o644;
/** The last byte of a message of a channel. */
const LINE_END = 0x0a;
/** The error of a server that kept no more. */
const LOST = "messages were lost";

/**
 * A tree of files behind a gate. One connection: it does not come back by itself, since what was open is gone with it.
 *
 * Every verb is rejected with a {@link DoorwardError}: `request_refused` where the server says no, with its text as the `reason`;
 * `lost` where the connection ended before the answer, and `closed` after it had, with the `closing`; `too_slow`, `too_big`, `not_9p`.
 */
export class Files {
  /** How the connection ended. It is never rejected. */
  readonly closed: Promise<Closing>;
  readonly #link: Link;

  /** @internal */
  constructor(link: Link) {
    this.#link = link;
    this.closed = link.closed;
  }

  /** Whether the connection is there. */
  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /** The text of a file that has an end. A channel has none: {@link follow} it. */
  async read(path: string, { signal }: Doing = {}): Promise<string> {
    return textOr9p(await this.#open(path, READ, signal, (fid, kind) => (only(!kind.isDirectory, IS_DIRECTORY), this.#whole(fid, signal))));
  }

  /** Writes a file anew, whole and in one message. */
  write(path: string, text: string, { signal }: Doing = {}): Promise<void> {
    const data = utf8(text);
    if (data.length > this.#link.room) {
      const why = `a text is ${this.#link.room} bytes at the most here, and this one has ${data.length}`;
      return Promise.reject(new DoorwardError("too_big", why));
    }
    return this.#open(path, WRITE | TRUNCATE, signal, async (fid) => {
      const written = await this.#link.ask(new Request(T.write).u32(fid).u64(0).data(data), (answer) => answer.u32(), { signal });
      if (written !== data.length) throw new DoorwardError("request_refused", `only ${written} of ${data.length} bytes were written`);
    });
  }

  /** Makes a file, in a directory that is there. */
  create(path: string, { signal }: Doing = {}): Promise<void> {
    const names = namesIn(path);
    const name = names.pop() ?? "";
    return this.#at(names, signal, (fid) => {
      const create = new Request(T.create).u32(fid).text(name).u32(PERMISSIONS).u8(WRITE);
      return this.#link.ask(create, (answer) => void opened(answer), { signal });
    });
  }

  /** Takes a file away. */
  async remove(path: string, { signal }: Doing = {}): Promise<void> {
    const fid = await this.#walk(namesIn(path), signal);
    // It frees the fid, also where it is refused. Once it is given up, whether it was done is not known: then the fid stays behind.
    let isAnswered = true;
    try {
      await this.#link.ask(new Request(T.remove).u32(fid), () => {}, { signal });
    } catch (error) {
      isAnswered = error instanceof DoorwardError && error.code === "request_refused";
      throw error;
    } finally {
      if (isAnswered) this.#link.freeFid(fid);
      else this.#clunk(fid);
    }
  }

  /** What is in a directory. */
  async list(path: string, { signal }: Doing = {}): Promise<readonly Stat[]> {
    const records = await this.#open(path, READ, signal, (fid, kind) => (only(kind.isDirectory, NO_DIRECTORY), this.#whole(fid, signal)));
    return orNot9p(() => {
      const [found, reader] = [[] as Stat[], new Reader(records)];
      while (!reader.isAtEnd) found.push(reader.stat());
      return found;
    });
  }

  /** What a server says of a file. */
  stat(path: string, { signal }: Doing = {}): Promise<Stat> {
    return this.#at(namesIn(path), signal, (fid) =>
      this.#link.ask(new Request(T.stat).u32(fid), (answer) => (answer.u16(), answer.stat()), { signal }),
    );
  }

  /**
   * The messages of a channel, from now on, as JSON says them. To leave the loop, or to abort, is to follow it no more.
   *
   * @example
   * for await (const message of files.follow("/channels/group/3", { signal })) show(message);
   */
  async *follow(path: string, { signal, onLost }: Following = {}): AsyncGenerator<unknown, void, void> {
    const fid = await this.#walk(namesIn(path), signal);
    try {
      await this.#link.ask(openFor(fid, READ), opened, { signal });
      for (let pieces: Uint8Array[] = []; ; ) {
        let piece: Uint8Array;
        try {
          piece = await this.#read(fid, 0, { signal, patience: Infinity });
        } catch (error) {
          if (!onLost || !(error instanceof DoorwardError) || error.reason !== LOST) throw error;
          pieces = [];
          onLost();
          continue;
        }
        if (piece.length === 0) return;
        // Two messages never come in one read, and the last piece of one is the one that ends its line.
        pieces.push(piece);
        if (piece.at(-1) !== LINE_END) continue;
        const message = parsed(textOr9p(joined(pieces)), piece.length < this.#link.room);
        if (!message) continue;
        pieces = [];
        yield message.value;
      }
    } finally {
      this.#clunk(fid);
    }
  }

  /** Leaves. Resolves when the connection is over. */
  close(): Promise<Closing> {
    return this.#link.leave();
  }

  /** Opens a file, does something with it, and closes it. */
  #open<Done>(path: string, mode: number, signal: AbortSignal | undefined, then: Then<Done>): Promise<Done> {
    return this.#at(namesIn(path), signal, async (fid) => then(fid, await this.#link.ask(openFor(fid, mode), opened, { signal })));
  }

  async #at<Done>(names: readonly string[], signal: AbortSignal | undefined, then: (fid: number) => Promise<Done>): Promise<Done> {
    const fid = await this.#walk(names, signal);
    try {
      return await then(fid);
    } finally {
      this.#clunk(fid);
    }
  }

  /** Gives a fid of what is there. One walk has sixteen names at the most. */
  async #walk(names: readonly string[], signal: AbortSignal | undefined): Promise<number> {
    const fid = this.#link.takeFid();
    let from = ROOT;
    let at = 0;
    try {
      do {
        const next = names.slice(at, at + NAMES_PER_WALK);
        const walk = new Request(T.walk).u32(from).u32(fid).u16(next.length);
        for (const name of next) walk.text(name);
        const reached = await this.#link.ask(walk, qids, { signal });
        if (reached !== next.length) throw new DoorwardError("request_refused", NOT_FOUND, { reason: NOT_FOUND });
        from = fid;
        at += next.length;
      } while (at < names.length);
      return fid;
    } catch (error) {
      if (from === fid) this.#clunk(fid);
      else this.#link.freeFid(fid);
      throw error;
    }
  }

  /** Reads to the end. */
  async #whole(fid: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let length = 0; ; ) {
      const piece = await this.#read(fid, length, { signal });
      if (piece.length === 0) return joined(pieces);
      pieces.push(piece);
      length += piece.length;
    }
  }

  #read(fid: number, offset: number, how: { signal: AbortSignal | undefined; patience?: number }): Promise<Uint8Array> {
    const read = new Request(T.read).u32(fid).u64(offset).u32(this.#link.room);
    return this.#link.ask(read, (answer) => answer.bytes(answer.u32()).slice(), how);
  }

  /** Nobody waits for it, and nobody gives it up. Also where it is refused, the fid is free. */
  #clunk(fid: number): void {
    const free = () => this.#link.freeFid(fid);
    this.#link.ask(new Request(T.clunk).u32(fid), () => {}).then(free, free);
  }
}

/** What is done with an open file, or an open directory. */
type Then<Done> = (fid: number, kind: { readonly isDirectory: boolean }) => Promise<Done>;

const NOT_FOUND = "file not found";
const IS_DIRECTORY = "that is a directory: list it";
const NO_DIRECTORY = "that is no directory: read it";

const namesIn = (path: string) => path.split("/").filter((name) => name !== "" && name !== ".");
const openFor = (fid: number, mode: number) => new Request(T.open).u32(fid).u8(mode);

function opened(answer: Reader): { readonly isDirectory: boolean } {
  const kind = answer.qid();
  answer.u32();
  return kind;
}

/** Refuses what the server would give, and what would then be taken for something else. */
function only(is: boolean, reason: string): void {
  if (!is) throw new DoorwardError("request_refused", reason, { reason });
}

function qids(answer: Reader): number {
  const many = answer.u16();
  for (let each = 0; each < many; each++) answer.qid();
  return many;
}

/** What a line of a channel says; nothing where more of it is to come. */
function parsed(line: string, isWhole: boolean): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) as unknown };
  } catch {
    if (!isWhole) return undefined;
    throw new DoorwardError("not_9p", "a message of a channel is no JSON");
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) (whole.set(piece, at), (at += piece.length));
  return whole;
}

const textOr9p = (bytes: Uint8Array) => orNot9p(() => textOf(bytes));

/** What is read; where that fails the file is not what it was asked for. */
function orNot9p<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    throw new DoorwardError("not_9p", error instanceof Error ? error.message : "a file cannot be read", { cause: error });
  }
}
