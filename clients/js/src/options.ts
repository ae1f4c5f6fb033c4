import type { Answer, Question } from "./question.js";
import type { Fields } from "./wire.js";
import type { WebSocketConstructor } from "./world.js";

/** A credential, or what fetches one. A function is called for each use, so it can give a fresh one each time. */
export type Given = string | (() => string | PromiseLike<string>);

/** An answer that is sent without being asked, to a gate that waits for an offer. */
export interface Offer {
  /** The layer that it is for, where the gate is to be told. */
  readonly kind?: string;
  readonly fields: Fields;
}

/** What this client answers by itself. */
export interface Credentials {
  /** A signed token: answers the layer `jwt`. */
  readonly token?: Given;
  /** A one-time ticket: answers the layer `ticket`. Good for one connection, so give a function to be able to come back. */
  readonly ticket?: Given;
  /** `dwk_...`: answers the layer `app_key` with a signature of the gate's nonce; the key itself is not sent. */
  readonly appKey?: Given;
  /** `dwc_...`, or at least 32 hexadecimal digits: answers the layer `challenge` with a proof. */
  readonly challenge?: Given;
  /** What the gate has to show of itself: answers the layer `ident`; another glyph closes the connection for good. */
  readonly glyph?: string;
  /** Which gate this is meant for. Nothing is signed for another one. */
  readonly gate?: { readonly name: string; readonly owner?: string };
  /** What is sent as soon as the connection is open. */
  readonly offer?: readonly Offer[] | (() => readonly Offer[] | PromiseLike<readonly Offer[]>);
}

/** How long something may take, in milliseconds. How long a question may take, the gate says. */
export interface Timeouts {
  /** Opening the connection. Default: 10 s. */
  readonly open?: number;
  /** A call-back that fetches a credential. Default: 10 s. */
  readonly credential?: number;
  /** The gate says nothing during the ladder, although it is its turn. Default: 15 s. */
  readonly silence?: number;
  /** A request to the hub. Default: 10 s. */
  readonly request?: number;
  /** A goodbye. Default: 2 s. */
  readonly close?: number;
}

/** How a gate is opened. */
export interface Options extends Credentials {
  /**
   * The credentials that are shown in the upgrade request, for gates whose verdict falls before the 101 (`bearer`, or `ticket`
   * without `message`). A page cannot see why such a gate refuses. Default: none; they are sent over the open socket.
   */
  readonly atUpgrade?: "token" | "ticket";
  /** Answers what the credentials do not. Without it such a question ends the connection for good. */
  readonly onQuestion?: (question: Question) => Answer | PromiseLike<Answer>;
  /** Whether to come back when the gate advises it. Default: `true`. */
  readonly reconnect?: boolean;
  /**
   * How often a gate that was never open is tried before it is given up: it may refuse the upgrade each time, and a page cannot see
   * why. One that was open and is lost is tried without end. Default: 3; `Infinity` for a program that waits for its server.
   */
  readonly openTries?: number;
  readonly timeouts?: Timeouts;
  /** For Node before 22, and for headers such as cookies: the `WebSocket` of the npm package `ws`, or a class of your own. */
  readonly WebSocket?: WebSocketConstructor;
}

/** How often a gate that was never open is tried. */
export const OPEN_TRIES = 3;

/** The time-outs with their defaults. */
export const withDefaults = (timeouts: Timeouts = {}): Required<Timeouts> => ({
  open: 10_000,
  credential: 10_000,
  silence: 15_000,
  request: 10_000,
  close: 2_000,
  ...timeouts,
});
