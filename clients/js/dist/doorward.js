// doorward-client 0.1.0, MIT OR Apache-2.0. Built from clients/js/src by `npm run build`: do not edit.

// src/error.ts
var DoorwardError = class extends Error {
  /** What went wrong, as a word. */
  code;
  /** For `request_refused`: the word of the gate, such as `permission_denied`, or the text of the files, such as `file not found`. */
  reason;
  /** For `closed` and `lost` of files: how the connection ended. */
  closing;
  constructor(code, message, more = {}) {
    super(message, "cause" in more ? { cause: more.cause } : void 0);
    this.name = "DoorwardError";
    this.code = code;
    this.reason = more.reason;
    this.closing = more.closing;
  }
};
var GiveUp = class extends Error {
  constructor(message) {
    super(message);
    this.name = "GiveUp";
  }
};
function ours(error) {
  if (error instanceof DoorwardError) return error;
  if (error instanceof GiveUp) return new DoorwardError("no_answer", error.message, { cause: error });
  return new DoorwardError("call_back_failed", "a call-back of the page failed", { cause: error });
}

// src/address.ts
var SCHEMES = { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" };
function socketUrl(url) {
  const page = globalThis.location?.href;
  let parsed;
  try {
    parsed = new URL(url, page);
  } catch {
  }
  const scheme = parsed && SCHEMES[parsed.protocol];
  if (!parsed || !scheme) throw new DoorwardError("bad_url", "the address of a gate is of the form `wss://host/path`");
  parsed.protocol = scheme;
  parsed.hash = "";
  return parsed.href;
}

// src/backoff.ts
var FIRST = 500;
var LONGEST = 6e4;
var FARTHEST = 36e5;
function delayBefore({ reconnect, afterMs }, failures, random) {
  if (reconnect === "never") return void 0;
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 16));
  const drawn = reconnect === "now" && failures === 0 ? 0 : Math.floor(random * ceiling);
  return Math.max(drawn, Math.min(afterMs, FARTHEST));
}

