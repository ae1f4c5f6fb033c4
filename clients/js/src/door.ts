// From one connection to the next.
//
//   connecting ──▶ climbing ──▶ admitted ◀──▶ suspended
//       ▲              │            │             │
//       └── later ─────┴────────────┴─────────────┴──▶ closed

import { delayBefore } from "./backoff.js";
import { type Closing, closeReason, describe, notOpened } from "./close.js";
import { Emitter } from "./emitter.js";
import { DoorwardError } from "./error.js";
import type { Events, State } from "./events.js";
import { Hub, NOT_ADMITTED, type Where } from "./hub.js";
import { OPEN_TRIES, type Options, type Timeouts, withDefaults } from "./options.js";
import { type Heard, Visit } from "./visit.js";
import { type Admission, auth, type Fields, type Place } from "./wire.js";
import type { World } from "./world.js";

/** After so many milliseconds an admitted socket counts as one that lived, and the next delay is short again. */
const LIVED = 5_000;

/** A gate that is opened, and opened again when the gate advises it. Made by {@link connect}. */
export class Door {
  readonly #url: string;
  readonly #options: Options;
  readonly #timeouts: Required<Timeouts>;
  readonly #world: World;
  readonly #emitter = new Emitter<Events>();
  readonly #hub: Hub;
  #state: State = "connecting";
  #admission: Admission | undefined;
  #closing: Closing | undefined;
  #visit: Visit | undefined;
  #failures = 0;
  #wasOpen = false;
  #cancelRetry = () => {};

  /** @internal */
  constructor(url: string, options: Options, world: World) {
    this.#url = url;
    this.#options = options;
    this.#timeouts = withDefaults(options.timeouts);
    this.#world = world;
    this.#hub = new Hub(world, this.#timeouts.request);
    this.#begin();
  }

  /** Where the door stands. */
  get state(): State {
    return this.#state;
  }

  /** What the gate said when it let us in; `undefined` while we are not in. */
  get admission(): Admission | undefined {
    return this.#admission;
  }

  /** How the last connection ended. */
  get closing(): Closing | undefined {
    return this.#closing;
  }

