import assert from "node:assert/strict";
import { test } from "node:test";
import { delayBefore } from "../src/backoff.js";
import type { Reconnect } from "../src/close.js";

const delay = (reconnect: Reconnect, failures: number, random: number, afterMs = 0) => delayBefore({ reconnect, afterMs }, failures, random);

test("the ceiling doubles from half a second to a minute", () => {
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 7, 8, 1000].map((failures) => delay("later", failures, 1));
  assert.deepEqual(ceilings, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test("the delay is drawn from all of it", () => {
  assert.deepEqual([delay("later", 3, 0), delay("later", 3, 0.25)], [0, 1000]);
});

test("now is at once, but only the first time", () => {
  assert.deepEqual([delay("now", 0, 0.9), delay("now", 1, 0.5)], [0, 500]);
});

test("never is never", () => {
  assert.equal(delay("never", 0, 0), undefined);
});

test("a gate can make a client wait, but not for ever", () => {
  assert.deepEqual([delay("now", 0, 0, 7000), delay("later", 0, 1, 100), delay("later", 0, 0, 1e15)], [7000, 500, 3_600_000]);
});