// src/close.ts
var reason = (code, name, reconnect, sentence2) => ({
  code,
  name,
  sentence: sentence2,
  reconnect
});
var CLOSE_REASONS = [
  reason(1e3, "normal", "never", "The connection was closed in the ordinary way."),
  reason(1e3, "declined", "never", "You did not recognise this gate and left."),
  reason(1001, "going_away", "now", "The server is going away."),
  reason(1001, "ping_timeout", "now", "Nothing was heard from you in time."),
  reason(1002, "protocol_error", "never", "A frame broke the WebSocket protocol."),
  reason(1003, "unsupported_data", "never", "This gate does not take that sort of message."),
  reason(1007, "invalid_data", "never", "A text message was not UTF-8."),
  reason(1008, "policy_violation", "never", "The policy of this gate forbids that."),
  reason(1009, "too_big", "never", "A message was larger than this gate allows."),
  reason(1011, "internal_error", "later", "Something went wrong on the server."),
  reason(1011, "upstream_mismatch", "later", "The server behind this gate speaks another subprotocol."),
  reason(1012, "restart", "later", "The server is restarting."),
  reason(1013, "try_later", "later", "The server cannot decide just now."),
  reason(1013, "upstream_down", "later", "The server behind this gate cannot be reached."),
  reason(1013, "slow_consumer", "later", "You read too slowly for what was sent to you."),
  reason(1014, "upstream_broken", "later", "The server behind this gate broke the WebSocket protocol."),
  reason(4400, "malformed", "never", "A message was not what the protocol asks for."),
  reason(4401, "not_authenticated", "never", "You could not be authenticated."),
  reason(4403, "not_allowed", "never", "You are not allowed here."),
  reason(4408, "too_slow", "later", "A step was not answered in time."),
  reason(4409, "replaced", "never", "Another connection took this one's place."),
  reason(4410, "session_ended", "never", "The login that opened this connection has ended."),
  reason(4410, "expired", "never", "The login that opened this connection has expired."),
  reason(4410, "gate_closed", "never", "The gate that this connection came through was closed."),
  reason(4429, "too_fast", "later", "That was too much in too short a time.")
];
var NO_CLOSE_FRAME = 1006;
function closeReason(code, name = "") {
  const all = CLOSE_REASONS.filter((known2) => known2.code === code);
  const known = all.find((each) => each.name === name) ?? all[0];
  if (known) return known;
  return code === NO_CLOSE_FRAME ? reason(code, "lost", "later", "The connection was lost, or could not be opened.") : reason(code, name || "unknown", "later", "The connection was closed for a reason that this client does not know.");
}
var AFTER_OUR_OWN = { too_slow: "later", call_back_failed: "later" };
function ofOurOwn(error) {
  const reconnect = AFTER_OUR_OWN[error.code] ?? "never";
  return { code: 1e3, name: error.code, sentence: sentence(error.message), reconnect, afterMs: 0, error };
}
var sentence = (message) => `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
var NOT_OPENED = reason(
  NO_CLOSE_FRAME,
  "not_opened",
  "never",
  "The gate did not open. You may have to log in first, the address may be wrong, or this page may not be allowed to open it."
);
var notOpened = (closing) => closing.error ? closing : { ...NOT_OPENED, afterMs: 0 };
function describe(closing) {
  const parts = [`${closing.code} ${closing.name}: ${closing.sentence}`];
  const words = advice(closing);
  if (words) parts.push(words);
  if (closing.trace) parts.push(`(trace ${closing.trace})`);
  return parts.join(" ");
}
function advice({ code, name, reconnect, afterMs }) {
  if (code === 1e3 || name === NOT_OPENED.name) return "";
  if (reconnect === "never") return "The same credentials would end the same way.";
  const notBefore = afterMs > 0 ? `, not before ${Math.ceil(afterMs / 1e3)} s have passed` : "";
  return reconnect === "now" ? `Come back at once${notBefore}.` : `Come back later${notBefore}.`;
}

// src/emitter.ts
var Emitter = class {
  #listeners = /* @__PURE__ */ new Map();
  /** Adds a listener; gives what takes it away again. */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? /* @__PURE__ */ new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }
  emit(name, detail) {
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      try {
        listener(detail);
      } catch (error) {
        report(error);
      }
    }
  }
};
function report(error) {
  if (typeof reportError === "function") return reportError(error);
  queueMicrotask(() => {
    throw error;
  });
}

// src/wire.ts
var SUBPROTOCOL = "doorward.v1";
var Malformed = class extends Error {
};
function readEvent(text) {
  const members = new Members(text);
  const event = members.text("event");
  switch (event) {
    case "ask":
      return {
        event,
        layer: members.text("layer"),
        step: members.text("step"),
        fields: members.texts("fields"),
        expiresIn: members.number("expires_in"),
        shows: members.shows()
      };
    case "choose":
      return {
        event,
        of: members.texts("of"),
        optional: members.take("optional") === true,
        expiresIn: members.number("expires_in")
      };
    case "tell":
      return { event, layer: members.text("layer"), step: members.text("step"), shows: members.shows() };
    case "wait":
      return {
        event,
        layer: members.text("layer"),
        step: members.text("step"),
        expiresIn: members.number("expires_in"),
        shows: members.shows()
      };
    case "admitted":
      return { event, admission: members.admission() };
    case "refused":
      return {
        event,
        code: members.number("code"),
        reason: members.text("reason"),
        reconnect: members.reconnect(),
        afterMs: members.number("after_ms", 0),
        trace: members.text("trace", "")
      };
    case "suspended":
      return { event, reason: members.text("reason", "") };
    case "resumed":
      return { event, gap: members.take("gap") === true };
    case "subscribed":
    case "unsubscribed":
      return { event, place: members.place(), id: members.take("id") };
    case "published":
      return { event, id: members.take("id") };
    case "message":
      return { event, place: members.place(), message: members.take("message"), id: members.take("id") };
    case "error":
      return { event, id: members.take("id"), code: members.text("code"), message: members.text("message", "") };
    default:
      return { event: "other", name: event, raw: members.all };
  }
}
var Members = class {
  all;
  #left;
  constructor(text) {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Malformed("it is no JSON");
    }
    if (!isObject(value)) throw new Malformed("it is no JSON object");
    this.all = value;
    this.#left = new Map(Object.entries(value));
  }
  take(name) {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }
  text(name, otherwise) {
    const value = this.take(name) ?? otherwise;
    if (typeof value !== "string") throw new Malformed(`\`${name}\` is no text`);
    return value;
  }
  texts(name) {
    const value = this.take(name);
    if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) {
      throw new Malformed(`\`${name}\` is no list of texts`);
    }
    return value;
  }
  number(name, otherwise) {
    const value = this.take(name) ?? otherwise;
    if (typeof value !== "number" || !(value >= 0)) throw new Malformed(`\`${name}\` is no number`);
    return value;
  }
  reconnect() {
    const word = this.text("reconnect");
    if (word !== "never" && word !== "now" && word !== "later") {
      throw new Malformed("`reconnect` is none of `never`, `now` and `later`");
    }
    return word;
  }
  place() {
    const channel = this.text("channel");
    const pk = this.take("pk");
    return pk === void 0 ? { channel } : { channel, pk: String(pk) };
  }
  admission() {
    const subject = this.take("subject");
    const expiresAt = this.take("expires_at");
    if (subject !== void 0 && !isSubject(subject)) throw new Malformed("`subject` is none");
    return {
      socket: this.text("socket"),
      backend: this.text("backend"),
      ...subject && { subject: { kind: subject.kind, pk: subject.pk, uuid: subject.uuid } },
      ...typeof expiresAt === "string" && { expiresAt }
    };
  }
  /** All that is left. What is no text is shown as its JSON. */
  shows() {
    const shows = /* @__PURE__ */ Object.create(null);
    for (const [name, value] of this.#left) shows[name] = typeof value === "string" ? value : JSON.stringify(value);
    return shows;
  }
};
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isSubject(value) {
  return isObject(value) && ["kind", "pk", "uuid"].every((name) => typeof value[name] === "string");
}
function auth(kind, fields = {}) {
  const { action: _action, kind: _kind, ...rest } = fields;
  return JSON.stringify({ action: "auth", ...kind !== void 0 && { kind }, ...rest });
}
function request(action, id, place, message) {
  return JSON.stringify({ action, ...place, id, message });
}

