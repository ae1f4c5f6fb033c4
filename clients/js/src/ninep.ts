/**
 * Files behind a gate, from a page: a 9P2000 client over a WebSocket.
 *
 * **What it is:** verbs by path, each a promise, over one connection whose end comes with its reason.
 *
 * **What it is not:** a way up a ladder that asks. It is for gates whose layers are answered from the upgrade request, by the cookie of
 * a login say; and it does not come back by itself.
 *
 * @example
 * import { connect, describe } from "/ninep.js";
 *
 * const files = await connect("/ws");
 * await files.create("/cart/sku-7");
 * await files.write("/cart/sku-7", "3");
 * for (const { name } of await files.list("/cart")) console.log(name, await files.read(`/cart/${name}`));
 * files.closed.then((closing) => console.log(describe(closing)));
 *
 * @packageDocumentation
 */

import { socketUrl } from "./address.js";
import { Files } from "./ninep/files.js";
import { Link } from "./ninep/link.js";
import { type Timeouts, withDefaults } from "./options.js";
import { thisWorld, type WebSocketConstructor } from "./world.js";

export { advice, CLOSE_REASONS, closeReason, type CloseReason, type Closing, describe, type Reconnect } from "./close.js";
export { DoorwardError, type ErrorCode } from "./error.js";
export type { Doing, Files, Following } from "./ninep/files.js";
export type { Stat } from "./ninep/message.js";
export type { Timeouts } from "./options.js";
export type { WebSocketConstructor, WebSocketLike } from "./world.js";

/** How a tree is reached. */
export interface FilesOptions {
  /** Who is said to come; a gate goes by its ladder and does not look at it. Default: `none`. */
  readonly uname?: string;
  /** Which tree is meant, for servers that have several. Default: empty. */
  readonly aname?: string;
  readonly timeouts?: Pick<Timeouts, "open" | "request" | "close">;
  /** For Node before 22, and for headers such as cookies: the `WebSocket` of the npm package `ws`, or a class of your own. */
  readonly WebSocket?: WebSocketConstructor;
}

/**
 * Connects, and gives the files once their root is there.
 *
 * @param url `wss://host/path`; on a page also relative to it, such as `/ws`
 * @throws DoorwardError `bad_url`, `no_websocket`, or `closed` with the `closing`.
 */
export async function connect(url: string | URL, options: FilesOptions = {}): Promise<Files> {
  const { uname = "none", aname = "", timeouts, WebSocket } = options;
  return new Files(await Link.open(socketUrl(url), { uname, aname }, withDefaults(timeouts), thisWorld(WebSocket)));
}
