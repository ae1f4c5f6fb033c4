import type { Closing } from "./close.js";
import type { DoorwardError } from "./error.js";
import type { Answered, Tell, Wait } from "./question.js";
import type { Admission, Place } from "./wire.js";

/** Where a door stands. `connecting` is also the time between two connections. */
export type State = "connecting" | "climbing" | "admitted" | "suspended" | "closed";

/** A message on a channel. */
export interface Message extends Place {
  /** The payload, as it was published. */
  readonly message: unknown;
}

/** What a door tells its listeners. */
export interface Events {
  /** Where the door stands now. */
  state: State;
  /** The ladder is climbed; also when it was climbed again over the open socket. */
  admitted: Admission;
  /** The gate tells something during the ladder. */
  tell: Tell;
  /** The gate waits for something elsewhere. */
  wait: Wait;
  /** A question of the ladder was answered. */
  answered: Answered;
  /** A message on a channel. */
  message: Message;
  /** A subscription that was not granted again after a reconnect, or that a new admission does not allow: it is given up. */
  dropped: Place & { readonly error: DoorwardError };
  /** Nothing gets through for the moment, because of `logged_out` or `unconfirmed`. */
  suspended: { readonly reason: string };
  /** It goes on. With `gap`, what was published meanwhile did not come. */
  resumed: { readonly gap: boolean };
  /** A connection has ended, and the next one is tried after `delayMs`. */
  lost: { readonly closing: Closing; readonly delayMs: number; readonly attempt: number };
  /** It is over: no further connection is tried. */
  closed: Closing;
  /** What came from a backend that is no hub, as it came. */
  data: string | ArrayBuffer;
  /** An event that this version does not know, as it came. */
  other: Readonly<Record<string, unknown>>;
  /** A message of the hub that is not of the protocol, passed over; what is wrong with it. */
  malformed: string;
}