// src/hub.ts
var BURST = 20;
var PAUSE_MS = 100;
var Hub = class {
  #world;
  #patience;
  #pending = /* @__PURE__ */ new Map();
  #wanted = /* @__PURE__ */ new Map();
  #lastId = 0;
  #send;
  #closedBecause = new DoorwardError("not_admitted", NOT_ADMITTED);
  constructor(world, patience) {
    this.#world = world;
    this.#patience = patience;
  }
  /** From now on requests go out. */
  open(send) {
    this.#send = send;
  }
  /** From now on no request goes out: those that wait are rejected, and those that come are, each with its reason. */
  close(because, fromNowOn = because) {
    this.#send = void 0;
    this.#closedBecause = fromNowOn;
    for (const pending of this.#pending.values()) {
      pending.cancel();
      pending.reject(because);
    }
    this.#pending.clear();
  }
  async subscribe(where) {
    const place = placeOf(where);
    const answer = await this.request("subscribe", place);
    this.#wanted.set(keyOf(place), place);
    return answer.event === "subscribed" ? answer.place : place;
  }
  async unsubscribe(where) {
    const place = placeOf(where);
    this.giveUp(place);
    if (!this.#send && this.#closedBecause.code !== "suspended") return;
    await this.request("unsubscribe", place);
  }
  /** It is not subscribed to again. */
  giveUp(place) {
    for (const [key, wanted] of this.#wanted) {
      if (wanted.channel === place.channel && (place.pk === void 0 || wanted.pk === place.pk)) this.#wanted.delete(key);
    }
  }
  /** Sends a request with an id of its own and waits for the answer that carries it. */
  request(action, where, message) {
    const send = this.#send;
    if (!send) return Promise.reject(this.#closedBecause);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const cancel = this.#world.after(this.#patience, () => {
        this.#pending.delete(id);
        reject(new DoorwardError("too_slow", `\`${action}\` was not answered within ${this.#patience} ms`));
      });
      this.#pending.set(id, { resolve, reject, cancel });
      send(request(action, id, where === void 0 ? void 0 : placeOf(where), message));
    });
  }
  /** Hears what came: an answer goes to whoever waits for it. */
  hear(event) {
    if (!("id" in event) || typeof event.id !== "number") return;
    const pending = this.#pending.get(event.id);
    if (!pending) return;
    this.#pending.delete(event.id);
    pending.cancel();
    if (event.event !== "error") return pending.resolve(event);
    pending.reject(new DoorwardError("request_refused", `${event.code}: ${event.message}`, { reason: event.code }));
  }
  /** Makes all subscriptions again, one after the other; tells of each that is no longer granted. */
  async subscribeAgain(dropped) {
    const send = this.#send;
    let made = 0;
    for (const [key, place] of [...this.#wanted]) {
      if (made++ >= BURST) await new Promise((resolve) => void this.#world.after(PAUSE_MS, resolve));
      if (this.#send !== send) return;
      if (!this.#wanted.has(key)) continue;
      try {
        await this.request("subscribe", place);
      } catch (error) {
        if (!(error instanceof DoorwardError) || error.code !== "request_refused") return;
        this.#wanted.delete(key);
        dropped(place, error);
      }
    }
  }
};
var NOT_ADMITTED = "there is no admitted socket at this moment: wait for `ready()`";
function placeOf(where) {
  if (typeof where === "string") return { channel: where };
  return where.pk === void 0 ? { channel: where.channel } : { channel: where.channel, pk: String(where.pk) };
}
var keyOf = ({ channel, pk }) => JSON.stringify([channel, pk]);

// src/options.ts
var OPEN_TRIES = 3;
var withDefaults = (timeouts = {}) => ({
  open: 1e4,
  credential: 1e4,
  silence: 15e3,
  request: 1e4,
  close: 2e3,
  ...timeouts
});

// src/bytes.ts
var utf8 = (text) => new TextEncoder().encode(text);
var hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
function base64url(bytes) {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
function fromBase64url(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
}
function unhex(text) {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) return void 0;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
function readKey(prefix, text) {
  const digits = text.slice(prefix.length);
  if (!text.startsWith(prefix)) throw unreadable(`a key of this kind begins with \`${prefix}\``);
  if (!/^[0-9a-f]{72}$/.test(digits)) throw unreadable("a key is its prefix and 72 lowercase hexadecimal digits");
  const bytes = unhex(digits.slice(0, 64));
  if (!bytes || crc32(utf8(text.slice(0, -8))) !== Number.parseInt(digits.slice(64), 16)) {
    throw unreadable("the checksum of the key does not fit, so a character is wrong");
  }
  return bytes;
}
var unreadable = (what) => new DoorwardError("bad_credential", what);
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 3988292384 : crc >>> 1;
  }
  return ~crc >>> 0;
}

// src/world.ts
var LONGEST_TIMER = 2 ** 31 - 1;
function thisWorld(given) {
  const WebSocket = given ?? globalThis.WebSocket;
  if (!WebSocket) {
    const hint = "pass one in as the option `WebSocket`, for example that of the npm package `ws`";
    throw new DoorwardError("no_websocket", `there is no WebSocket here: ${hint}`);
  }
  return {
    WebSocket,
    now: Date.now,
    random: Math.random,
    after(milliseconds, then) {
      const timer = setTimeout(then, Math.min(milliseconds, LONGEST_TIMER));
      return () => clearTimeout(timer);
    }
  };
}
function within(world, milliseconds, what, promise) {
  return new Promise((resolve, reject) => {
    const cancel = world.after(
      milliseconds,
      () => reject(new DoorwardError("too_slow", `${what} took longer than ${milliseconds} ms`))
    );
    promise.then(
      (value) => (cancel(), resolve(value)),
      (error) => (cancel(), reject(error))
    );
  });
}

// src/obtain.ts
async function obtain(world, patience, what, given) {
  const text = typeof given === "function" ? await fetched(world, patience, what, given) : given;
  if (typeof text === "string" && text !== "") return text;
  throw new DoorwardError("call_back_failed", `the call-back for the ${what} gave no text`);
}
async function fetched(world, patience, what, fetch) {
  try {
    return await within(world, patience, `fetching the ${what}`, Promise.resolve(fetch()));
  } catch (error) {
    if (error instanceof DoorwardError || error instanceof GiveUp) throw error;
    throw new DoorwardError("call_back_failed", `the ${what} could not be fetched`, { cause: error });
  }
}
async function subprotocols(options, world, patience) {
  const what = options.atUpgrade;
  const given = what && options[what];
  if (!given) return [SUBPROTOCOL];
  const text = await obtain(world, patience, what, given);
  if (what === "token") return [SUBPROTOCOL, `base64url.bearer.authorization.doorward.${base64url(utf8(text))}`];
  if (!/^[\w.~+-]+$/.test(text)) throw new DoorwardError("bad_credential", "the ticket has a character that none can have");
  return [SUBPROTOCOL, `ticket.doorward.${text}`];
}

// src/proof.ts
function transcript(purpose, ...fields) {
  const texts = [purpose, ...fields.flat()].map(utf8);
  const bytes = new Uint8Array(texts.reduce((length, text) => length + 4 + text.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const text of texts) {
    view.setUint32(at, text.length);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}
var AppKey = class _AppKey {
  #private;
  /** The public id: the first 16 bytes of the SHA-256 of the public half, in hexadecimal. */
  id;
  constructor(key, id) {
    this.#private = key;
    this.id = id;
  }
  /** Reads `dwk_...`. */
  static async read(text) {
    const seed = readKey("dwk_", text.trim());
    const subtle = webCrypto();
    try {
      const pkcs8 = new Uint8Array([...PKCS8_ED25519, ...seed]);
      const key = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
      const { x = "" } = await subtle.exportKey("jwk", key);
      const hash = await subtle.digest("SHA-256", fromBase64url(x));
      return new _AppKey(key, hex(new Uint8Array(hash).slice(0, 16)));
    } catch (cause) {
      throw new DoorwardError("no_crypto", "an app key needs Ed25519 in WebCrypto, which is missing here", { cause });
    }
  }
  /** The proof for what the gate has shown, in base64url. */
  async sign(owner, gate, nonce) {
    const signed = transcript(
      "doorward app_key v1",
      ["owner", owner],
      ["gate", gate],
      ["nonce", nonce],
      ["key", this.id]
    );
    return base64url(new Uint8Array(await webCrypto().sign("Ed25519", this.#private, signed)));
  }
};
var PKCS8_ED25519 = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
async function answerChallenge(secret, gate, nonce, statement) {
  const key = challengeSecret(secret.trim());
  const picked = await hmac(key, transcript("doorward challenge pick v1", ["gate", gate], ["nonce", nonce]));
  const words = statement.split(" ");
  const place = new DataView(picked.buffer).getBigUint64(0) % BigInt(words.length);
  const partial = words[Number(place)] ?? "";
  const proven = transcript(
    "doorward challenge v1",
    ["gate", gate],
    ["nonce", nonce],
    ["statement", statement],
    ["partial", partial]
  );
  return { partial, proof: base64url(await hmac(key, proven)) };
}
function challengeSecret(text) {
  if (text.startsWith("dwc_")) return readKey("dwc_", text);
  const bytes = unhex(text);
  if (bytes && bytes.length >= 16) return bytes;
  throw new DoorwardError(
    "bad_credential",
    "the secret of a challenge is `dwc_...` or at least 32 hexadecimal digits"
  );
}
async function hmac(key, message) {
  const subtle = webCrypto();
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, message));
}
function webCrypto() {
  const subtle = globalThis.crypto?.subtle;
  if (subtle) return subtle;
  throw new DoorwardError(
    "no_crypto",
    "there is no WebCrypto here: a page needs `https://`, or `http://localhost`, to have it"
  );
}

// src/automatic.ts
var Automatic = class {
  #have;
  #world;
  #patience;
  #appKey;
  #recognised = false;
  constructor(have, world, patience) {
    this.#have = have;
    this.#world = world;
    this.#patience = patience;
  }
  /** What is sent without being asked. */
  async offers() {
    const { offer = [] } = this.#have;
    return typeof offer === "function" ? fetched(this.#world, this.#patience, "offer", offer) : offer;
  }
  /** The answer to a question, where it can be given. */
  async answer(ask) {
    const { token, ticket, appKey, challenge } = this.#have;
    switch (`${ask.layer}: ${ask.fields.join(" ")}`) {
      case "jwt: token":
        return token === void 0 ? void 0 : { token: await this.#obtain("token", token) };
      case "ticket: ticket":
        return ticket === void 0 ? void 0 : { ticket: await this.#obtain("ticket", ticket) };
      case "app_key: key":
        return appKey === void 0 ? void 0 : { key: (await this.#key(appKey)).id };
      case "app_key: proof": {
        if (appKey === void 0) return void 0;
        const [owner, gate] = [shown(ask, "owner"), shown(ask, "gate")];
        this.#requireGate(gate, owner);
        return { proof: await (await this.#key(appKey)).sign(owner, gate, shown(ask, "nonce")) };
      }
      case "challenge: partial proof": {
        if (challenge === void 0) return void 0;
        const gate = shown(ask, "gate");
        this.#requireGate(gate);
        const secret = await this.#obtain("challenge", challenge);
        return answerChallenge(secret, gate, shown(ask, "nonce"), shown(ask, "statement"));
      }
      case "ident: accept":
        return this.#recognised ? { accept: "yes" } : void 0;
      default:
        return void 0;
    }
  }
  /** The first of the layers that can be taken, and the first answer to it. */
  async choose(of) {
    for (const layer of of) {
      const fields = await this.firstAnswer(layer);
      if (fields) return { take: layer, fields };
    }
    return void 0;
  }
  /** The first answer to a layer that is taken; a layer that shows something first is taken by its name alone. */
  async firstAnswer(layer) {
    const fields = { jwt: ["token"], ticket: ["ticket"], app_key: ["key"] }[layer];
    if (fields) return this.answer({ layer, fields, shows: {} });
    const isKnown = layer === "challenge" ? this.#have.challenge : layer === "ident" && this.#have.glyph;
    return isKnown ? {} : void 0;
  }
  /** Hears what the gate tells; another glyph than the expected one is the end. */
  hear({ layer, shows }) {
    const { glyph } = this.#have;
    const told = shows["glyph"];
    if (layer !== "ident" || glyph === void 0 || told === void 0) return;
    if (told !== glyph) {
      throw new DoorwardError("other_gate", `the gate shows ${quoted(told)} of itself, not ${quoted(glyph)}: it may be another`);
    }
    this.#recognised = true;
  }
  #obtain(what, given) {
    return obtain(this.#world, this.#patience, what, given);
  }
  #key(appKey) {
    this.#appKey ??= this.#obtain("app key", appKey).then((text) => AppKey.read(text));
    return this.#appKey;
  }
  #requireGate(gate, owner) {
    const mine = this.#have.gate;
    if (!mine || mine.name === gate && (!mine.owner || !owner || mine.owner === owner)) return;
    throw new DoorwardError(
      "other_gate",
      `the gate calls itself ${quoted(gate)}${owner ? ` of ${quoted(owner)}` : ""}, not ${quoted(mine.name)}: nothing was signed for it`
    );
  }
};
function shown({ layer, shows }, name) {
  const value = shows[name];
  if (value !== void 0) return value;
  throw new DoorwardError("not_doorward", `${layer} asks for a proof and shows no \`${name}\``);
}
var quoted = (text) => `\`${text.slice(0, 64)}\``;

// src/climb.ts
var Climb = class {
  #options;
  #world;
  #silence;
  #handles;
  #automatic;
  #told = [];
  #open;
  #cancelDeadline = () => {
  };
  #isAdmitted = false;
  #isOver = false;
  constructor(options, timeouts, world, handles) {
    this.#options = options;
    this.#world = world;
    this.#silence = timeouts.silence;
    this.#handles = handles;
    this.#automatic = new Automatic(options, world, timeouts.credential);
  }
  /** The connection is open: what is offered goes out unasked. */
  async begin() {
    this.#expect(0);
    await this.#attempt(async () => {
      for (const { kind, fields } of await this.#automatic.offers()) this.#say(kind, fields);
    });
  }
  /** Hears what the gate says. A question that comes before the last one was answered takes its place. */
  hear(prompt) {
    switch (prompt.event) {
      case "tell":
        this.#expect(0);
        this.#told.push(prompt);
        void this.#attempt(async () => {
          this.#automatic.hear(prompt);
          this.#handles.tell(prompt);
        });
        return;
      case "wait":
        this.#expect(prompt.expiresIn);
        this.#handles.wait(prompt);
        return;
      default:
        this.#expect(prompt.expiresIn);
        void this.#ask(prompt);
    }
  }
  /** The ladder is climbed: nothing is asked for the moment, and silence is no fault any more. */
  admitted() {
    this.#isAdmitted = true;
    this.#dropQuestion("the gate has come to its verdict");
    this.#cancelDeadline();
  }
  /** The connection is over. */
  end() {
    this.#isOver = true;
    this.#dropQuestion("the connection has ended");
    this.#cancelDeadline();
  }
  async #ask(prompt) {
    this.#dropQuestion("the gate asks for something else");
    const open = new AbortController();
    this.#open = open;
    const milliseconds = prompt.expiresIn * 1e3;
    const cancel = this.#world.after(milliseconds, () => open.abort(new DoorwardError("too_slow", "the time for the answer is over")));
    open.signal.addEventListener("abort", cancel);
    await this.#attempt(async () => {
      const question = this.#question(prompt, open.signal);
      const answer = question.kind === "ask" ? await this.#answer(question) : await this.#choice(question);
      if (open.signal.aborted) return;
      cancel();
      this.#open = void 0;
      this.#expect(0);
      this.#say(answer.take, answer.fields);
      const { take: layer, automatic } = answer;
      this.#handles.answered({ layer, automatic, ...prompt.event === "ask" && { step: prompt.step } });
    }, open.signal);
  }
  #question(prompt, signal) {
    const asked = { expiresIn: prompt.expiresIn, expiresAt: this.#world.now() + prompt.expiresIn * 1e3, signal };
    if (prompt.event === "choose") return { kind: "choose", of: prompt.of, optional: prompt.optional, ...asked };
    const told = this.#told.filter(({ layer }) => layer === prompt.layer);
    return { kind: "ask", layer: prompt.layer, step: prompt.step, fields: prompt.fields, shows: prompt.shows, told, ...asked };
  }
  async #answer(ask) {
    const known = await this.#automatic.answer(ask);
    if (known) return { take: ask.layer, fields: known, automatic: true };
    const answer = await this.#askPerson(ask);
    if (isFields(answer)) return { take: ask.layer, fields: answer, automatic: false };
    throw new DoorwardError("no_answer", `the gate asks for \`${ask.fields.join("`, `")}\` (${ask.layer}: ${ask.step}), which is not at hand`);
  }
  async #choice(choose) {
    const known = await this.#automatic.choose(choose.of);
    if (known) return { ...known, automatic: true };
    const automatic = choose.optional && !this.#options.onQuestion;
    const answer = automatic ? "skip" : await this.#askPerson(choose);
    if (answer === "skip") return { take: "skip", automatic };
    if (isTake(answer)) {
      const fields = answer.fields ?? await this.#automatic.firstAnswer(answer.take) ?? {};
      return { take: answer.take, fields, automatic };
    }
    throw new DoorwardError("no_answer", `the gate takes \`${choose.of.join("`, `")}\`, and none of them is at hand`);
  }
  async #askPerson(question) {
    return question.signal.aborted ? void 0 : this.#options.onQuestion?.(question);
  }
  /** Does something that can fail; what fails after it has ceased to matter does not count. */
  async #attempt(what, signal) {
    try {
      await what();
    } catch (error) {
      if (this.#isOver || signal?.aborted) return;
      this.#handles.fail(ours(error));
    }
  }
  #say(kind, fields = {}) {
    if (!this.#isOver) this.#handles.send(auth(kind, fields));
  }
  #dropQuestion(why) {
    this.#open?.abort(new DoorwardError("closed", why));
    this.#open = void 0;
  }
  /** It is the gate's turn, now or in so many seconds: silence beyond that ends the climb. */
  #expect(seconds) {
    this.#cancelDeadline();
    if (this.#isAdmitted || this.#isOver) return;
    this.#cancelDeadline = this.#world.after(
      seconds * 1e3 + this.#silence,
      () => this.#handles.fail(new DoorwardError("too_slow", "the gate said nothing, although it was its turn"))
    );
  }
};
var isTake = (answer) => typeof answer === "object" && answer !== null && typeof answer.take === "string";
var isFields = (answer) => typeof answer === "object" && answer !== null;

