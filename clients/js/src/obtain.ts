import { base64url, utf8 } from "./bytes.js";
import { DoorwardError, GiveUp } from "./error.js";
import type { Given, Options } from "./options.js";
import { SUBPROTOCOL } from "./wire.js";
import { type World, within } from "./world.js";

/** A credential, fetched where it has to be. */
export async function obtain(world: World, patience: number, what: string, given: Given): Promise<string> {
  const text = typeof given === "function" ? await fetched(world, patience, what, given) : given;
  if (typeof text === "string" && text !== "") return text;
  throw new DoorwardError("call_back_failed", `the call-back for the ${what} gave no text`);
}

/** What a call-back gives, bounded in time. */
export async function fetched<T>(world: World, patience: number, what: string, fetch: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await within(world, patience, `fetching the ${what}`, Promise.resolve(fetch()));
  } catch (error) {
    if (error instanceof DoorwardError || error instanceof GiveUp) throw error;
    throw new DoorwardError("call_back_failed", `the ${what} could not be fetched`, { cause: error });
  }
}

/** The entries of `Sec-WebSocket-Protocol`: the protocol, and the credential that is shown in the upgrade request. */
export async function subprotocols(options: Options, world: World, patience: number): Promise<string[]> {
  const what = options.atUpgrade;
  const given = what && options[what];
  if (!given) return [SUBPROTOCOL];
  const text = await obtain(world, patience, what, given);
  if (what === "token") return [SUBPROTOCOL, `base64url.bearer.authorization.doorward.${base64url(utf8(text))}`];
  if (!/^[\w.~+-]+$/.test(text)) throw new DoorwardError("bad_credential", "the ticket has a character that none can have");
  return [SUBPROTOCOL, `ticket.doorward.${text}`];
}
