// The messages of 9P2000 as bytes (Plan 9 manual, section 5), as far as a client needs them.
//
// size[4] type[1] tag[2] ...      little endian; size counts itself; an answer's type is its request's and one

import { type Bytes, utf8 } from "../bytes.js";
import { DoorwardError } from "../error.js";

/** The types of requests. */
export const T = {
  version: 100,
  attach: 104,
  flush: 108,
  walk: 110,
  open: 112,
  create: 114,
  read: 116,
  write: 118,
  clunk: 120,
  remove: 122,
  stat: 124,
} as const;

/** The answer that says no, whatever was asked. */
export const RERROR = 107;
/** The tag of `Tversion`. */
export const NO_TAG = 0xffff;
/** No fid: of an attach without authentication. */
export const NO_FID = 0xffffffff;
/** The most names of one walk. */
export const NAMES_PER_WALK = 16;
/** What of a message is not data, at the most. */
export const IO_HEADER = 24;
/** A message is at least this long. */
export const HEADER = 7;

/** How a file is opened. */
export const READ = 0;
export const WRITE = 1;
export const TRUNCATE = 0x10;

const DIRECTORY = 0x80000000;
/** The same in a qid. */
const QID_DIRECTORY = 0x80;

/** Something that is no 9P2000: what is wrong with it. */
export class Malformed extends Error {}

/** A file, as its server describes it. */
export interface Stat {
  readonly name: string;
  readonly isDirectory: boolean;
  /** Who may do what, as in `0o640`. */
  readonly permissions: number;
  /** In bytes; 0 of a directory. */
  readonly length: number;
  readonly modified: Date;
}

/** A request, without its tag. */
export class Request {
  readonly type: number;
  readonly #bytes: number[] = [];

  constructor(type: number) {
    this.type = type;
  }

  u8(value: number): this {
    return this.#number(value, 1);
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u32(value: number): this {
    return this.#number(value, 4);
  }

  u64(value: number): this {
    return this.#number(value % 2 ** 32, 4).#number(Math.floor(value / 2 ** 32), 4);
  }

  text(text: string): this {
    const bytes = utf8(text);
    if (bytes.length > 0xffff) throw new DoorwardError("too_big", "a name is 65535 bytes at the most");
    this.u16(bytes.length).#bytes.push(...bytes);
    return this;
  }

  data(data: Bytes): this {
    this.u32(data.length);
    for (const byte of data) this.#bytes.push(byte);
    return this;
  }

  /** The whole message. */
  tagged(tag: number): Bytes {
    const whole = new Uint8Array(HEADER + this.#bytes.length);
    const view = new DataView(whole.buffer);
    view.setUint32(0, whole.length, true);
    view.setUint8(4, this.type);
    view.setUint16(5, tag, true);
    whole.set(this.#bytes, HEADER);
    return whole;
  }

  #number(value: number, width: number): this {
    for (let byte = 0; byte < width; byte++) this.#bytes.push((value >>> (8 * byte)) & 0xff);
    return this;
  }
}

/** An answer, or a part of one, read from its beginning to its end. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  u64(): number {
    return Number(this.#view.getBigUint64(this.#skip(8), true));
  }

  bytes(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    return textOf(this.bytes(this.u16()));
  }

  /** Passes over what identifies a file, but for whether it is a directory. */
  qid(): { readonly isDirectory: boolean } {
    const at = this.#skip(13);
    return { isDirectory: ((this.#bytes[at] ?? 0) & QID_DIRECTORY) !== 0 };
  }

  stat(): Stat {
    const record = new Reader(this.bytes(this.u16()));
    record.#skip(6);
    record.qid();
    const [mode, , modified] = [record.u32(), record.u32(), record.u32()];
    const [length, name] = [record.u64(), record.text()];
    return {
      name,
      length,
      isDirectory: (mode & DIRECTORY) !== 0,
      permissions: mode & 0o777,
      modified: new Date(modified * 1000),
    };
  }

  #skip(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new Malformed("a message is shorter than what it has to hold");
    this.#at = at + length;
    return at;
  }
}

/** @throws Malformed where the bytes are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("a text is not UTF-8");
  }
}

/** Puts messages together, however they come: several at once, or one in pieces. */
export class Incoming {
  /** The longest message that may come. */
  msize: number;
  #kept = new Uint8Array();

  constructor(msize: number) {
    this.msize = msize;
  }

  /** The messages that are whole with these bytes. @throws Malformed where a message says to be too short or too long. */
  *take(bytes: Uint8Array): Generator<Uint8Array> {
    let all = bytes;
    if (this.#kept.length > 0) {
      all = new Uint8Array(this.#kept.length + bytes.length);
      all.set(this.#kept);
      all.set(bytes, this.#kept.length);
    }
    let at = 0;
    while (all.length - at >= 4) {
      const size = new DataView(all.buffer, all.byteOffset + at, 4).getUint32(0, true);
      if (size < HEADER || size > this.msize) throw new Malformed(`a message says to be ${size} bytes long`);
      if (all.length - at < size) break;
      const message = all.subarray(at, at + size);
      at += size;
      this.#kept = all.slice(at);
      yield message;
    }
    this.#kept = all.slice(at);
  }
}
