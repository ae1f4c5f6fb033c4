// Requests and their answers, by tag; and how a request is given up.
//
// client -> files    T..., with a tag that no other request has
// files  -> client   R..., or Rerror, with that tag
//
// client -> files    Tflush, once nobody waits for the answer any more
// files  -> client   Rflush: the tag is free. An answer that came before it counts

import type { Bytes } from "../bytes.js";
import { DoorwardError } from "../error.js";
import type { World } from "../world.js";
import { Malformed, NO_TAG, Reader, Request, RERROR, T } from "./message.js";

/** How an answer is waited for. */
export interface How {
  /** Gives the request up. What was done already stays done, and is told as done. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; for ever for `Infinity`. */
  readonly patience?: number;
}

interface Pending {
  readonly type: number;
  hear(answer: Reader): void;
  reject(error: unknown): void;
  /** Why nobody waits for it any more. */
  givenUp?: { readonly because: unknown };
}

/** What a connection does for its requests. */
export interface Wire {
  send(message: Bytes): void;
  /** What comes there is no answer, or comes too late: it cannot go on. */
  broken(error: DoorwardError): void;
}

export class Requests {
  readonly #wire: Wire;
  readonly #world: World;
  readonly #patience: number;
  readonly #pending = new Map<number, Pending>();
  #lastTag = NO_TAG - 1;
  #over: DoorwardError | undefined;

  constructor(wire: Wire, world: World, patience: number) {
    this.#wire = wire;
    this.#world = world;
    this.#patience = patience;
  }

  /** Sends a request, and gives what is read from its answer. */
  ask<Told>(request: Request, read: (answer: Reader) => Told, { signal, patience = this.#patience }: How = {}): Promise<Told> {
    if (this.#over) return Promise.reject(this.#over);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#pending.size >= NO_TAG) return Promise.reject(new DoorwardError("too_big", "there are too many requests at once"));
    const tag = request.type === T.version ? NO_TAG : this.#freeTag();
    return new Promise((resolve, reject) => {
      const giveUp = (because: unknown) => this.#flush(tag, pending, because);
      const abort = () => giveUp(signal?.reason);
      const cancel =
        patience === Infinity ? () => {} : this.#world.after(patience, () => giveUp(tooSlow(`no answer came within ${patience} ms`)));
      const settle = () => {
        cancel();
        signal?.removeEventListener("abort", abort);
      };
      const pending: Pending = {
        type: request.type,
        hear: (answer) => (settle(), resolve(read(answer))),
        reject: (error) => (settle(), reject(error)),
      };
      signal?.addEventListener("abort", abort);
      this.#pending.set(tag, pending);
      this.#wire.send(request.tagged(tag));
    });
  }

  /** Hears a message. */
  hear(message: Uint8Array): void {
    const reader = new Reader(message.subarray(4));
    const [type, tag] = [reader.u8(), reader.u16()];
    const pending = this.#pending.get(tag);
    if (!pending) throw new Malformed("an answer came to what was not asked");
    if (type === RERROR) {
      const text = reader.text();
      this.#pending.delete(tag);
      pending.reject(new DoorwardError("request_refused", text, { reason: text }));
    } else if (type === pending.type + 1) {
      pending.hear(reader);
      this.#pending.delete(tag);
    } else {
      throw new Malformed(`a message of type ${type} came as the answer to one of type ${pending.type}`);
    }
    if (!reader.isAtEnd) throw new Malformed("a message is longer than what it holds");
  }

  /** From now on nothing is asked, and what was asked is not answered. */
  close(because: DoorwardError, fromNowOn = because): void {
    this.#over = fromNowOn;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const each of pending) each.reject(because);
  }

  #flush(tag: number, pending: Pending, because: unknown): void {
    if (pending.givenUp || this.#pending.get(tag) !== pending) return;
    pending.givenUp = { because };
    if (tag === NO_TAG || pending.type === T.flush) return this.#wire.broken(tooSlow("the other side does not answer"));
    const flushed = this.ask(new Request(T.flush).u16(tag), () => this.#pending.get(tag) === pending);
    const settle = (isUnanswered: boolean) => {
      if (!isUnanswered) return;
      this.#pending.delete(tag);
      pending.reject(because);
    };
    // Where the connection ends first, that is what its request hears.
    flushed.then(settle, () => {});
  }

  #freeTag(): number {
    do this.#lastTag = (this.#lastTag + 1) % NO_TAG;
    while (this.#pending.has(this.#lastTag));
    return this.#lastTag;
  }
}

const tooSlow = (message: string) => new DoorwardError("too_slow", message);
