// @ts-check
// What layers, fields and states are called for a person.

/** @typedef {import("/doorward.js").Ask} Ask */

/** What a layer is about, as a choice and as a line of what has happened. @type {Record<string, string>} */
const LAYERS = {
  app_key: "App key",
  assert_login: "Login on the website",
  challenge: "Challenge",
  ident: "The gate shows who it is",
  jwt: "Signed token",
  key_entry: "Key from the website",
  password: "Username and password",
  ticket: "One-time ticket",
  totp: "Code of your authenticator app",
};

/** @param {string} layer */
export const layerName = (layer) => LAYERS[layer] ?? sentence(layer);

/**
 * How a field is asked for: its label, and what helps to type it.
 *
 * @type {Record<string, { label: string, hint?: string, attributes?: Record<string, string | boolean> }>}
 */
const FIELDS = {
  answer: { label: "Your answer" },
  code: {
    label: "Six digits from your authenticator app",
    attributes: { inputmode: "numeric", autocomplete: "one-time-code", class: "try-code", placeholder: "000000" },
  },
  key: {
    label: "The key that the website shows you",
    attributes: { autocapitalize: "none", spellcheck: "false", class: "try-code" },
  },
  password: { label: "Password", attributes: { type: "password", autocomplete: "current-password" } },
  ticket: { label: "One-time ticket", attributes: { type: "password", placeholder: "dwt_…" } },
  token: { label: "Signed token", attributes: { type: "password", placeholder: "eyJ…" } },
  username: { label: "Username", attributes: { autocomplete: "username", autocapitalize: "none", spellcheck: "false" } },
  words: { label: "The words, with a space between", attributes: { autocapitalize: "none" } },
};

/**
 * @param {Ask} ask
 * @param {string} field
 */
export function fieldWords(ask, field) {
  const known = FIELDS[field] ?? { label: sentence(field) };
  const attributes = { autocomplete: "off", ...known.attributes };
  return field === "answer" && ask.shows["question"] ? { label: ask.shows["question"], attributes } : { ...known, attributes };
}

/** What stands over a question. @param {Ask} ask */
export function questionTitle(ask) {
  if (ask.layer === "ident") return ask.fields.includes("accept") ? "Do you recognise this gate?" : "A question";
  return layerName(ask.layer);
}

/** What was answered, by layer and step, where the name of the layer does not say it. @type {Record<string, string>} */
const ANSWERED = {
  "ident: user accepts glyph": "Whether you recognise the gate",
  "ident: user answers question": "The question of the gate",
  "app_key: user sends key": "Which app key it is",
  "app_key: user sends proof": "Proof of the app key",
};

/** @param {string} layer @param {string} step */
export const answeredWords = (layer, step) => ANSWERED[`${layer}: ${step}`] ?? layerName(layer);

/** What the layer waits for. @param {import("/doorward.js").Wait} wait */
export function waitWords({ layer, shows }) {
  if (layer === "assert_login") return "Waiting until you are logged in on the website";
  return `Waiting: ${shows["for"] ?? layerName(layer)}`;
}

/** @type {Record<import("/doorward.js").State, string>} */
export const STATES = {
  connecting: "Connecting",
  climbing: "On the ladder",
  admitted: "Inside",
  suspended: "Suspended",
  closed: "Closed",
};

/** Why a socket is suspended. @type {Record<string, string>} */
const SUSPENSIONS = {
  logged_out: "The login has ended. Log in again in this browser, and the socket goes on.",
  unconfirmed: "The server cannot confirm your login just now. It goes on as soon as it can.",
};

/** @param {string} reason */
export const suspendedWords = (reason) => SUSPENSIONS[reason] ?? "Nothing gets through for the moment.";

/** What a person has to know of the codes of an app, before and after one is refused. */
export const usedCodeWords = "A code counts once. If you have used this one already, wait for the next one.";

/** Until when, with the day where that is not today. @param {Date} at @param {Date} now */
export function untilWords(at, now) {
  if (at.toDateString() === now.toDateString()) return at.toLocaleTimeString();
  return `${at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" })}, ${at.toLocaleTimeString()}`;
}

/** `user_name` becomes `User name`. @param {string} name */
const sentence = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
