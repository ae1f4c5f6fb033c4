// What a gate says, as this client reads it, and what it says to a gate: `doorward.v1`, text messages of one JSON object each.
//
// gate   -> client   event: ask, choose, tell, wait, admitted, refused, subscribed, message ...
// client -> gate     action: auth, subscribe, publish ...

import type { Reconnect } from "./close.js";

/** The subprotocol that is offered. */
export const SUBPROTOCOL = "doorward.v1";

/** What is shown with a question or a word of the gate, by name: a nonce, a glyph, a question. */
export type Shows = Readonly<Record<string, string>>;

/** Who was proven. */
export interface Subject {
  readonly kind: string;
  readonly pk: string;
  /** The name that the subject is shown by. */
  readonly uuid: string;
}

/** The ladder is climbed. */
export interface Admission {
  /** The id of the socket. Public: it opens nothing. */
  readonly socket: string;
  /** Who was proven, where a layer proved somebody. */
  readonly subject?: Subject;
  /** What is behind the gate: `hub`, `upstream`, `echo`. */
  readonly backend: string;
  /** When the admission ends, in RFC 3339. */
  readonly expiresAt?: string;
}

/** A channel, and which object of it. */
export interface Place {
  readonly channel: string;
  readonly pk?: string;
}

export type GateEvent =
  | { event: "ask"; layer: string; step: string; fields: readonly string[]; shows: Shows; expiresIn: number }
  | { event: "choose"; of: readonly string[]; optional: boolean; expiresIn: number }
  | { event: "tell"; layer: string; step: string; shows: Shows }
  | { event: "wait"; layer: string; step: string; shows: Shows; expiresIn: number }
  | { event: "admitted"; admission: Admission }
  | { event: "refused"; code: number; reason: string; reconnect: Reconnect; afterMs: number; trace: string }
  | { event: "suspended"; reason: string }
  | { event: "resumed"; gap: boolean }
  | { event: "subscribed" | "unsubscribed"; place: Place; id: unknown }
  | { event: "published"; id: unknown }
  | { event: "message"; place: Place; message: unknown; id: unknown }
  | { event: "error"; id: unknown; code: string; message: string }
  /** One that this version does not know. */
  | { event: "other"; name: string; raw: Readonly<Record<string, unknown>> };

/** A message that is not of the protocol: which member is missing or unfit. */
export class Malformed extends Error {}

/** Reads a message. Members and events that are not known are passed over, except where they are what is shown. */
export function readEvent(text: string): GateEvent {
  const members = new Members(text);
  const event = members.text("event");
  switch (event) {
    case "ask":
      return {
        event,
        layer: members.text("layer"),
        step: members.text("step"),
        fields: members.texts("fields"),
        expiresIn: members.number("expires_in"),
        shows: members.shows(),
      };
    case "choose":
      return {
        event,
        of: members.texts("of"),
        optional: members.take("optional") === true,
        expiresIn: members.number("expires_in"),
      };
    case "tell":
      return { event, layer: members.text("layer"), step: members.text("step"), shows: members.shows() };
    case "wait":
      return {
        event,
        layer: members.text("layer"),
        step: members.text("step"),
        expiresIn: members.number("expires_in"),
        shows: members.shows(),
      };
    case "admitted":
      return { event, admission: members.admission() };
    case "refused":
      return {
        event,
        code: members.number("code"),
        reason: members.text("reason"),
        reconnect: members.reconnect(),
        afterMs: members.number("after_ms", 0),
        trace: members.text("trace", ""),
      };
    case "suspended":
      return { event, reason: members.text("reason", "") };
    case "resumed":
      return { event, gap: members.take("gap") === true };
    case "subscribed":
    case "unsubscribed":
      return { event, place: members.place(), id: members.take("id") };
    case "published":
      return { event, id: members.take("id") };
    case "message":
      return { event, place: members.place(), message: members.take("message"), id: members.take("id") };
    case "error":
      return { event, id: members.take("id"), code: members.text("code"), message: members.text("message", "") };
    default:
      return { event: "other", name: event, raw: members.all };
  }
}

/** The members of a message; what was taken is no longer among what is shown. */
class Members {
  readonly all: Readonly<Record<string, unknown>>;
  readonly #left: Map<string, unknown>;

  constructor(text: string) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Malformed("it is no JSON");
    }
    if (!isObject(value)) throw new Malformed("it is no JSON object");
    this.all = value;
    this.#left = new Map(Object.entries(value));
  }

  take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }

  text(name: string, otherwise?: string): string {
    const value = this.take(name) ?? otherwise;
    if (typeof value !== "string") throw new Malformed(`\`${name}\` is no text`);
    return value;
  }

  texts(name: string): string[] {
    const value = this.take(name);
    if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) {
      throw new Malformed(`\`${name}\` is no list of texts`);
    }
    return value;
  }

  number(name: string, otherwise?: number): number {
    const value = this.take(name) ?? otherwise;
    if (typeof value !== "number" || !(value >= 0)) throw new Malformed(`\`${name}\` is no number`);
    return value;
  }

  reconnect(): Reconnect {
    const word = this.text("reconnect");
    if (word !== "never" && word !== "now" && word !== "later") {
      throw new Malformed("`reconnect` is none of `never`, `now` and `later`");
    }
    return word;
  }

  place(): Place {
    const channel = this.text("channel");
    const pk = this.take("pk");
    return pk === undefined ? { channel } : { channel, pk: String(pk) };
  }

  admission(): Admission {
    const subject = this.take("subject");
    const expiresAt = this.take("expires_at");
    if (subject !== undefined && !isSubject(subject)) throw new Malformed("`subject` is none");
    return {
      socket: this.text("socket"),
      backend: this.text("backend"),
      ...(subject && { subject: { kind: subject.kind, pk: subject.pk, uuid: subject.uuid } }),
      ...(typeof expiresAt === "string" && { expiresAt }),
    };
  }

  /** All that is left. What is no text is shown as its JSON. */
  shows(): Shows {
    const shows = Object.create(null) as Record<string, string>;
    for (const [name, value] of this.#left) shows[name] = typeof value === "string" ? value : JSON.stringify(value);
    return shows;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSubject(value: unknown): value is Subject {
  return isObject(value) && ["kind", "pk", "uuid"].every((name) => typeof value[name] === "string");
}

/** What a field of an answer can be. */
export type Field = string | number | boolean;

/** The fields of an answer, by name. */
export type Fields = Readonly<Record<string, Field>>;

/** An answer to a ladder; `kind` is the layer that it is for. */
export function auth(kind: string | undefined, fields: Fields = {}): string {
  const { action: _action, kind: _kind, ...rest } = fields;
  return JSON.stringify({ action: "auth", ...(kind !== undefined && { kind }), ...rest });
}

/** A request to what is behind the gate. */
export function request(action: string, id: number, place: Place | undefined, message?: unknown): string {
  return JSON.stringify({ action, ...place, id, message });
}
