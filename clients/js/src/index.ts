/**
 * The JavaScript client of Doorward: opens a gate, climbs its ladder, and talks with what is behind it.
 *
 * **What it is:** one socket that comes back by itself when the gate advises it. Tokens, tickets, app keys, challenges and glyphs it
 * answers alone; what only a person can answer it asks the page for.
 *
 * **What it is not:** a WebSocket for servers that do not speak `doorward.v1`. Where all layers of a gate are answered from the
 * upgrade request and an unchanged server stands behind it, use a plain `WebSocket`.
 *
 * ```text
 *           connect                  onQuestion           publish, on("message")
 *  nothing ────────▶ connecting ──▶ climbing ──▶ admitted ◀──▶ suspended ──▶ closed
 *                        ▲                          │   by the gate's advice
 *                        └──────────────────────────┘
 * ```
 *
 * @example
 * import { connect } from "/doorward.js";
 *
 * const door = connect("wss://socket.example/chat", {
 *   ticket: () => fetch("/chat/ticket", { method: "POST" }).then(async (answer) => (await answer.json()).ticket),
 *   onQuestion: async ({ fields }) => ({ [fields[0]]: prompt(fields[0]) }),
 * });
 * door.on("message", ({ channel, message }) => console.log(channel, message));
 * door.on("closed", (closing) => console.log(describe(closing)));
 * await door.ready();
 * await door.subscribe("news");
 *
 * @packageDocumentation
 */

import { socketUrl } from "./address.js";
import { Door } from "./door.js";
import type { Options } from "./options.js";
import { thisWorld } from "./world.js";

export { advice, CLOSE_REASONS, closeReason, type CloseReason, type Closing, describe, type Reconnect } from "./close.js";
export type { Door } from "./door.js";
export { DoorwardError, type ErrorCode, GiveUp } from "./error.js";
export type { Events, Message, State } from "./events.js";
export type { Where } from "./hub.js";
export type { Credentials, Given, Offer, Options, Timeouts } from "./options.js";
export type { Answer, Answered, Ask, Choose, Question, Take, Tell, Wait } from "./question.js";
export type { Admission, Field, Fields, Place, Shows, Subject } from "./wire.js";
export type { WebSocketConstructor, WebSocketLike } from "./world.js";

/**
 * Opens a gate, at once, and again whenever the gate advises it.
 *
 * @param url `wss://host/path`; on a page also relative to it, such as `/chat`
 * @throws DoorwardError `bad_url` or `no_websocket`. All that happens later is told by the door.
 */
export function connect(url: string | URL, options: Options = {}): Door {
  return new Door(socketUrl(url), options, thisWorld(options.WebSocket));
}
