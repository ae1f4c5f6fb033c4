// @ts-check
// A question of the ladder as a form, with the time that is left. Gone when it is answered, or when nobody waits for it any more.

import { element } from "./element.js";
import { fieldWords, layerName, questionTitle, usedCodeWords } from "./words.js";

/** @typedef {import("/doorward.js").Question} Question */
/** @typedef {import("/doorward.js").Answer} Answer */

/**
 * Asks a person, in a place of the page.
 *
 * @param {HTMLElement} place
 * @param {Question} question
 * @returns {Promise<Answer>} `undefined` where the person leaves
 */
export function askPerson(place, question) {
  return new Promise((resolve) => {
    const form = element("form", { class: "try-question", "aria-labelledby": "try-question-title" });
    /** @param {Answer} answer */
    const done = (answer) => {
      stop();
      form.remove();
      resolve(answer);
    };
    const timer = countdown(question.expiresAt);
    const stop = timer.stop;
    form.append(...(question.kind === "choose" ? choice(question, done) : ask(question)), timer.element);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (question.kind === "ask") done(answerOf(question, form, event));
    });
    question.signal.addEventListener("abort", () => done(undefined));
    place.replaceChildren(form);
    const first = form.querySelector("input, button");
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
    form.scrollIntoView({ block: "nearest" });
  });
}

/** @param {string} text */
const title = (text) => element("h2", { id: "try-question-title" }, text);

/**
 * @param {Extract<Question, { kind: "choose" }>} question
 * @param {(answer: Answer) => void} done
 */
function choice(question, done) {
  const buttons = question.of.map((layer) => {
    const button = element("button", { type: "button", class: "try-choice" }, layerName(layer));
    button.addEventListener("click", () => done({ take: layer }));
    return button;
  });
  if (question.optional) {
    const skip = element("button", { type: "button" }, "Skip");
    skip.addEventListener("click", () => done("skip"));
    buttons.push(skip);
  }
  return [title(question.optional ? "Would you like to add one of these?" : "How do you want to go on?"), element("div", { class: "try-choices" }, ...buttons)];
}

/** @param {Extract<Question, { kind: "ask" }>} question */
function ask(question) {
  const glyph = question.told.find(({ shows }) => shows["glyph"])?.shows["glyph"];
  const parts = [title(questionTitle(question))];
  if (glyph) parts.push(element("p", { class: "try-glyph" }, glyph));
  if (question.shows["statement"]) parts.push(element("p", {}, question.shows["statement"]));
  if (question.fields.includes("accept")) return [...parts, yesOrNo()];
  for (const name of question.fields) {
    const { label, attributes } = fieldWords(question, name);
    const id = `try-field-${name}`;
    const input = element("input", { id, name, required: true, ...attributes });
    parts.push(element("label", { for: id }, label), input);
    if (question.layer === "totp" && name === "code") parts.push(element("p", { class: "try-hint" }, usedCodeWords), recovery(input));
  }
  return [...parts, element("div", { class: "try-choices" }, element("button", { class: "try-main", type: "submit" }, "Answer"))];
}

function yesOrNo() {
  const yes = element("button", { class: "try-main", type: "submit", name: "accept", value: "yes" }, "Yes, go on");
  const no = element("button", { type: "submit", name: "accept", value: "no" }, "No, leave");
  return element("div", { class: "try-choices" }, yes, no);
}

/** A recovery code has letters, which the keys for digits of a phone lack. @param {HTMLElement} input */
function recovery(input) {
  const button = element("button", { type: "button", class: "try-link" }, "Use a recovery code");
  button.addEventListener("click", () => {
    input.setAttribute("inputmode", "text");
    input.setAttribute("autocomplete", "off");
    input.setAttribute("placeholder", "");
    document.querySelector(`label[for="${input.id}"]`)?.replaceChildren("A recovery code");
    button.remove();
    input.focus();
  });
  return button;
}

/**
 * @param {Extract<Question, { kind: "ask" }>} question
 * @param {HTMLElement} form
 * @param {SubmitEvent} event
 */
function answerOf(question, form, event) {
  /** @type {Record<string, string>} */
  const answer = {};
  if (event.submitter instanceof HTMLButtonElement && event.submitter.name) answer[event.submitter.name] = event.submitter.value;
  for (const input of form.querySelectorAll("input")) {
    const isCode = question.layer === "totp" && input.name === "code";
    answer[input.name] = isCode ? input.value.replace(/\s/g, "") : input.value;
  }
  return answer;
}

/** The time that is left, as a bar and in words. @param {number} expiresAt */
function countdown(expiresAt) {
  const total = Math.max(1, expiresAt - Date.now());
  const bar = element("progress", { max: String(total), "aria-hidden": "true" });
  const words = element("span", { role: "timer" });
  const tick = () => {
    const left = Math.max(0, expiresAt - Date.now());
    if (bar instanceof HTMLProgressElement) bar.value = left;
    words.textContent = `${Math.ceil(left / 1000)} s left`;
    words.toggleAttribute("data-soon", left < 10_000);
  };
  tick();
  const timer = setInterval(tick, 250);
  return { element: element("p", { class: "try-time" }, bar, words), stop: () => clearInterval(timer) };
}
