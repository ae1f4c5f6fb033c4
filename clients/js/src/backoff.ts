import type { Closing } from "./close.js";

/** The first ceiling of the random delay, in milliseconds; it doubles with each failure. */
const FIRST = 500;
/** The last one. */
const LONGEST = 60_000;
/** The longest time that a gate can make a client wait. */
const FARTHEST = 3_600_000;

/**
 * How long to wait before the next connection, in milliseconds; `undefined` where there should be none.
 *
 * The delay is drawn from all of 0 up to the ceiling ("full jitter"), since after a restart thousands of clients do the same at
 * the same time. The advice `now` is followed once; whoever fails again right after it waits like everybody else.
 *
 * @param failures how many connections before this one ended without a socket that lived
 * @param random a number from 0 up to, but not, 1
 */
export function delayBefore(
  { reconnect, afterMs }: Pick<Closing, "reconnect" | "afterMs">,
  failures: number,
  random: number,
): number | undefined {
  if (reconnect === "never") return undefined;
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 16));
  const drawn = reconnect === "now" && failures === 0 ? 0 : Math.floor(random * ceiling);
  return Math.max(drawn, Math.min(afterMs, FARTHEST));
}
