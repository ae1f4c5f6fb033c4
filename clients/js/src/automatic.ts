import { DoorwardError } from "./error.js";
import { fetched, obtain } from "./obtain.js";
import type { Credentials, Given, Offer } from "./options.js";
import { answerChallenge, AppKey } from "./proof.js";
import type { Take, Tell } from "./question.js";
import type { Fields, Shows } from "./wire.js";
import type { World } from "./world.js";

/** What of a question an automatic answer depends on. */
interface Asked {
  readonly layer: string;
  readonly fields: readonly string[];
  readonly shows: Shows;
}

/**
 * Answers by itself what a machine can answer; one for each connection.
 *
 * | layer | fields | with |
 * | --- | --- | --- |
 * | `jwt` | `token` | the token |
 * | `ticket` | `ticket` | the ticket |
 * | `app_key` | `key`, then `proof` | the id of the key, its signature of the nonce |
 * | `challenge` | `partial`, `proof` | the word that the secret picks, the proof of it |
 * | `ident` | `accept` | `yes`, once the expected glyph was shown |
 */
export class Automatic {
  readonly #have: Credentials;
  readonly #world: World;
  readonly #patience: number;
  #appKey: Promise<AppKey> | undefined;
  #recognised = false;

  constructor(have: Credentials, world: World, patience: number) {
    this.#have = have;
    this.#world = world;
    this.#patience = patience;
  }

  /** What is sent without being asked. */
  async offers(): Promise<readonly Offer[]> {
    const { offer = [] } = this.#have;
    return typeof offer === "function" ? fetched(this.#world, this.#patience, "offer", offer) : offer;
  }

  /** The answer to a question, where it can be given. */
  async answer(ask: Asked): Promise<Fields | undefined> {
    const { token, ticket, appKey, challenge } = this.#have;
    switch (`${ask.layer}: ${ask.fields.join(" ")}`) {
      case "jwt: token":
        return token === undefined ? undefined : { token: await this.#obtain("token", token) };
      case "ticket: ticket":
        return ticket === undefined ? undefined : { ticket: await this.#obtain("ticket", ticket) };
      case "app_key: key":
        return appKey === undefined ? undefined : { key: (await this.#key(appKey)).id };
      case "app_key: proof": {
        if (appKey === undefined) return undefined;
        const [owner, gate] = [shown(ask, "owner"), shown(ask, "gate")];
        this.#requireGate(gate, owner);
        return { proof: await (await this.#key(appKey)).sign(owner, gate, shown(ask, "nonce")) };
      }
      case "challenge: partial proof": {
        if (challenge === undefined) return undefined;
        const gate = shown(ask, "gate");
        this.#requireGate(gate);
        const secret = await this.#obtain("challenge", challenge);
        return answerChallenge(secret, gate, shown(ask, "nonce"), shown(ask, "statement"));
      }
      case "ident: accept":
        return this.#recognised ? { accept: "yes" } : undefined;
      default:
        return undefined;
    }
  }

  /** The first of the layers that can be taken, and the first answer to it. */
  async choose(of: readonly string[]): Promise<Take | undefined> {
    for (const layer of of) {
      const fields = await this.firstAnswer(layer);
      if (fields) return { take: layer, fields };
    }
    return undefined;
  }

  /** The first answer to a layer that is taken; a layer that shows something first is taken by its name alone. */
  async firstAnswer(layer: string): Promise<Fields | undefined> {
    const fields = { jwt: ["token"], ticket: ["ticket"], app_key: ["key"] }[layer];
    if (fields) return this.answer({ layer, fields, shows: {} });
    const isKnown = layer === "challenge" ? this.#have.challenge : layer === "ident" && this.#have.glyph;
    return isKnown ? {} : undefined;
  }

  /** Hears what the gate tells; another glyph than the expected one is the end. */
  hear({ layer, shows }: Tell): void {
    const { glyph } = this.#have;
    const told = shows["glyph"];
    if (layer !== "ident" || glyph === undefined || told === undefined) return;
    if (told !== glyph) {
      throw new DoorwardError("other_gate", `the gate shows ${quoted(told)} of itself, not ${quoted(glyph)}: it may be another`);
    }
    this.#recognised = true;
  }

  #obtain(what: string, given: Given): Promise<string> {
    return obtain(this.#world, this.#patience, what, given);
  }

  #key(appKey: Given): Promise<AppKey> {
    this.#appKey ??= this.#obtain("app key", appKey).then((text) => AppKey.read(text));
    return this.#appKey;
  }

  #requireGate(gate: string, owner?: string): void {
    const mine = this.#have.gate;
    if (!mine || (mine.name === gate && (!mine.owner || !owner || mine.owner === owner))) return;
    throw new DoorwardError(
      "other_gate",
      `the gate calls itself ${quoted(gate)}${owner ? ` of ${quoted(owner)}` : ""}, not ${quoted(mine.name)}: nothing was signed for it`,
    );
  }
}

/** What a gate has to show for a proof to be possible. */
function shown({ layer, shows }: Asked, name: string): string {
  const value = shows[name];
  if (value !== undefined) return value;
  throw new DoorwardError("not_doorward", `${layer} asks for a proof and shows no \`${name}\``);
}

const quoted = (text: string) => `\`${text.slice(0, 64)}\``;
