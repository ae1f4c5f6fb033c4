// Replays `conformance/`: the test says the lines of the gate, and the client has to say its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Door } from "../src/door.js";
import type { DoorwardError } from "../src/error.js";
import type { Offer, Options } from "../src/options.js";
import type { Answer, Question } from "../src/question.js";
import type { Fields } from "../src/wire.js";
import { doorway, settled, until } from "./support/fake.js";
import { type Transcript, transcripts } from "./support/transcript.js";

test("there are transcripts to replay", () => {
  assert.ok(transcripts().length >= 21);
});

for (const file of transcripts()) test(`the client says what ${file.name}.transcript says`, () => replay(file));

async function replay(file: Transcript): Promise<void> {
  const lines = file.turns.flatMap(({ by, said }) => (by === "C" ? [said] : []));
  const { door, world } = await doorway({ ...credentials(file), reconnect: false, ...(file.hasPerson && { onQuestion: person(lines) }) });
  const socket = world.socket.open();
  assert.deepEqual(socket.protocols, ["doorward.v1"]);
  let said = 0;
  let isAdmitted = false;
  for (const turn of file.turns) {
    const where = `${file.name}.transcript, line ${turn.line}`;
    const { said: message } = turn;
    if (turn.by === "S" && "close" in message) {
      socket.end(Number(message.close), String(message.reason));
      await settled();
      assert.equal(door.state, "closed", where);
      assert.equal(door.closing?.code, message.close, where);
    } else if (turn.by === "S") {
      isAdmitted ||= (message as { event: string }).event === "admitted";
      socket.say(message);
      await settled();
    } else if ("close" in message) {
      void door.close();
      assert.deepEqual(socket.goodbye, { code: message.close, reason: message.reason }, where);
    } else {
      if (isAdmitted) ask(door, message);
      await until(() => socket.sent.length > said, where);
      assert.deepEqual(socket.sent[said++], message, where);
    }
  }
  assert.equal(socket.sent.length, said, "the client says nothing more");
  if (isAdmitted && door.state !== "closed") assert.equal(door.state, "admitted");
}

function credentials({ have }: Transcript): Options {
  const names: Record<string, string> = { jwt: "token", ticket: "ticket", app_key: "appKey", challenge: "challenge", glyph: "glyph" };
  const options: Record<string, unknown> = { gate: { owner: "acme", name: "fancy" } };
  const offer: Offer[] = [];
  for (const [sort, text] of have) {
    const name = names[sort];
    if (name) options[name] = text;
    else offer.push(offered(JSON.parse(text)));
  }
  return { ...options, offer };
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
