// One connection that speaks 9P2000, from its upgrade to its end.
//
// client -> gate     GET, with the subprotocol 9p
// client -> files    Tversion
// files  -> client   Rversion: the longest message
// client -> files    Tattach, fid 0
// files  -> client   Rattach
// client <-> files   requests and answers
// gate   -> client   Close

import { type Closing, closeReason, notOpened, ofOurOwn, describe } from "../close.js";
import { Connection } from "../connection.js";
import { DoorwardError } from "../error.js";
import type { Timeouts } from "../options.js";
import type { World } from "../world.js";
import { Incoming, IO_HEADER, Malformed, NO_FID, type Reader, Request, T } from "./message.js";
import { type How, Requests } from "./requests.js";

/** The subprotocol that is offered. */
const SUBPROTOCOL = "9p";
const VERSION = "9P2000";
const DEFAULT_MSIZE = 65_536;
/** Less holds no listing of a file with a long name. */
const LEAST_MSIZE = 512;

/** The fid of the root. */
export const ROOT = 0;

/** How one is opened, beside its address. */
export interface LinkOptions {
  readonly uname: string;
  readonly aname: string;
}

export class Link {
  /** How it ended. */
  readonly closed: Promise<Closing>;
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #incoming = new Incoming(DEFAULT_MSIZE);
  /** The fids that were used and are free again. */
  readonly #free: number[] = [];
  #nextFid = ROOT + 1;
  #wasOpen = false;
  #hasLeft = false;
  #closing: Closing | undefined;

  /** Gives one once the root is there. @throws DoorwardError `closed`, with the reason; `bad_url`. */
  static async open(url: string, options: LinkOptions, timeouts: Required<Timeouts>, world: World): Promise<Link> {
    let opened = () => {};
    const isOpen = new Promise<void>((resolve) => (opened = resolve));
    const link = new Link(url, timeouts, world, () => opened());
    try {
      await Promise.race([isOpen, link.closed]);
      await link.#begin(options);
      return link;
    } catch (error) {
      // What the other side refuses ends it too; why is said by the end.
      if (error instanceof DoorwardError) link.#connection.close(error);
      throw ended(await link.closed);
    }
  }

  private constructor(url: string, timeouts: Required<Timeouts>, world: World, opened: () => void) {
    let closed: (closing: Closing) => void = () => {};
    this.closed = new Promise((resolve) => (closed = resolve));
    this.#connection = new Connection(url, [SUBPROTOCOL], timeouts, world, {
      opened: () => {
        this.#wasOpen = true;
        opened();
      },
      message: (data) => this.#hear(data),
      ended: (code, reason, error) => {
        const closing = this.#closingOf(code, reason, error);
        this.#closing = closing;
        const lost = new DoorwardError("lost", "the connection ended before an answer came", { closing });
        this.#requests.close(lost, ended(closing));
        closed(closing);
      },
    });
    const wire = {
      send: (message: Uint8Array<ArrayBuffer>) => this.#connection.send(message),
      broken: (error: DoorwardError) => this.#connection.close(error),
    };
    this.#requests = new Requests(wire, world, timeouts.request);
  }

  /** Whether it has not ended. */
  get isOpen(): boolean {
    return this.#wasOpen && this.#closing === undefined;
  }

  /** How many bytes of data one message holds. */
  get room(): number {
    return this.#incoming.msize - IO_HEADER;
  }

  ask<Told>(request: Request, read: (answer: Reader) => Told, how?: How): Promise<Told> {
    return this.#requests.ask(request, read, how);
  }

  /** A fid that is not in use. */
  takeFid(): number {
    return this.#free.pop() ?? this.#nextFid++;
  }

  /** It is not in use any more: it was clunked, or was never made. */
  freeFid(fid: number): void {
    this.#free.push(fid);
  }

  /** Leaves. */
  leave(): Promise<Closing> {
    if (!this.#closing) {
      this.#hasLeft = true;
      this.#connection.close();
    }
    return this.closed;
  }

  async #begin({ uname, aname }: LinkOptions): Promise<void> {
    const version = new Request(T.version).u32(DEFAULT_MSIZE).text(VERSION);
    const agreed = await this.ask(version, (answer) => ({ msize: answer.u32(), version: answer.text() }));
    if (agreed.version !== VERSION) throw not9p(`it speaks \`${agreed.version.slice(0, 32)}\` instead`);
    if (agreed.msize < LEAST_MSIZE || agreed.msize > DEFAULT_MSIZE) throw not9p(`its messages are ${agreed.msize} bytes at the most`);
    this.#incoming.msize = agreed.msize;
    const attach = new Request(T.attach).u32(ROOT).u32(NO_FID).text(uname).text(aname);
    await this.ask(attach, (answer) => answer.qid());
  }

  #hear(data: string | ArrayBuffer): void {
    if (typeof data === "string") return this.#hearText(data);
    try {
      for (const message of this.#incoming.take(new Uint8Array(data))) this.#requests.hear(message);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#connection.close(not9p(error.message));
    }
  }

  /** A gate with more than handshake layers says more than 9P first; what it says at its end is in its Close too. */
  #hearText(text: string): void {
    if (/"event"\s*:\s*"(admitted|refused)"/.test(text)) return;
    const asks = /"event"\s*:\s*"(ask|choose|tell|wait)"/.test(text);
    const what = "the gate asks for more than a request can show, which this client does not answer";
    this.#connection.close(asks ? new DoorwardError("no_answer", what) : not9p("a text came"));
  }

  #closingOf(code: number, name: string, error?: DoorwardError): Closing {
    if (this.#hasLeft) return { ...closeReason(1000, "normal"), afterMs: 0 };
    if (error) return ofOurOwn(error);
    const closing = { ...closeReason(code, name), afterMs: 0 };
    return this.#wasOpen ? closing : notOpened(closing);
  }
}

const ended = (closing: Closing) => new DoorwardError("closed", describe(closing), { closing });
const not9p = (what: string) => new DoorwardError("not_9p", `what answers there does not speak 9P2000 as it should: ${what}`);
