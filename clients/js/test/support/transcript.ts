// Reads the golden transcripts of `conformance/`; `conformance/README.md` describes the form.

import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../../../../conformance/", import.meta.url);

export interface Turn {
  readonly line: number;
  /** The gate, or the client. What happens elsewhere is not for a client to see. */
  readonly by: "S" | "C";
  readonly said: Record<string, unknown> | { close: number; reason: string } | { http: number };
}

export interface Transcript {
  readonly name: string;
  /** What the client holds: the sort of credential and its text. */
  readonly have: ReadonlyArray<readonly [sort: string, text: string]>;
  readonly hasPerson: boolean;
  readonly turns: readonly Turn[];
}

export const transcripts = (): Transcript[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".transcript"))
    .map((file) => read(file.replace(".transcript", ""), readFileSync(new URL(file, FOLDER), "utf8")));

function read(name: string, text: string): Transcript {
  const [header = "", conversation = ""] = text.split("\n---\n");
  const have = [...header.matchAll(/^have: (\S+) (.*)$/gm)].map(([, sort = "", what = ""]) => [sort, what] as const);
  const first = header.split("\n").length + 2;
  const turns = conversation.split("\n").flatMap((line, at) => (line && !line.startsWith("W ") ? [turn(line, first + at)] : []));
  return { name, have, hasPerson: /^person: yes$/m.test(header), turns };
}

function turn(text: string, line: number): Turn {
  const by = text[0];
  if (by !== "S" && by !== "C") throw new Error(`line ${line} is nobody's: ${text}`);
  const said = text.slice(2);
  const close = /^close (\d+) ?(.*)$/.exec(said);
  if (close) return { line, by, said: { close: Number(close[1]), reason: close[2] ?? "" } };
  const http = /^http (\d+)$/.exec(said);
  return { line, by, said: http ? { http: Number(http[1]) } : JSON.parse(said) };
}
