// Replays `conformance/`: the test says the lines of the gate, and the client has to say its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Door } from "../src/door.js";
import type { DoorwardError } from "../src/error.js";
import type { Given, Offer, Options } from "../src/options.js";
import type { Answer, Question } from "../src/question.js";
import type { Field, Fields } from "../src/wire.js";
import { doorway, settled, until } from "./support/fake.js";
import { type Transcript, transcripts } from "./support/transcript.js";

test("there are transcripts to replay", () => {
  assert.ok(transcripts().length >= 45);
});

for (const file of transcripts()) test(`the client says what ${file.name}.transcript says`, () => replay(file));

async function replay(file: Transcript): Promise<void> {
  const lines = file.turns.flatMap(({ by, said }) => (by === "C" ? [said] : []));
  const { door, world } = await doorway({ ...credentials(file), reconnect: false, ...(file.hasPerson && { onQuestion: person(lines) }) });
  const { socket } = world;
  assert.deepEqual(socket.protocols, ["doorward.v1"]);
  if (!isRefusedAtOnce(file)) socket.open();
  let said = 0;
  let isAdmitted = false;
  let isKeptWaiting = false;
  for (const turn of file.turns) {
    const where = `${file.name}.transcript, line ${turn.line}`;
    const { said: message } = turn;
    if ("http" in message) {
      // All that a page is told of an upgrade that is refused.
      socket.end(1006);
      await settled();
      assert.equal(door.state, "closed", where);
      assert.equal(door.closing?.code, 1006, where);
    } else if (turn.by === "S" && "close" in message) {
      socket.end(Number(message.close), String(message.reason));
      await settled();
      assert.equal(door.state, "closed", where);
      assert.equal(door.closing?.code, message.close, where);
    } else if (turn.by === "S") {
      const { event } = message as { event: string };
      isAdmitted ||= event === "admitted";
      isKeptWaiting = event === "wait" || (isKeptWaiting && event === "tell");
      socket.say(message);
      await settled();
      if (event === "suspended") assert.equal(door.state, "suspended", where);
    } else if ("close" in message) {
      void door.close();
      assert.deepEqual(socket.goodbye, { code: message.close, reason: message.reason }, where);
    } else {
      if (isKeptWaiting) say(door, message as Record<string, Field>);
      else if (isAdmitted && message["action"] !== "auth") ask(door, message);
      await until(() => socket.sent.length > said, where);
      assert.deepEqual(socket.sent[said++], message, where);
    }
  }
  assert.equal(socket.sent.length, said, "the client says nothing more");
  if (isAdmitted && door.state !== "closed") assert.equal(door.state, "admitted");
}

const isRefusedAtOnce = ({ turns }: Transcript) => turns.some(({ said }) => "http" in said);

function credentials({ have }: Transcript): Options {
  const names: Record<string, string> = { jwt: "token", ticket: "ticket", app_key: "appKey", challenge: "challenge", glyph: "glyph" };
  const options: Record<string, unknown> = { gate: { owner: "acme", name: "fancy" } };
  const offer: Offer[] = [];
  for (const [sort, text] of have) {
    const name = names[sort];
    if (name) options[name] = oneAfterTheOther(have.flatMap(([of, text]) => (of === sort ? [text] : [])));
    else offer.push(offered(JSON.parse(text)));
  }
  return { ...options, offer };
}

/** The text; where there are several, each time the next one. */
function oneAfterTheOther(texts: string[]): Given {
  const left = [...texts];
  return texts.length === 1 ? String(texts[0]) : async () => left.shift() ?? "";
}

function offered({ action: _, kind, ...fields }: Record<string, string>): Offer {
  return { fields, ...(kind !== undefined && { kind }) };
}

/** Says what a person says in the file. */
function person(lines: Transcript["turns"][number]["said"][]) {
  const left = [...lines] as Record<string, string>[];
  return (question: Question): Answer => {
    // The lines before the one that fits were answered by credentials.
    while (left.length > 0) {
      const { action: _, kind, ...fields } = left.shift() ?? {};
      if (question.kind === "choose") return { take: kind ?? "", fields };
      if (question.fields.every((field) => field in fields)) return fields as Fields;
    }
    return undefined;
  };
}

/** Has the client say a line that nobody has asked for. */
function say(door: Door, { action: _, kind, ...fields }: Record<string, Field>): void {
  door.say(String(kind), fields);
}

/** Has the client ask the hub for what a line says. */
function ask(door: Door, line: object): void {
  const { action, channel, pk, message } = line as { action: string; channel: string; pk?: string; message?: unknown };
  const where = { channel, pk };
  const verbs: Record<string, () => Promise<unknown>> = {
    subscribe: () => door.subscribe(where),
    unsubscribe: () => door.unsubscribe(where),
    publish: () => door.publish(where, message),
  };
  const asked = (verbs[action] ?? (() => door.request(action, where, message)))();
  // What is denied is denied in the file too.
  asked.catch(({ code }: DoorwardError) => assert.ok(["request_refused", "lost"].includes(code)));
}
