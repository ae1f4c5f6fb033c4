// @ts-check
// The try-it page: opens a gate, shows its ladder step by step, and hands over to the chat.
//
// The site puts `try.html` into a page, lists its gates as options of #try-gates, and sets `data-tickets` on #try where whoever is
// logged in may fetch tickets (POST GATE/ticket).

import { advice, connect, GiveUp } from "/doorward.js";
import { chat } from "./chat.js";
import { element, part } from "./element.js";
import { askPerson } from "./question.js";
import { answeredWords, layerName, STATES, suspendedWords, untilWords, usedCodeWords, waitWords } from "./words.js";

/** @typedef {import("/doorward.js").Door} Door */
/** @typedef {import("/doorward.js").Closing} Closing */

const page = {
  root: part("try", HTMLElement),
  open: part("try-open", HTMLFormElement),
  gate: part("try-gate", HTMLInputElement),
  hole: part("try-hole", HTMLParagraphElement),
  state: part("try-state", HTMLParagraphElement),
  leave: part("try-leave", HTMLButtonElement),
  steps: part("try-steps", HTMLOListElement),
  question: part("try-question", HTMLDivElement),
  end: part("try-end", HTMLDivElement),
  chat: part("try-chat", HTMLElement),
};

/** The ends after which a login helps. */
const ASKS_FOR_LOGIN = ["session_ended", "expired", "not_opened"];

/** @type {Door | undefined} */
let current;
/** The layers that were answered over this connection. @type {Set<string>} */
const answeredLayers = new Set();

page.gate.value ||= new URLSearchParams(location.search).get("gate") ?? part("try-gates", HTMLDataListElement).options[0]?.value ?? "";
page.gate.addEventListener("input", showHole);
const hole = showHole();
if (hole) {
  page.gate.focus();
  page.gate.setSelectionRange(hole.index, hole.index + hole[0].length);
}
part("try-tickets", HTMLLabelElement).hidden = page.root.dataset["tickets"] === undefined;
page.open.addEventListener("submit", (event) => {
  event.preventDefault();
  void open();
});
page.leave.addEventListener("click", () => void current?.close());

/** Says what is still to be filled in, where the gate's path is a pattern such as `/room/{name}`. */
function showHole() {
  const hole = /\{[^{}]*\}/.exec(page.gate.value);
  const words = hole ? `Fill in ${hole[0]}: it stands for one part of the path.` : "";
  page.gate.setCustomValidity(words);
  page.hole.textContent = words;
  page.hole.hidden = !hole;
  return hole;
}

async function open() {
  await current?.close();
  page.steps.replaceChildren();
  page.end.hidden = page.chat.hidden = true;
  try {
    current = connect(page.gate.value.trim(), { ...credentials(), onQuestion });
  } catch (error) {
    return showEnd(error instanceof Error ? error.message : String(error));
  }
  follow(current);
  chat(current);
  showState(current.state);
}

/** @param {import("/doorward.js").Question} question */
async function onQuestion(question) {
  waitingIsOver();
  const answer = await askPerson(page.question, question);
  // The form is gone, and the focus with it: it goes where the next thing will be said.
  if (document.activeElement === document.body) page.state.focus({ preventScroll: true });
  return answer;
}

/** What the page answers by itself. */
function credentials() {
  /** @type {Record<string, string | (() => Promise<string>)>} */
  const have = {};
  for (const [name, value] of new FormData(page.open)) {
    if (name === "gate" || name === "tickets" || typeof value !== "string" || !value.trim()) continue;
    have[name] = value.trim();
  }
  const mayFetch = page.root.dataset["tickets"] !== undefined && new FormData(page.open).has("tickets");
  if (mayFetch && !have["ticket"]) have["ticket"] = fetchTicket;
  return have;
}

/** A ticket for whoever is logged in, as text or as JSON. */
async function fetchTicket() {
  const gate = new URL(page.gate.value.trim(), location.href).pathname;
  const answer = await fetch(`${gate}/ticket`, { method: "POST", headers: { Accept: "application/json" } });
  if (answer.status === 401 || answer.status === 403) throw new GiveUp("log in first: a ticket is made for whoever is logged in");
  if (!answer.ok) throw new Error(`the ticket was answered with ${answer.status}`);
  const text = (await answer.text()).trim();
  return text.startsWith("{") ? String(JSON.parse(text).ticket) : text;
}

