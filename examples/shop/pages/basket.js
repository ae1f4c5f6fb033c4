// The cart of whoever is logged in: a folder of files behind `/ws`, one for each thing, and a channel by which the tabs of one person
// hear that it has changed.
//
// create /cart/lantern      one of it
// write  /cart/lantern "3"  three of it
// remove /cart/lantern      none
// list   /cart, read each   what is in it

import { connect, DoorwardError } from "/ninep.js";

/** How long to wait before the next connection, in milliseconds; it doubles up to a minute. */
const FIRST_WAIT = 500;
/** For how long something is told, in milliseconds. */
const TOLD = 4_000;

export class Basket {
  #files;
  #own;
  #show;

  /** Opens the cart, and shows what is in it now and whenever it changes: `show` gets quantities by name. */
  static async open(show) {
    const basket = new Basket(show);
    await basket.#connect();
    return basket;
  }

  constructor(show) {
    this.#show = show;
  }

  /** One more of something. */
  async add(sku) {
    try {
      await this.#files.create(`/cart/${sku}`);
    } catch (error) {
      if (!(error instanceof DoorwardError) || error.reason !== "file already exists") throw error;
      await this.#files.write(`/cart/${sku}`, String(Number(await this.#files.read(`/cart/${sku}`)) + 1));
    }
    await this.#changed();
  }

  /** So many of something that is in it. */
  async set(sku, quantity) {
    await this.#files.write(`/cart/${sku}`, String(quantity));
    await this.#changed();
  }

  /** Nothing of it any more. */
  async remove(sku) {
    await this.#files.remove(`/cart/${sku}`);
    await this.#changed();
  }

  async #connect() {
    this.#files = await connect("/ws");
    const [own] = await this.#files.list("/channels/changes");
    this.#own = `/channels/changes/${own.name}`;
    void this.#follow();
    void this.#watch();
    await this.#look();
  }

  /** Says that it has changed, also to this tab. */
  #changed() {
    return this.#files.write(this.#own, "null");
  }

  async #follow() {
    try {
      for await (const _ of this.#files.follow(this.#own, { onLost: () => void this.#look() })) await this.#look();
    } catch (error) {
      // The end of the connection is told by its closing.
      if (this.#files.isOpen) console.error(error);
    }
  }

  async #look() {
    const things = await this.#files.list("/cart");
    const quantities = await Promise.all(things.map(({ name }) => this.#quantity(name)));
    this.#show(new Map(things.map(({ name }, at) => [name, quantities[at]]).filter(([, quantity]) => quantity > 0)));
  }

  /** Another tab may have taken it out since. */
  async #quantity(name) {
    try {
      return Number(await this.#files.read(`/cart/${name}`));
    } catch (error) {
      if (error instanceof DoorwardError && error.reason === "file not found") return 0;
      throw error;
    }
  }

  /** Comes back where the gate advises it, and says why where it does not. */
  async #watch() {
    let closing = await this.#files.closed;
    for (let wait = FIRST_WAIT; await mayComeBack(closing); wait = Math.min(2 * wait, 60_000)) {
      await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
      try {
        await this.#connect();
        return tell("");
      } catch (error) {
        if (!(error instanceof DoorwardError) || !error.closing) throw error;
        closing = error.closing;
        tell("The shop does not answer just now. Your cart is kept.", Infinity);
      }
    }
    tell("");
    ended(sentenceOf(closing));
  }
}

/** Why a gate did not open a browser tells no page. The shop does: 401 where nobody is logged in, and nothing where it is away. */
async function mayComeBack({ name, reconnect }) {
  if (name !== "not_opened") return reconnect !== "never";
  const answer = await fetch("/cart").catch(() => undefined);
  return answer?.status !== 401;
}

const sentenceOf = ({ name, sentence }) => (name === "not_opened" ? "Your login has ended." : sentence);

/** Shows in the head of the page how many things are in the cart. */
export function count(quantities) {
  const many = [...quantities.values()].reduce((sum, each) => sum + each, 0);
  const badge = document.querySelector("#count");
  badge.textContent = String(many);
  badge.hidden = many === 0;
}

let untold;

/** Tells something, for a moment. */
export function tell(text, lasts = TOLD) {
  const line = document.querySelector("#told");
  line.textContent = text;
  clearTimeout(untold);
  if (lasts !== Infinity) untold = setTimeout(() => (line.textContent = ""), lasts);
}

/** What went wrong, in words. What ended the connection is told where that is. */
export function problem(error) {
  if (error instanceof DoorwardError && error.closing) return;
  tell(error instanceof DoorwardError ? `That did not work: ${error.message}.` : "That did not work.");
  if (!(error instanceof DoorwardError)) console.error(error);
}

/** Opens the cart; without one, the page says why. */
export async function open(show) {
  try {
    return await Basket.open(show);
  } catch (error) {
    if (!(error instanceof DoorwardError)) throw error;
    ended(error.closing ? sentenceOf(error.closing) : `The cart cannot be opened: ${error.message}.`);
    return undefined;
  }
}

function ended(sentence) {
  const line = document.querySelector("#ended");
  line.querySelector("span").textContent = sentence;
  line.querySelector("a").href = `/login?next=${location.pathname}`;
  line.hidden = false;
  for (const control of document.querySelectorAll("main button, main input")) control.disabled = true;
}
