// The values to check by stand in docs/flows/app_key.md and docs/flows/challenge.md.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readKey } from "../src/bytes.js";
import { answerChallenge, AppKey, transcript } from "../src/proof.js";

const KEY = "dwk_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f05374d92";
const SECRET = "dwc_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f27e92fa9";
const NONCE = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

test("an app key has the id and makes the proof of the manual", async () => {
  const key = await AppKey.read(KEY);
  assert.equal(key.id, "56475aa75463474c0285df5dbf2bcab7");
  assert.equal(
    await key.sign("default", "fancy", NONCE),
    "LNyOlxcIRZlCw2WM4KCIYtyG_Jsanqx1BcjtBqo9CC224sZmCK4DN7NjVZBY04uWcJZ03rrvjrphtAXIvk3yDg",
  );
});

test("a challenge is answered as in the manual", async () => {
  const statement = `acorn cedar ocean mint heron flint sage linen ${NONCE}`;
  assert.deepEqual(await answerChallenge(SECRET, "fancy", NONCE, statement), {
    partial: "flint",
    proof: "f3rGQYHVqU66etq4qw18iVVMMZaedms-v4v-3RlDx2k",
  });
});

test("the secret of a challenge may be plain hexadecimal digits, but not few", async () => {
  const same = await answerChallenge(SECRET, "g", "n", "a b c");
  assert.deepEqual(await answerChallenge(SECRET.slice(4, 68), "g", "n", "a b c"), same);
  await assert.rejects(answerChallenge("00ff", "g", "n", "a b c"), { code: "bad_credential" });
});

test("a byte moved from one field to the next changes the transcript", () => {
  assert.notDeepEqual(transcript("p", ["a", "xy"], ["b", "z"]), transcript("p", ["a", "x"], ["b", "yz"]));
  assert.equal(transcript("doorward app_key v1", ["owner", "ü"]).length, 4 + 19 + 4 + 5 + 4 + 2);
});

test("any single wrong character of a key is told, and the key is not repeated", () => {
  for (let place = 0; place < KEY.length; place++) {
    const typed = `${KEY.slice(0, place)}${KEY[place] === "0" ? "1" : "0"}${KEY.slice(place + 1)}`;
    assert.throws(() => readKey("dwk_", typed), (error: Error) => !error.message.includes(typed.slice(4)), `place ${place}`);
  }
  assert.throws(() => readKey("dwc_", KEY), { code: "bad_credential" });
});