/** Shows what a door tells. @param {Door} door */
function follow(door) {
  door.on("state", showState);
  door.on("tell", ({ layer, shows }) => {
    const shown = Object.values(shows).join(" ");
    addStep("told", shown ? `${layerName(layer)}: ${shown}` : layerName(layer));
  });
  door.on("wait", (wait) => {
    const step = addStep("waiting", waitWords(wait));
    const check = element("button", { type: "button", class: "try-link" }, "Look again now");
    check.addEventListener("click", () => door.say(wait.layer, { check: true }));
    // In this tab it would end the socket that waits for it.
    const way = element("a", { href: "/login", target: "_blank" }, "Log in, in another tab");
    if (wait.layer === "assert_login") step.append(check, " ", way);
  });
  door.on("answered", ({ layer, step, automatic }) => {
    answeredLayers.add(layer);
    if (step) addStep("done", answeredWords(layer, step), automatic ? "answered by itself" : "answered by you");
    else addStep("done", layer === "skip" ? "Skipped" : `Chosen: ${layerName(layer)}`);
  });
  door.on("admitted", ({ subject, backend, expiresAt }) => {
    page.end.hidden = true;
    const until = expiresAt ? `, until ${untilWords(new Date(expiresAt), new Date())}` : "";
    addStep("inside", subject ? `Admitted as ${subject.uuid}${until}` : `Admitted${until}`);
    page.chat.hidden = backend !== "hub";
    if (backend !== "hub") addStep("told", `Behind this gate is no hub but \`${backend}\`: this page has nothing to say to it`);
    else part("try-channel", HTMLInputElement).focus({ preventScroll: true });
  });
  door.on("suspended", ({ reason }) => addStep("waiting", suspendedWords(reason)));
  door.on("resumed", ({ gap }) => addStep("inside", gap ? "Goes on. What was said meanwhile did not come." : "Goes on"));
  door.on("lost", ({ closing, delayMs }) => showEnd(closing.sentence, closing, delayMs));
  door.on("closed", (closing) => showEnd(closing.sentence, closing));
}

/** @param {Door["state"]} state */
function showState(state) {
  if (state === "connecting") answeredLayers.clear();
  page.state.replaceChildren(STATES[state]);
  page.state.dataset["state"] = state;
  page.chat.toggleAttribute("inert", state !== "admitted");
  page.leave.hidden = state === "closed";
}

/**
 * @param {"done" | "told" | "waiting" | "inside"} kind
 * @param {string} text
 * @param {string} [detail]
 */
function addStep(kind, text, detail) {
  waitingIsOver();
  const step = element("li", { "data-kind": kind }, text);
  if (detail) step.append(" ", element("small", {}, detail));
  page.steps.append(step);
  return step;
}

/** Nothing is waited for any more, so nothing can be looked at again. */
function waitingIsOver() {
  for (const button of page.steps.querySelectorAll("button")) button.remove();
}

/**
 * Says it where nobody is logged in: what the browser does not tell of the gate, the site tells of its account page.
 *
 * @param {HTMLElement} place
 */
async function sayWhoIsOut(place) {
  try {
    const { type } = await fetch("/account", { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(5_000) });
    if (type === "opaqueredirect") place.prepend("You are not logged in. ");
  } catch {
    // Then it is not known, and the sentence above says what it can have been.
  }
}

/**
 * How it ended, in words, and what can be done.
 *
 * @param {string} sentence
 * @param {Closing} [closing]
 * @param {number} [delayMs] until the next connection, where one is tried
 */
function showEnd(sentence, closing, delayMs) {
  const parts = [element("p", { class: "try-sentence" }, sentence)];
  if (closing) {
    const comingBack = delayMs === undefined ? advice(closing) : `Coming back in ${Math.ceil(delayMs / 1000)} s.`;
    if (closing.name === "not_authenticated" && answeredLayers.has("totp")) parts.push(element("p", {}, usedCodeWords));
    if (comingBack) parts.push(element("p", {}, comingBack));
    if (ASKS_FOR_LOGIN.includes(closing.name) || closing.error?.cause instanceof GiveUp) {
      const way = element("p", {}, element("a", { href: "/login?next=/try" }, "Log in, and come back to this page"));
      if (closing.name === "not_opened") void sayWhoIsOut(way);
      parts.push(way);
    }
    parts.push(element("p", { class: "try-fine" }, element("code", {}, `${closing.code} ${closing.name}`)));
    if (closing.trace) parts.push(element("p", { class: "try-fine" }, "The operator finds out why with ", element("code", {}, `doorward why ${closing.trace}`)));
  }
  if (closing && delayMs === undefined) {
    const again = element("button", { type: "button" }, "Connect again");
    again.addEventListener("click", () => {
      page.end.hidden = true;
      page.steps.replaceChildren();
      current?.reopen();
    });
    parts.push(again);
  }
  waitingIsOver();
  page.end.replaceChildren(...parts);
  page.end.hidden = false;
  const isLost = document.activeElement === document.body || document.activeElement === page.state;
  if (isLost) page.end.querySelector("button")?.focus({ preventScroll: true });
}
