import { DoorwardError } from "./error.js";

/** What is used of a WebSocket: the standard's own, in a browser and in Node 22 and later; the npm package `ws` fits too. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  send(data: string | ArrayBufferLike | ArrayBufferView<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number; reason: string }) => void): void;
}

/** What makes one. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Time, chance and the network, as arguments: tests bring their own. */
export interface World {
  readonly WebSocket: WebSocketConstructor;
  /** Milliseconds since 1970. */
  now(): number;
  /** Does something once so many milliseconds have passed; gives what calls it off. */
  after(milliseconds: number, then: () => void): () => void;
  /** A number from 0 up to, but not, 1. */
  random(): number;
}

/** The longest time that a timer of JavaScript can be set to. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The world as it is. */
export function thisWorld(given?: WebSocketConstructor): World {
  const WebSocket = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (!WebSocket) {
    const hint = "pass one in as the option `WebSocket`, for example that of the npm package `ws`";
    throw new DoorwardError("no_websocket", `there is no WebSocket here: ${hint}`);
  }
  return {
    WebSocket,
    now: Date.now,
    random: Math.random,
    after(milliseconds, then) {
      const timer = setTimeout(then, Math.min(milliseconds, LONGEST_TIMER));
      return () => clearTimeout(timer);
    },
  };
}

/** A promise that is given up after some time. */
export function within<T>(world: World, milliseconds: number, what: string, promise: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = world.after(milliseconds, () =>
      reject(new DoorwardError("too_slow", `${what} took longer than ${milliseconds} ms`)),
    );
    promise.then(
      (value) => (cancel(), resolve(value)),
      (error: unknown) => (cancel(), reject(error)),
    );
  });
}
