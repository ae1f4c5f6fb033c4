import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { advice, CLOSE_REASONS, closeReason, describe } from "../src/close.js";

const OF_THE_SERVER = new URL("../../../../crates/doorward-types/src/close.rs", import.meta.url);

test("the table of close reasons is the server's own", () => {
  const source = readFileSync(OF_THE_SERVER, "utf8");
  const rows = [...source.matchAll(/^ {4}\w+ = (\d+), "(\w+)", "([^"]+)", (\w+);$/gm)];
  assert.ok(rows.length > 20, "the table of the server is read");
  assert.deepEqual(
    CLOSE_REASONS,
    rows.map(([, code, name, sentence, reconnect]) => ({ code: Number(code), name, sentence, reconnect: reconnect?.toLowerCase() })),
  );
});

test("a close is known by its name and else by its code", () => {
  assert.equal(closeReason(4410, "expired").name, "expired");
  assert.equal(closeReason(4410).name, "session_ended");
  assert.equal(closeReason(4401, "expired").name, "not_authenticated");
  assert.deepEqual([closeReason(3000, "odd").name, closeReason(3000).reconnect], ["odd", "later"]);
  assert.deepEqual([closeReason(1006).name, closeReason(1006).reconnect], ["lost", "later"]);
});

test("an end in words says what to do and what to quote", () => {
  const closing = { ...closeReason(4429), afterMs: 1500, trace: "0af7" };
  assert.equal(
    describe(closing),
    "4429 too_fast: That was too much in too short a time. Come back later, not before 2 s have passed. (trace 0af7)",
  );
  assert.equal(describe({ ...closeReason(1000, "declined"), afterMs: 0 }), "1000 declined: You did not recognise this gate and left.");
  assert.equal(advice({ ...closeReason(4401), afterMs: 0 }), "The same credentials would end the same way.");
});
