// One connection, from its credentials to its end.
//
// page   -> client   credential for the upgrade, fetched
// client -> gate     GET, with the subprotocol doorward.v1
// gate  <-> client   the ladder, see climb.ts
// gate   -> client   admitted, and what the backend says; or refused
// gate  <-> client   Close

import { Climb } from "./climb.js";
import { type Closing, closeReason, ofOurOwn } from "./close.js";
import { Connection } from "./connection.js";
import { DoorwardError, ours } from "./error.js";
import { subprotocols } from "./obtain.js";
import type { Options, Timeouts } from "./options.js";
import type { Answered, Tell, Wait } from "./question.js";
import { type GateEvent, Malformed, readEvent } from "./wire.js";
import type { World } from "./world.js";

/** What a visit leaves to whoever made it. */
export type Heard = Exclude<GateEvent, { event: "ask" | "choose" | "tell" | "wait" | "refused" }>;

/** What a visit tells; `ended` comes once, and last. */
export interface Handlers {
  /** The upgrade is done, the ladder begins. */
  opened(): void;
  heard(event: Heard): void;
  tell(tell: Tell): void;
  wait(wait: Wait): void;
  answered(answered: Answered): void;
  data(data: string | ArrayBuffer): void;
  malformed(what: string): void;
  /** `livedMs`: for how long it was admitted. */
  ended(closing: Closing, livedMs: number): void;
}

export class Visit {
  readonly #options: Options;
  readonly #timeouts: Required<Timeouts>;
  readonly #world: World;
  readonly #handlers: Handlers;
  readonly #climb: Climb;
  #connection: Connection | undefined;
  #refused: Closing | undefined;
  #admittedAt: number | undefined;
  #speaksJson = true;
  #hasLeft = false;
  #isOpen = false;
  #isOver = false;

  constructor(options: Options, timeouts: Required<Timeouts>, world: World, handlers: Handlers) {
    this.#options = options;
    this.#timeouts = timeouts;
    this.#world = world;
    this.#handlers = handlers;
    this.#climb = new Climb(options, timeouts, world, {
      send: (text) => this.send(text),
      tell: (tell) => handlers.tell(tell),
      wait: (wait) => handlers.wait(wait),
      answered: (answered) => handlers.answered(answered),
      fail: (error) => this.#fail(error),
    });
  }

  /** Whether something can be said to the gate. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#isOver;
  }

  async begin(url: string): Promise<void> {
    try {
      const protocols = await subprotocols(this.#options, this.#world, this.#timeouts.credential);
      if (this.#isOver) return;
      this.#connection = new Connection(url, protocols, this.#timeouts, this.#world, {
        opened: () => this.#opened(),
        message: (data) => this.#message(data),
        ended: (code, reason, error) => this.#end(this.#closing(code, reason, error)),
      });
    } catch (error) {
      this.#fail(ours(error));
    }
  }

  send(data: string | ArrayBufferLike | ArrayBufferView<ArrayBuffer>): void {
    this.#connection?.send(data);
  }

  /** Leaves, by the wish of the page. */
  leave(): void {
    this.#hasLeft = true;
    if (this.#connection) this.#connection.close();
    else this.#end(this.#closing(1000, "normal"));
  }

  #opened(): void {
    this.#isOpen = true;
    this.#handlers.opened();
    void this.#climb.begin();
  }

  #message(data: string | ArrayBuffer): void {
    if (!this.#speaksJson) return this.#handlers.data(data);
    let event: GateEvent;
    try {
      if (typeof data !== "string") throw new Malformed("it is a binary message");
      event = readEvent(data);
    } catch (error) {
      const what = error instanceof Malformed ? error.message : "it cannot be read";
      if (this.#admittedAt !== undefined) return this.#handlers.malformed(what);
      return this.#fail(new DoorwardError("not_doorward", `what answers there does not speak \`doorward.v1\`: ${what}`));
    }
    switch (event.event) {
      case "ask":
      case "choose":
      case "tell":
      case "wait":
        return this.#climb.hear(event);
      case "refused": {
        const { code, reason, reconnect, afterMs, trace } = event;
        this.#refused = { ...closeReason(code, reason), reconnect, afterMs, ...(trace && { trace }) };
        this.#climb.end();
        // The gate closes now. That it does so in time is what this makes sure of.
        return this.#connection?.close();
      }
      case "admitted":
        this.#climb.admitted();
        this.#admittedAt ??= this.#world.now();
        this.#speaksJson = event.admission.backend === "hub";
    }
    this.#handlers.heard(event);
  }

  #fail(error: DoorwardError): void {
    this.#climb.end();
    if (this.#connection) this.#connection.close(error);
    else this.#end(this.#closing(1000, "", error));
  }

  #closing(code: number, reason: string, error?: DoorwardError): Closing {
    if (this.#refused) return this.#refused;
    if (this.#hasLeft) return { ...closeReason(1000, "normal"), afterMs: 0 };
    return error ? ofOurOwn(error) : { ...closeReason(code, reason), afterMs: 0 };
  }

  #end(closing: Closing): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#climb.end();
    this.#handlers.ended(closing, this.#admittedAt === undefined ? 0 : this.#world.now() - this.#admittedAt);
  }
}
