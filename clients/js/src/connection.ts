import { DoorwardError } from "./error.js";
import type { Timeouts } from "./options.js";
import type { WebSocketLike, World } from "./world.js";

/** What a connection tells; `ended` comes once, and last. */
export interface Hears {
  opened(): void;
  message(data: string | ArrayBuffer): void;
  ended(code: number, reason: string, error?: DoorwardError): void;
}

/** One WebSocket, from its upgrade to its end, each bounded in time. */
export class Connection {
  readonly #socket: WebSocketLike;
  readonly #world: World;
  readonly #closeTimeout: number;
  readonly #hears: Hears;
  #cancel: () => void;
  #isLeaving = false;
  #isOver = false;
  #error: DoorwardError | undefined;

  /** @throws DoorwardError `bad_url` where no WebSocket can be made of the address. It is not repeated. */
  constructor(url: string, protocols: string[], timeouts: Required<Timeouts>, world: World, hears: Hears) {
    this.#world = world;
    this.#hears = hears;
    this.#closeTimeout = timeouts.close;
    try {
      this.#socket = new world.WebSocket(url, protocols);
    } catch {
      // What was thrown is not passed on: it repeats the subprotocols, and one of them may be a credential.
      const hint = "a page of `https://` can open `wss://` only, and its policy (`connect-src`) has to allow the address";
      throw new DoorwardError("bad_url", `no WebSocket can be opened there: ${hint}`);
    }
    const socket = this.#socket;
    socket.binaryType = "arraybuffer";
    this.#cancel = world.after(timeouts.open, () =>
      this.close(new DoorwardError("too_slow", `the connection was not open within ${timeouts.open} ms`)),
    );
    socket.addEventListener("open", () => {
      if (this.#isLeaving) return;
      this.#cancel();
      hears.opened();
    });
    socket.addEventListener("message", ({ data }) => {
      if (!this.#isLeaving) hears.message(data as string | ArrayBuffer);
    });
    // The close that follows says all that a page may know.
    socket.addEventListener("error", () => {});
    socket.addEventListener("close", ({ code, reason }) => this.#end(code, reason));
  }

  send(data: string | ArrayBufferLike | ArrayBufferView<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  /** Says goodbye; whoever does not answer in time is left. `error` is why, where something went wrong on this side. */
  close(error?: DoorwardError): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#error = error;
    this.#cancel();
    this.#cancel = this.#world.after(this.#closeTimeout, () => this.#end(1006, ""));
    this.#socket.close(1000, "normal");
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = this.#isLeaving = true;
    this.#cancel();
    this.#hears.ended(code, reason, this.#error);
  }
}
