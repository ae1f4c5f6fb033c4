import type { DoorwardError, ErrorCode } from "./error.js";

/** Whether to come back: `never` with the same credentials, `now`, or `later` with a growing delay. */
export type Reconnect = "never" | "now" | "later";

/** Why a socket ended: a row of the table of close reasons. */
export interface CloseReason {
  /** The close code (RFC 6455, section 7.4). */
  readonly code: number;
  /** The name on the wire, unique where a code may be shared. */
  readonly name: string;
  /** One sentence for a person. */
  readonly sentence: string;
  readonly reconnect: Reconnect;
}

/** How a connection ended. */
export interface Closing extends CloseReason {
  /** Do not come back before so many milliseconds have passed. */
  readonly afterMs: number;
  /** What the operator finds the decision by: `doorward why TRACE`. */
  readonly trace?: string;
  /** Why this client ended the connection itself, where it did. */
  readonly error?: DoorwardError;
}

const reason = (code: number, name: string, reconnect: Reconnect, sentence: string): CloseReason => ({
  code,
  name,
  sentence,
  reconnect,
});

/** Every reason that a gate gives, in the order of their numbers. A test holds it against the server's own table. */
export const CLOSE_REASONS: readonly CloseReason[] = [
  reason(1000, "normal", "never", "The connection was closed in the ordinary way."),
  reason(1000, "declined", "never", "You did not recognise this gate and left."),
  reason(1001, "going_away", "now", "The server is going away."),
  reason(1001, "ping_timeout", "now", "Nothing was heard from you in time."),
  reason(1002, "protocol_error", "never", "A frame broke the WebSocket protocol."),
  reason(1003, "unsupported_data", "never", "This gate does not take that sort of message."),
  reason(1007, "invalid_data", "never", "A text message was not UTF-8."),
  reason(1008, "policy_violation", "never", "The policy of this gate forbids that."),
  reason(1009, "too_big", "never", "A message was larger than this gate allows."),
  reason(1011, "internal_error", "later", "Something went wrong on the server."),
  reason(1011, "upstream_mismatch", "later", "The server behind this gate speaks another subprotocol."),
  reason(1012, "restart", "later", "The server is restarting."),
  reason(1013, "try_later", "later", "The server cannot decide just now."),
  reason(1013, "upstream_down", "later", "The server behind this gate cannot be reached."),
  reason(1013, "slow_consumer", "later", "You read too slowly for what was sent to you."),
  reason(1014, "upstream_broken", "later", "The server behind this gate broke the WebSocket protocol."),
  reason(4400, "malformed", "never", "A message was not what the protocol asks for."),
  reason(4401, "not_authenticated", "never", "You could not be authenticated."),
  reason(4403, "not_allowed", "never", "You are not allowed here."),
  reason(4408, "too_slow", "later", "A step was not answered in time."),
  reason(4409, "replaced", "never", "Another connection took this one's place."),
  reason(4410, "session_ended", "never", "The login that opened this connection has ended."),
  reason(4410, "expired", "never", "The login that opened this connection has expired."),
  reason(4410, "gate_closed", "never", "The gate that this connection came through was closed."),
  reason(4429, "too_fast", "later", "That was too much in too short a time."),
];

/** The code that a WebSocket reports where there was no Close frame (RFC 6455, section 7.1.5): also for a refused upgrade. */
const NO_CLOSE_FRAME = 1006;

/**
 * The reason of a Close frame: by its name, or by its code where the name says nothing. Where neither is known, the advice is
 * to come back later.
 *
 * @example
 * closeReason(4410, "expired").sentence; // "The login that opened this connection has expired."
 */
export function closeReason(code: number, name = ""): CloseReason {
  const all = CLOSE_REASONS.filter((known) => known.code === code);
  const known = all.find((each) => each.name === name) ?? all[0];
  if (known) return known;
  return code === NO_CLOSE_FRAME
    ? reason(code, "lost", "later", "The connection was lost, or could not be opened.")
    : reason(code, name || "unknown", "later", "The connection was closed for a reason that this client does not know.");
}

/** What to do after an end of our own. Of any other error: never. */
const AFTER_OUR_OWN: Partial<Record<ErrorCode, Reconnect>> = { too_slow: "later", call_back_failed: "later" };

/** The end that this client has made itself, for that reason. */
export function ofOurOwn(error: DoorwardError): Closing {
  const reconnect = AFTER_OUR_OWN[error.code] ?? "never";
  return { code: 1000, name: error.code, sentence: sentence(error.message), reconnect, afterMs: 0, error };
}

const sentence = (message: string) => `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;

/** The end of a door that was never open and has been tried often enough: a page is not told why an upgrade was refused. */
const NOT_OPENED = reason(
  NO_CLOSE_FRAME,
  "not_opened",
  "never",
  "The gate did not open. You may have to log in first, the address may be wrong, or this page may not be allowed to open it.",
);

/** The last of the endings of a door that was never open: what this side knows of it, or else what it can have been. */
export const notOpened = (closing: Closing): Closing => (closing.error ? closing : { ...NOT_OPENED, afterMs: 0 });

/**
 * An end in words: number, name, sentence, advice, and the trace to quote.
 *
 * @example
 * describe(closing); // "4401 not_authenticated: You could not be authenticated. The same credentials would end the same way. (trace 4bf9...)"
 */
export function describe(closing: Closing): string {
  const parts = [`${closing.code} ${closing.name}: ${closing.sentence}`];
  const words = advice(closing);
  if (words) parts.push(words);
  if (closing.trace) parts.push(`(trace ${closing.trace})`);
  return parts.join(" ");
}

/** The advice of an end in words; empty where nothing is wrong. */
export function advice({ code, name, reconnect, afterMs }: Closing): string {
  if (code === 1000 || name === NOT_OPENED.name) return "";
  if (reconnect === "never") return "The same credentials would end the same way.";
  const notBefore = afterMs > 0 ? `, not before ${Math.ceil(afterMs / 1000)} s have passed` : "";
  return reconnect === "now" ? `Come back at once${notBefore}.` : `Come back later${notBefore}.`;
}
