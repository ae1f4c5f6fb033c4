// The climb, from the user's side; also of a ladder that asks again over an admitted socket.
//
// client -> gate     send offers
// gate   -> client   choose, ask, tell or wait
// client -> gate     send answer
// gate   -> client   admitted, or refused and closed

import { Automatic } from "./automatic.js";
import { DoorwardError, ours } from "./error.js";
import type { Options, Timeouts } from "./options.js";
import type { Answer, Answered, Ask, Choose, Question, Take, Tell, Wait } from "./question.js";
import { auth, type Fields, type GateEvent } from "./wire.js";
import type { World } from "./world.js";

/** What a gate says during a ladder. */
type Prompt = Extract<GateEvent, { event: "ask" | "choose" | "tell" | "wait" }>;
/** What of it wants an answer. */
type Asking = Extract<GateEvent, { event: "ask" | "choose" }>;

/** What a climb does to the world outside. */
export interface Handles {
  send(text: string): void;
  tell(tell: Tell): void;
  wait(wait: Wait): void;
  answered(answered: Answered): void;
  /** It cannot go on. */
  fail(error: DoorwardError): void;
}

/** An answer, and whether the credentials had it. */
type Found = Take & { readonly automatic: boolean };

/** One run of a ladder, on one connection. */
export class Climb {
  readonly #options: Options;
  readonly #world: World;
  readonly #silence: number;
  readonly #handles: Handles;
  readonly #automatic: Automatic;
  readonly #told: Tell[] = [];
  #open: AbortController | undefined;
  #cancelDeadline = () => {};
  #isAdmitted = false;
  #isOver = false;

  constructor(options: Options, timeouts: Required<Timeouts>, world: World, handles: Handles) {
    this.#options = options;
    this.#world = world;
    this.#silence = timeouts.silence;
    this.#handles = handles;
    this.#automatic = new Automatic(options, world, timeouts.credential);
  }

  /** The connection is open: what is offered goes out unasked. */
  async begin(): Promise<void> {
    this.#expect(0);
    await this.#attempt(async () => {
      for (const { kind, fields } of await this.#automatic.offers()) this.#say(kind, fields);
    });
  }

  /** Hears what the gate says. A question that comes before the last one was answered takes its place. */
  hear(prompt: Prompt): void {
    switch (prompt.event) {
      case "tell":
        this.#expect(0);
        this.#told.push(prompt);
        void this.#attempt(async () => {
          this.#automatic.hear(prompt);
          this.#handles.tell(prompt);
        });
        return;
      case "wait":
        this.#expect(prompt.expiresIn);
        this.#handles.wait(prompt);
        return;
      default:
        this.#expect(prompt.expiresIn);
        void this.#ask(prompt);
    }
  }

  /** The ladder is climbed: nothing is asked for the moment, and silence is no fault any more. */
  admitted(): void {
    this.#isAdmitted = true;
    this.#dropQuestion("the gate has come to its verdict");
    this.#cancelDeadline();
  }

  /** The connection is over. */
  end(): void {
    this.#isOver = true;
    this.#dropQuestion("the connection has ended");
    this.#cancelDeadline();
  }

  async #ask(prompt: Asking): Promise<void> {
    this.#dropQuestion("the gate asks for something else");
    const open = new AbortController();
    this.#open = open;
    const milliseconds = prompt.expiresIn * 1000;
    const cancel = this.#world.after(milliseconds, () => open.abort(new DoorwardError("too_slow", "the time for the answer is over")));
    open.signal.addEventListener("abort", cancel);
    await this.#attempt(async () => {
      const question = this.#question(prompt, open.signal);
      const answer = question.kind === "ask" ? await this.#answer(question) : await this.#choice(question);
      if (open.signal.aborted) return;
      cancel();
      this.#open = undefined;
      this.#expect(0);
      this.#say(answer.take, answer.fields);
      const { take: layer, automatic } = answer;
      this.#handles.answered({ layer, automatic, ...(prompt.event === "ask" && { step: prompt.step }) });
    }, open.signal);
  }

  #question(prompt: Asking, signal: AbortSignal): Question {
    const asked = { expiresIn: prompt.expiresIn, expiresAt: this.#world.now() + prompt.expiresIn * 1000, signal };
    if (prompt.event === "choose") return { kind: "choose", of: prompt.of, optional: prompt.optional, ...asked };
    const told = this.#told.filter(({ layer }) => layer === prompt.layer);
    return { kind: "ask", layer: prompt.layer, step: prompt.step, fields: prompt.fields, shows: prompt.shows, told, ...asked };
  }

  async #answer(ask: Ask): Promise<Found> {
    const known = await this.#automatic.answer(ask);
    if (known) return { take: ask.layer, fields: known, automatic: true };
    const answer = await this.#askPerson(ask);
    if (isFields(answer)) return { take: ask.layer, fields: answer, automatic: false };
    throw new DoorwardError("no_answer", `the gate asks for \`${ask.fields.join("`, `")}\` (${ask.layer}: ${ask.step}), which is not at hand`);
  }

  async #choice(choose: Choose): Promise<Found> {
    const known = await this.#automatic.choose(choose.of);
    if (known) return { ...known, automatic: true };
    const automatic = choose.optional && !this.#options.onQuestion;
    const answer = automatic ? "skip" : await this.#askPerson(choose);
    if (answer === "skip") return { take: "skip", automatic };
    if (isTake(answer)) {
      const fields = answer.fields ?? (await this.#automatic.firstAnswer(answer.take)) ?? {};
      return { take: answer.take, fields, automatic };
    }
    throw new DoorwardError("no_answer", `the gate takes \`${choose.of.join("`, `")}\`, and none of them is at hand`);
  }

  async #askPerson(question: Question): Promise<Answer> {
    return question.signal.aborted ? undefined : this.#options.onQuestion?.(question);
  }

  /** Does something that can fail; what fails after it has ceased to matter does not count. */
  async #attempt(what: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    try {
      await what();
    } catch (error) {
      if (this.#isOver || signal?.aborted) return;
      this.#handles.fail(ours(error));
    }
  }

  #say(kind: string | undefined, fields: Fields = {}): void {
    if (!this.#isOver) this.#handles.send(auth(kind, fields));
  }

  #dropQuestion(why: string): void {
    this.#open?.abort(new DoorwardError("closed", why));
    this.#open = undefined;
  }

  /** It is the gate's turn, now or in so many seconds: silence beyond that ends the climb. */
  #expect(seconds: number): void {
    this.#cancelDeadline();
    if (this.#isAdmitted || this.#isOver) return;
    this.#cancelDeadline = this.#world.after(seconds * 1000 + this.#silence, () =>
      this.#handles.fail(new DoorwardError("too_slow", "the gate said nothing, although it was its turn")),
    );
  }
}

const isTake = (answer: Answer): answer is Take =>
  typeof answer === "object" && answer !== null && typeof (answer as Take).take === "string";

const isFields = (answer: Answer): answer is Fields => typeof answer === "object" && answer !== null;
