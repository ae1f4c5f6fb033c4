// Requests to the hub and their answers, and what has to be subscribed to again after a reconnect.
//
// client -> gate     subscribe, unsubscribe, publish or a word of the application's own, with an id
// gate   -> client   subscribed, unsubscribed, published, message or error, with that id
// gate   -> client   message, without one; unsubscribed, without one, where a new admission allows it no more

import { DoorwardError } from "./error.js";
import { type GateEvent, type Place, request } from "./wire.js";
import type { World } from "./world.js";

/** A channel by its name, or an object of it. `3`, `3n` and `"3"` are the same object. */
export type Where = string | { readonly channel: string; readonly pk?: string | number | bigint | undefined };

interface Pending {
  resolve(answer: GateEvent): void;
  reject(error: DoorwardError): void;
  cancel(): void;
}

/** How many subscriptions are made again at full speed, and the pause before each one after them: a gate takes 20 messages a second. */
const BURST = 20;
const PAUSE_MS = 100;

export class Hub {
  readonly #world: World;
  readonly #patience: number;
  readonly #pending = new Map<number, Pending>();
  readonly #wanted = new Map<string, Place>();
  #lastId = 0;
  #send: ((text: string) => void) | undefined;
  #closedBecause = new DoorwardError("not_admitted", NOT_ADMITTED);

  constructor(world: World, patience: number) {
    this.#world = world;
    this.#patience = patience;
  }

  /** From now on requests go out. */
  open(send: (text: string) => void): void {
    this.#send = send;
  }

  /** From now on no request goes out: those that wait are rejected, and those that come are, each with its reason. */
  close(because: DoorwardError, fromNowOn = because): void {
    this.#send = undefined;
    this.#closedBecause = fromNowOn;
    for (const pending of this.#pending.values()) {
      pending.cancel();
      pending.reject(because);
    }
    this.#pending.clear();
  }

  async subscribe(where: Where): Promise<Place> {
    const place = placeOf(where);
    const answer = await this.request("subscribe", place);
    this.#wanted.set(keyOf(place), place);
    return answer.event === "subscribed" ? answer.place : place;
  }

  async unsubscribe(where: Where): Promise<void> {
    const place = placeOf(where);
    this.giveUp(place);
    // Without a socket there is nothing to unsubscribe from; a suspended one is still subscribed.
    if (!this.#send && this.#closedBecause.code !== "suspended") return;
    await this.request("unsubscribe", place);
  }

  /** It is not subscribed to again. */
  giveUp(place: Place): void {
    for (const [key, wanted] of this.#wanted) {
      if (wanted.channel === place.channel && (place.pk === undefined || wanted.pk === place.pk)) this.#wanted.delete(key);
    }
  }

  /** Sends a request with an id of its own and waits for the answer that carries it. */
  request(action: string, where: Where | undefined, message?: unknown): Promise<GateEvent> {
    const send = this.#send;
    if (!send) return Promise.reject(this.#closedBecause);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const cancel = this.#world.after(this.#patience, () => {
        this.#pending.delete(id);
        reject(new DoorwardError("too_slow", `\`${action}\` was not answered within ${this.#patience} ms`));
      });
      this.#pending.set(id, { resolve, reject, cancel });
      send(request(action, id, where === undefined ? undefined : placeOf(where), message));
    });
  }

  /** Hears what came: an answer goes to whoever waits for it. */
  hear(event: GateEvent): void {
    if (!("id" in event) || typeof event.id !== "number") return;
    const pending = this.#pending.get(event.id);
    if (!pending) return;
    this.#pending.delete(event.id);
    pending.cancel();
    if (event.event !== "error") return pending.resolve(event);
    pending.reject(new DoorwardError("request_refused", `${event.code}: ${event.message}`, { reason: event.code }));
  }

  /** Makes all subscriptions again, one after the other; tells of each that is no longer granted. */
  async subscribeAgain(dropped: (place: Place, error: DoorwardError) => void): Promise<void> {
    const send = this.#send;
    let made = 0;
    for (const [key, place] of [...this.#wanted]) {
      if (made++ >= BURST) await new Promise<void>((resolve) => void this.#world.after(PAUSE_MS, resolve));
      if (this.#send !== send) return;
      if (!this.#wanted.has(key)) continue;
      try {
        await this.request("subscribe", place);
      } catch (error) {
        if (!(error instanceof DoorwardError) || error.code !== "request_refused") return;
        this.#wanted.delete(key);
        dropped(place, error);
      }
    }
  }
}

/** What is said of a request before there is an admitted socket. */
export const NOT_ADMITTED = "there is no admitted socket at this moment: wait for `ready()`";

function placeOf(where: Where): Place {
  if (typeof where === "string") return { channel: where };
  return where.pk === undefined ? { channel: where.channel } : { channel: where.channel, pk: String(where.pk) };
}

const keyOf = ({ channel, pk }: Place) => JSON.stringify([channel, pk]);