  /** Listens; gives what ends the listening. */
  on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /**
   * Waits until the ladder is climbed, over as many connections as it takes.
   *
   * @throws DoorwardError `closed` once no further connection is tried; its message says why.
   */
  ready(): Promise<Admission> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        if (this.#state === "admitted" && this.#admission) resolve(this.#admission);
        else if (this.#state === "closed" && this.#closing) reject(new DoorwardError("closed", describe(this.#closing)));
        else return false;
        return true;
      };
      if (settle()) return;
      const stop = this.on("state", () => settle() && stop());
    });
  }

  /**
   * Asks for the messages of a channel; they come as the event `message`. After a reconnect it is asked for again.
   *
   * Where the gate subscribes to several objects at once, this gives the first of them.
   *
   * @throws DoorwardError `request_refused`, `not_admitted`, `suspended`, `lost` or `too_slow`.
   */
  subscribe(where: Where): Promise<Place> {
    return this.#hub.subscribe(where);
  }

  /** Asks for no more messages of a channel; without a `pk`, of all its objects. */
  unsubscribe(where: Where): Promise<void> {
    return this.#hub.unsubscribe(where);
  }

  /** Publishes anything that JSON can say. Resolves when the hub has taken it. */
  async publish(where: Where, message: unknown): Promise<void> {
    await this.#hub.request("publish", where, message === undefined ? null : message);
  }

  /** Sends an action of the application's own and gives what its model answers. */
  async request(action: string, where: Where, message?: unknown): Promise<unknown> {
    const answer = await this.#hub.request(action, where, message);
    return answer.event === "message" ? answer.message : undefined;
  }

  /** Sends something as it is, to a backend that is no hub. */
  send(data: string | ArrayBufferLike | ArrayBufferView<ArrayBuffer>): void {
    if (this.#state !== "admitted" || !this.#visit) throw new DoorwardError("not_admitted", NOT_ADMITTED);
    this.#visit.send(data);
  }

  /** Says something to a layer that has not asked, for layers that take such: to have it look again, for example. */
  say(layer: string, fields: Fields = {}): void {
    if (!this.#visit?.isOpen) throw new DoorwardError("not_admitted", "there is no open connection at this moment");
    this.#visit.send(auth(layer, fields));
  }

  /** Connects again after the end, as one who was never here. Subscriptions are made again. */
  reopen(): void {
    if (this.#state !== "closed") return;
    this.#failures = 0;
    this.#wasOpen = false;
    this.#begin();
  }

  /** Leaves, for good. Resolves when the connection is over. */
  close(): Promise<Closing> {
    this.#cancelRetry();
    const closed = new Promise<Closing>((resolve) => {
      if (this.#state === "closed" && this.#closing) return resolve(this.#closing);
      const stop = this.on("closed", (closing) => (stop(), resolve(closing)));
    });
    if (this.#visit) this.#visit.leave();
    else if (this.#state !== "closed") this.#close({ ...closeReason(1000), afterMs: 0 });
    return closed;
  }

  #begin(): void {
    const visit = new Visit(this.#options, this.#timeouts, this.#world, {
      opened: () => {
        this.#wasOpen = true;
        this.#become("climbing");
      },
      heard: (event) => this.#hear(event),
      tell: (tell) => this.#emitter.emit("tell", tell),
      wait: (wait) => this.#emitter.emit("wait", wait),
      answered: (answered) => this.#emitter.emit("answered", answered),
      data: (data) => this.#emitter.emit("data", data),
      malformed: (what) => this.#emitter.emit("malformed", what),
      ended: (closing, livedMs) => this.#ended(closing, livedMs),
    });
    this.#visit = visit;
    this.#become("connecting");
    void visit.begin(this.#url);
  }

  #hear(event: Heard): void {
    switch (event.event) {
      case "admitted": {
        const isFirst = this.#admission === undefined;
        this.#admission = event.admission;
        this.#goOn();
        this.#emitter.emit("admitted", event.admission);
        if (isFirst) void this.#hub.subscribeAgain((place, error) => this.#emitter.emit("dropped", { ...place, error }));
        return;
      }
      case "suspended":
        this.#hub.close(new DoorwardError("suspended", "the socket is suspended: nothing gets through until it is resumed"));
        this.#become("suspended");
        return this.#emitter.emit("suspended", { reason: event.reason });
      case "resumed":
        this.#goOn();
        return this.#emitter.emit("resumed", { gap: event.gap });
      case "other":
        return this.#emitter.emit("other", event.raw);
      case "unsubscribed":
        if (event.id === undefined) {
          this.#hub.giveUp(event.place);
          const why = "permission_denied: the new admission does not allow this subscription";
          const error = new DoorwardError("request_refused", why, { reason: "permission_denied" });
          return this.#emitter.emit("dropped", { ...event.place, error });
        }
        break;
      case "message":
        if (event.id === undefined) this.#emitter.emit("message", { ...event.place, message: event.message });
    }
    this.#hub.hear(event);
  }

  #goOn(): void {
    const visit = this.#visit;
    if (!visit) return;
    if (this.#admission?.backend === "hub") this.#hub.open((text) => visit.send(text));
    this.#become("admitted");
  }

  #ended(closing: Closing, livedMs: number): void {
    this.#visit = this.#admission = undefined;
    this.#closing = closing;
    const lost = new DoorwardError("lost", "the connection ended before an answer came");
    this.#hub.close(lost, new DoorwardError("not_admitted", NOT_ADMITTED));
    if (livedMs >= LIVED) this.#failures = 0;
    const delayMs =
      this.#options.reconnect === false ? undefined : delayBefore(closing, this.#failures, this.#world.random());
    if (delayMs === undefined) return this.#close(closing);
    const attempt = ++this.#failures;
    if (!this.#wasOpen && attempt >= (this.#options.openTries ?? OPEN_TRIES)) return this.#close(notOpened(closing));
    this.#cancelRetry = this.#world.after(delayMs, () => this.#begin());
    this.#become("connecting");
    this.#emitter.emit("lost", { closing, delayMs, attempt });
  }

  #close(closing: Closing): void {
    this.#closing = closing;
    this.#become("closed");
    this.#emitter.emit("closed", closing);
  }

  #become(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#emitter.emit("state", state);
  }
}
