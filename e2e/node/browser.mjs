// Chromium without a window, told what to do by lines of JSON on its standard input: `node browser.mjs /usr/bin/chromium`.
//
//   { "do": "open",    "tab": "one", "url": "...", "person": "bob", "phone": false, "dark": false }
//   { "do": "visit",   "tab": "one", "url": "..." }
//   { "do": "run",     "tab": "one", "script": "async (argument) => ...", "argument": ... }
//   { "do": "fill",    "tab": "one", "label": "...", "text": "..." }
//   { "do": "press",   "tab": "one", "button": "..." }
//   { "do": "see",     "tab": "one", "text": "..." }
//   { "do": "picture", "tab": "one", "path": "..." }
//   { "do": "cookies", "person": "bob" }
//   { "do": "complaints", "tab": "one" }     what the page has complained of on its console so far
//   { "do": "forget" }                       closes all tabs, and forgets all people and their cookies
//
// Each line is answered by one: { "done": ... } or { "failed": "..." }. Tabs of one person share their cookies; persons share nothing.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const PATIENCE = 15_000;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const DESKTOP = { viewport: { width: 1280, height: 900 } };

const browser = await chromium.launch({
  executablePath: process.argv[2],
  // Debian's package has no sandbox for root, and what is opened here is our own; a container's /dev/shm is small.
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const people = new Map();
const tabs = new Map();

const open = async ({ tab, url, person = "somebody", phone = false, dark = false }) => {
  if (!people.has(person)) {
    const context = await browser.newContext({ ...(phone ? PHONE : DESKTOP), colorScheme: dark ? "dark" : "light" });
    context.setDefaultTimeout(PATIENCE);
    people.set(person, context);
  }
  const page = await people.get(person).newPage();
  const complaints = [];
  page.on("console", (said) => said.type() === "error" && complaints.push(said.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  tabs.set(tab, { page, complaints });
  const answer = await page.goto(url);
  return answer.status();
};

const verbs = {
  open,
  visit: ({ page }, { url }) => page.goto(url).then((answer) => answer.status()),
  run: ({ page }, { script, argument }) => page.evaluate(`(${script})(${JSON.stringify(argument ?? null)})`),
  fill: ({ page }, { label, text }) => page.getByLabel(label, { exact: true }).fill(text),
  press: ({ page }, { button }) => page.getByRole("button", { name: button, exact: true }).click(),
  see: ({ page }, { text }) => page.getByText(text).first().waitFor(),
  picture: ({ page }, { path }) => page.screenshot({ path, fullPage: true }).then(() => path),
  complaints: ({ complaints }) => complaints.splice(0),
};

const forget = async () => {
  for (const context of people.values()) await context.close();
  people.clear();
  tabs.clear();
};

const obey = (order) => {
  if (order.do === "forget") return forget();
  if (order.do === "open") return open(order);
  if (order.do === "cookies") return people.get(order.person ?? "somebody").cookies();
  return verbs[order.do](tabs.get(order.tab), order);
};

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify({ done: (await obey(JSON.parse(line))) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ failed: error.message }));
  }
}
await browser.close();