// src/connection.ts
var Connection = class {
  #socket;
  #world;
  #closeTimeout;
  #hears;
  #cancel;
  #isLeaving = false;
  #isOver = false;
  #error;
  /** @throws DoorwardError `bad_url` where no WebSocket can be made of the address. It is not repeated. */
  constructor(url, protocols, timeouts, world, hears) {
    this.#world = world;
    this.#hears = hears;
    this.#closeTimeout = timeouts.close;
    try {
      this.#socket = new world.WebSocket(url, protocols);
    } catch {
      const hint = "a page of `https://` can open `wss://` only, and its policy (`connect-src`) has to allow the address";
      throw new DoorwardError("bad_url", `no WebSocket can be opened there: ${hint}`);
    }
    const socket = this.#socket;
    socket.binaryType = "arraybuffer";
    this.#cancel = world.after(
      timeouts.open,
      () => this.close(new DoorwardError("too_slow", `the connection was not open within ${timeouts.open} ms`))
    );
    socket.addEventListener("open", () => {
      if (this.#isLeaving) return;
      this.#cancel();
      hears.opened();
    });
    socket.addEventListener("message", ({ data }) => {
      if (!this.#isLeaving) hears.message(data);
    });
    socket.addEventListener("error", () => {
    });
    socket.addEventListener("close", ({ code, reason: reason2 }) => this.#end(code, reason2));
  }
  send(data) {
    this.#socket.send(data);
  }
  /** Says goodbye; whoever does not answer in time is left. `error` is why, where something went wrong on this side. */
  close(error) {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#error = error;
    this.#cancel();
    this.#cancel = this.#world.after(this.#closeTimeout, () => this.#end(1006, ""));
    this.#socket.close(1e3, "normal");
  }
  #end(code, reason2) {
    if (this.#isOver) return;
    this.#isOver = this.#isLeaving = true;
    this.#cancel();
    this.#hears.ended(code, reason2, this.#error);
  }
};

// src/visit.ts
var Visit = class {
  #options;
  #timeouts;
  #world;
  #handlers;
  #climb;
  #connection;
  #refused;
  #admittedAt;
  #speaksJson = true;
  #hasLeft = false;
  #isOpen = false;
  #isOver = false;
  constructor(options, timeouts, world, handlers) {
    this.#options = options;
    this.#timeouts = timeouts;
    this.#world = world;
    this.#handlers = handlers;
    this.#climb = new Climb(options, timeouts, world, {
      send: (text) => this.send(text),
      tell: (tell) => handlers.tell(tell),
      wait: (wait) => handlers.wait(wait),
      answered: (answered) => handlers.answered(answered),
      fail: (error) => this.#fail(error)
    });
  }
  /** Whether something can be said to the gate. */
  get isOpen() {
    return this.#isOpen && !this.#isOver;
  }
  async begin(url) {
    try {
      const protocols = await subprotocols(this.#options, this.#world, this.#timeouts.credential);
      if (this.#isOver) return;
      this.#connection = new Connection(url, protocols, this.#timeouts, this.#world, {
        opened: () => this.#opened(),
        message: (data) => this.#message(data),
        ended: (code, reason2, error) => this.#end(this.#closing(code, reason2, error))
      });
    } catch (error) {
      this.#fail(ours(error));
    }
  }
  send(data) {
    this.#connection?.send(data);
  }
  /** Leaves, by the wish of the page. */
  leave() {
    this.#hasLeft = true;
    if (this.#connection) this.#connection.close();
    else this.#end(this.#closing(1e3, "normal"));
  }
  #opened() {
    this.#isOpen = true;
    this.#handlers.opened();
    void this.#climb.begin();
  }
  #message(data) {
    if (!this.#speaksJson) return this.#handlers.data(data);
    let event;
    try {
      if (typeof data !== "string") throw new Malformed("it is a binary message");
      event = readEvent(data);
    } catch (error) {
      const what = error instanceof Malformed ? error.message : "it cannot be read";
      if (this.#admittedAt !== void 0) return this.#handlers.malformed(what);
      return this.#fail(new DoorwardError("not_doorward", `what answers there does not speak \`doorward.v1\`: ${what}`));
    }
    switch (event.event) {
      case "ask":
      case "choose":
      case "tell":
      case "wait":
        return this.#climb.hear(event);
      case "refused": {
        const { code, reason: reason2, reconnect, afterMs, trace } = event;
        this.#refused = { ...closeReason(code, reason2), reconnect, afterMs, ...trace && { trace } };
        this.#climb.end();
        return this.#connection?.close();
      }
      case "admitted":
        this.#climb.admitted();
        this.#admittedAt ??= this.#world.now();
        this.#speaksJson = event.admission.backend === "hub";
    }
    this.#handlers.heard(event);
  }
  #fail(error) {
    this.#climb.end();
    if (this.#connection) this.#connection.close(error);
    else this.#end(this.#closing(1e3, "", error));
  }
  #closing(code, reason2, error) {
    if (this.#refused) return this.#refused;
    if (this.#hasLeft) return { ...closeReason(1e3, "normal"), afterMs: 0 };
    return error ? ofOurOwn(error) : { ...closeReason(code, reason2), afterMs: 0 };
  }
  #end(closing) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#climb.end();
    this.#handlers.ended(closing, this.#admittedAt === void 0 ? 0 : this.#world.now() - this.#admittedAt);
  }
};

// src/door.ts
var LIVED = 5e3;
var Door = class {
  #url;
  #options;
  #timeouts;
  #world;
  #emitter = new Emitter();
  #hub;
  #state = "connecting";
  #admission;
  #closing;
  #visit;
  #failures = 0;
  #wasOpen = false;
  #cancelRetry = () => {
  };
  /** @internal */
  constructor(url, options, world) {
    this.#url = url;
    this.#options = options;
    this.#timeouts = withDefaults(options.timeouts);
    this.#world = world;
    this.#hub = new Hub(world, this.#timeouts.request);
    this.#begin();
  }
  /** Where the door stands. */
  get state() {
    return this.#state;
  }
  /** What the gate said when it let us in; `undefined` while we are not in. */
  get admission() {
    return this.#admission;
  }
  /** How the last connection ended. */
  get closing() {
    return this.#closing;
  }
  /** Listens; gives what ends the listening. */
  on(name, listener) {
    return this.#emitter.on(name, listener);
  }
  /**
   * Waits until the ladder is climbed, over as many connections as it takes.
   *
   * @throws DoorwardError `closed` once no further connection is tried; its message says why.
   */
  ready() {
    return new Promise((resolve, reject) => {
      const settle = () => {
        if (this.#state === "admitted" && this.#admission) resolve(this.#admission);
        else if (this.#state === "closed" && this.#closing) reject(new DoorwardError("closed", describe(this.#closing)));
        else return false;
        return true;
      };
      if (settle()) return;
      const stop = this.on("state", () => settle() && stop());
    });
  }
  /**
   * Asks for the messages of a channel; they come as the event `message`. After a reconnect it is asked for again.
   *
   * Where the gate subscribes to several objects at once, this gives the first of them.
   *
   * @throws DoorwardError `request_refused`, `not_admitted`, `suspended`, `lost` or `too_slow`.
   */
  subscribe(where) {
    return this.#hub.subscribe(where);
  }
  /** Asks for no more messages of a channel; without a `pk`, of all its objects. */
  unsubscribe(where) {
    return this.#hub.unsubscribe(where);
  }
  /** Publishes anything that JSON can say. Resolves when the hub has taken it. */
  async publish(where, message) {
    await this.#hub.request("publish", where, message === void 0 ? null : message);
  }
  /** Sends an action of the application's own and gives what its model answers. */
  async request(action, where, message) {
    const answer = await this.#hub.request(action, where, message);
    return answer.event === "message" ? answer.message : void 0;
  }
  /** Sends something as it is, to a backend that is no hub. */
  send(data) {
    if (this.#state !== "admitted" || !this.#visit) throw new DoorwardError("not_admitted", NOT_ADMITTED);
    this.#visit.send(data);
  }
  /** Says something to a layer that has not asked, for layers that take such: to have it look again, for example. */
  say(layer, fields = {}) {
    if (!this.#visit?.isOpen) throw new DoorwardError("not_admitted", "there is no open connection at this moment");
    this.#visit.send(auth(layer, fields));
  }
  /** Connects again after the end, as one who was never here. Subscriptions are made again. */
  reopen() {
    if (this.#state !== "closed") return;
    this.#failures = 0;
    this.#wasOpen = false;
    this.#begin();
  }
  /** Leaves, for good. Resolves when the connection is over. */
  close() {
    this.#cancelRetry();
    const closed = new Promise((resolve) => {
      if (this.#state === "closed" && this.#closing) return resolve(this.#closing);
      const stop = this.on("closed", (closing) => (stop(), resolve(closing)));
    });
    if (this.#visit) this.#visit.leave();
    else if (this.#state !== "closed") this.#close({ ...closeReason(1e3), afterMs: 0 });
    return closed;
  }
  #begin() {
    const visit = new Visit(this.#options, this.#timeouts, this.#world, {
      opened: () => {
        this.#wasOpen = true;
        this.#become("climbing");
      },
      heard: (event) => this.#hear(event),
      tell: (tell) => this.#emitter.emit("tell", tell),
      wait: (wait) => this.#emitter.emit("wait", wait),
      answered: (answered) => this.#emitter.emit("answered", answered),
      data: (data) => this.#emitter.emit("data", data),
      malformed: (what) => this.#emitter.emit("malformed", what),
      ended: (closing, livedMs) => this.#ended(closing, livedMs)
    });
    this.#visit = visit;
    this.#become("connecting");
    void visit.begin(this.#url);
  }
  #hear(event) {
    switch (event.event) {
      case "admitted": {
        const isFirst = this.#admission === void 0;
        this.#admission = event.admission;
        this.#goOn();
        this.#emitter.emit("admitted", event.admission);
        if (isFirst) void this.#hub.subscribeAgain((place, error) => this.#emitter.emit("dropped", { ...place, error }));
        return;
      }
      case "suspended":
        this.#hub.close(new DoorwardError("suspended", "the socket is suspended: nothing gets through until it is resumed"));
        this.#become("suspended");
        return this.#emitter.emit("suspended", { reason: event.reason });
      case "resumed":
        this.#goOn();
        return this.#emitter.emit("resumed", { gap: event.gap });
      case "other":
        return this.#emitter.emit("other", event.raw);
      case "unsubscribed":
        if (event.id === void 0) {
          this.#hub.giveUp(event.place);
          const why = "permission_denied: the new admission does not allow this subscription";
          const error = new DoorwardError("request_refused", why, { reason: "permission_denied" });
          return this.#emitter.emit("dropped", { ...event.place, error });
        }
        break;
      case "message":
        if (event.id === void 0) this.#emitter.emit("message", { ...event.place, message: event.message });
    }
    this.#hub.hear(event);
  }
  #goOn() {
    const visit = this.#visit;
    if (!visit) return;
    if (this.#admission?.backend === "hub") this.#hub.open((text) => visit.send(text));
    this.#become("admitted");
  }
  #ended(closing, livedMs) {
    this.#visit = this.#admission = void 0;
    this.#closing = closing;
    const lost = new DoorwardError("lost", "the connection ended before an answer came");
    this.#hub.close(lost, new DoorwardError("not_admitted", NOT_ADMITTED));
    if (livedMs >= LIVED) this.#failures = 0;
    const delayMs = this.#options.reconnect === false ? void 0 : delayBefore(closing, this.#failures, this.#world.random());
    if (delayMs === void 0) return this.#close(closing);
    const attempt = ++this.#failures;
    if (!this.#wasOpen && attempt >= (this.#options.openTries ?? OPEN_TRIES)) return this.#close(notOpened(closing));
    this.#cancelRetry = this.#world.after(delayMs, () => this.#begin());
    this.#become("connecting");
    this.#emitter.emit("lost", { closing, delayMs, attempt });
  }
  #close(closing) {
    this.#closing = closing;
    this.#become("closed");
    this.#emitter.emit("closed", closing);
  }
  #become(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#emitter.emit("state", state);
  }
};

// src/index.ts
function connect(url, options = {}) {
  return new Door(socketUrl(url), options, thisWorld(options.WebSocket));
}
export {
  CLOSE_REASONS,
  DoorwardError,
  GiveUp,
  advice,
  closeReason,
  connect,
  describe
};
