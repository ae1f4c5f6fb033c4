import type { Closing } from "./close.js";

/** What went wrong, as a word to branch on. */
export type ErrorCode =
  /** The address is no `ws://`, `wss://`, `http://` or `https://` URL. */
  | "bad_url"
  /** There is no `WebSocket` here, and none was passed in. */
  | "no_websocket"
  /** WebCrypto, or the part of it that a proof needs, is missing here. */
  | "no_crypto"
  /** A credential is not of the form that it has to be of. It is not repeated. */
  | "bad_credential"
  /** A call-back of the page threw, or gave something that is no credential and no answer. */
  | "call_back_failed"
  /** The gate asks for something that is not at hand, or whoever was asked gave no answer. */
  | "no_answer"
  /** The gate is not the one that was meant: another glyph, or another name. */
  | "other_gate"
  /** What answers there does not speak `doorward.v1`. */
  | "not_doorward"
  /** What answers there does not speak 9P2000. */
  | "not_9p"
  /** More than fits: a text that is longer than one message, since a file is not written in parts, or a name that is longer than names are. */
  | "too_big"
  /** Something took too long. */
  | "too_slow"
  /** The connection ended before an answer came; whether the request was done is not known. */
  | "lost"
  /** There is no admitted socket at this moment. */
  | "not_admitted"
  /** The socket is suspended: nothing gets through until it is resumed. */
  | "suspended"
  /** The gate, or the files behind it, said no to a request; `reason` says why. */
  | "request_refused"
  /** It is over: the connection was closed for good. */
  | "closed";

/** Everything that this client throws, or rejects a promise with. Never holds a credential or an answer. */
export class DoorwardError extends Error {
  /** What went wrong, as a word. */
  readonly code: ErrorCode;
  /** For `request_refused`: the word of the gate, such as `permission_denied`, or the text of the files, such as `file not found`. */
  readonly reason: string | undefined;

  /** For `closed` and `lost` of files: how the connection ended. */
  readonly closing: Closing | undefined;

  constructor(code: ErrorCode, message: string, more: { reason?: string; closing?: Closing; cause?: unknown } = {}) {
    super(message, "cause" in more ? { cause: more.cause } : undefined);
    this.name = "DoorwardError";
    this.code = code;
    this.reason = more.reason;
    this.closing = more.closing;
  }
}

/**
 * To be thrown by a call-back that wants no further attempt, such as one that fetches a ticket and is told that the login is
 * over. Any other error of a call-back is tried again later.
 */
export class GiveUp extends Error {
  constructor(message: string) {
    super(message);
    this.name = "GiveUp";
  }
}

/** What a call-back threw, as an error of ours. */
export function ours(error: unknown): DoorwardError {
  if (error instanceof DoorwardError) return error;
  if (error instanceof GiveUp) return new DoorwardError("no_answer", error.message, { cause: error });
  return new DoorwardError("call_back_failed", "a call-back of the page failed", { cause: error });
}
