// A world to move by hand: a clock, timers, chance, and sockets whose other end is the test.

import { Door } from "../../src/door.js";
import type { State } from "../../src/events.js";
import type { Options } from "../../src/options.js";
import type { WebSocketConstructor, World } from "../../src/world.js";

type Listener = (event: never) => void;

/** One WebSocket; the test is the gate. */
export class FakeSocket {
  binaryType = "blob";
  protocol = "doorward.v1";
  readonly sent: unknown[] = [];
  /** What was said to close it, before the gate has answered. */
  goodbye: { code: number | undefined; reason: string | undefined } | undefined;
  readonly #listeners = new Map<string, Listener[]>();

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {}

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Uint8Array): void {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : data);
  }

  close(code?: number, reason?: string): void {
    this.goodbye = { code, reason };
  }

  /** The upgrade is answered with 101. */
  open(): this {
    this.#fire("open", {});
    return this;
  }

  /** The gate says something. */
  say(...events: object[]): this {
    for (const event of events) this.#fire("message", { data: JSON.stringify(event) });
    return this;
  }

  sayRaw(data: unknown): void {
    this.#fire("message", { data });
  }

  /** The connection ends. */
  end(code = 1006, reason = ""): void {
    if (code === 1006) this.#fire("error", {});
    this.#fire("close", { code, reason });
  }

  #fire(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

/** Time that stands still until it is moved. */
export class FakeWorld implements World {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: WebSocketConstructor;
  /** What is drawn by chance. */
  chance = 0.5;
  #now = 1_795_305_600_000;
  #timers: { at: number; then: () => void }[] = [];

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    } as unknown as WebSocketConstructor;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance;
  }

  after(milliseconds: number, then: () => void): () => void {
    const timer = { at: this.#now + milliseconds, then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Lets time pass, timer by timer. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.then();
      await settled();
    }
    this.#now = until;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no connection was tried");
    return socket;
  }
}

/** All that can go on without waiting for anything has gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Waits for something that comes about by itself, such as the work of WebCrypto. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 100_000; turn++) {
    if (holds()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  throw new Error(`waited in vain for ${what}`);
}

export const URL_OF_GATE = "wss://socket.example/fancy";

/** A door in a world of its own, its first connection not open yet, and all the states that it has been in. */
export async function doorway(options: Options = {}): Promise<{ door: Door; world: FakeWorld; states: State[] }> {
  const world = new FakeWorld();
  const door = new Door(URL_OF_GATE, options, world);
  const states: State[] = [];
  door.on("state", (state) => states.push(state));
  await settled();
  return { door, world, states };
}

export const ADMITTED = { event: "admitted", socket: "0f", subject: { kind: "member", pk: "7", uuid: "bob" }, backend: "hub" };
export const ASK_CODE = { event: "ask", layer: "totp", step: "user sends code", fields: ["code"], expires_in: 30 };
export const ASK_TOKEN = { event: "ask", layer: "jwt", step: "user sends token", fields: ["token"], expires_in: 5 };

export const refused = (code: number, reason: string, reconnect: string, after_ms = 0) => ({
  event: "refused",
  code,
  reason,
  reconnect,
  after_ms,
  trace: "4bf92f35",
});

/** A door that was let in. */
export async function admitted(options: Options = {}): ReturnType<typeof doorway> {
  const made = await doorway(options);
  made.world.socket.open().say(ADMITTED);
  await settled();
  return made;
}
