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

// src/address.ts
var SCHEMES = { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" };
function socketUrl(url) {
  const page = globalThis.location?.href;
  let parsed2;
  try {
    parsed2 = new URL(url, page);
  } catch {
  }
  const scheme = parsed2 && SCHEMES[parsed2.protocol];
  if (!parsed2 || !scheme) throw new DoorwardError("bad_url", "the address of a gate is of the form `wss://host/path`");
  parsed2.protocol = scheme;
  parsed2.hash = "";
  return parsed2.href;
}

// src/bytes.ts
var utf8 = (text) => new TextEncoder().encode(text);

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

// src/ninep/message.ts
var T = {
  version: 100,
  attach: 104,
  flush: 108,
  walk: 110,
  open: 112,
  create: 114,
  read: 116,
  write: 118,
  clunk: 120,
  remove: 122,
  stat: 124
};
var RERROR = 107;
var NO_TAG = 65535;
var NO_FID = 4294967295;
var NAMES_PER_WALK = 16;
var IO_HEADER = 24;
var HEADER = 7;
var READ = 0;
var WRITE = 1;
var TRUNCATE = 16;
var DIRECTORY = 2147483648;
var QID_DIRECTORY = 128;
var Malformed = class extends Error {
};
var Request = class {
  type;
  #bytes = [];
  constructor(type) {
    this.type = type;
  }
  u8(value) {
    return this.#number(value, 1);
  }
  u16(value) {
    return this.#number(value, 2);
  }
  u32(value) {
    return this.#number(value, 4);
  }
  u64(value) {
    return this.#number(value % 2 ** 32, 4).#number(Math.floor(value / 2 ** 32), 4);
  }
  text(text) {
    const bytes = utf8(text);
    if (bytes.length > 65535) throw new DoorwardError("too_big", "a name is 65535 bytes at the most");
    this.u16(bytes.length).#bytes.push(...bytes);
    return this;
  }
  data(data) {
    this.u32(data.length);
    for (const byte of data) this.#bytes.push(byte);
    return this;
  }
  /** The whole message. */
  tagged(tag) {
    const whole = new Uint8Array(HEADER + this.#bytes.length);
    const view = new DataView(whole.buffer);
    view.setUint32(0, whole.length, true);
    view.setUint8(4, this.type);
    view.setUint16(5, tag, true);
    whole.set(this.#bytes, HEADER);
    return whole;
  }
  #number(value, width) {
    for (let byte = 0; byte < width; byte++) this.#bytes.push(value >>> 8 * byte & 255);
    return this;
  }
};
var Reader = class _Reader {
  #bytes;
  #view;
  #at = 0;
  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  get isAtEnd() {
    return this.#at === this.#bytes.length;
  }
  u8() {
    return this.#view.getUint8(this.#skip(1));
  }
  u16() {
    return this.#view.getUint16(this.#skip(2), true);
  }
  u32() {
    return this.#view.getUint32(this.#skip(4), true);
  }
  u64() {
    return Number(this.#view.getBigUint64(this.#skip(8), true));
  }
  bytes(length) {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }
  text() {
    return textOf(this.bytes(this.u16()));
  }
  /** Passes over what identifies a file, but for whether it is a directory. */
  qid() {
    const at = this.#skip(13);
    return { isDirectory: ((this.#bytes[at] ?? 0) & QID_DIRECTORY) !== 0 };
  }
  stat() {
    const record = new _Reader(this.bytes(this.u16()));
    record.#skip(6);
    record.qid();
    const [mode, , modified] = [record.u32(), record.u32(), record.u32()];
    const [length, name] = [record.u64(), record.text()];
    return {
      name,
      length,
      isDirectory: (mode & DIRECTORY) !== 0,
      permissions: mode & 511,
      modified: new Date(modified * 1e3)
    };
  }
  #skip(length) {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new Malformed("a message is shorter than what it has to hold");
    this.#at = at + length;
    return at;
  }
};
function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("a text is not UTF-8");
  }
}
var Incoming = class {
  /** The longest message that may come. */
  msize;
  #kept = new Uint8Array();
  constructor(msize) {
    this.msize = msize;
  }
  /** The messages that are whole with these bytes. @throws Malformed where a message says to be too short or too long. */
  *take(bytes) {
    let all = bytes;
    if (this.#kept.length > 0) {
      all = new Uint8Array(this.#kept.length + bytes.length);
      all.set(this.#kept);
      all.set(bytes, this.#kept.length);
    }
    let at = 0;
    while (all.length - at >= 4) {
      const size = new DataView(all.buffer, all.byteOffset + at, 4).getUint32(0, true);
      if (size < HEADER || size > this.msize) throw new Malformed(`a message says to be ${size} bytes long`);
      if (all.length - at < size) break;
      const message = all.subarray(at, at + size);
      at += size;
      this.#kept = all.slice(at);
      yield message;
    }
    this.#kept = all.slice(at);
  }
};

// src/ninep/requests.ts
var Requests = class {
  #wire;
  #world;
  #patience;
  #pending = /* @__PURE__ */ new Map();
  #lastTag = NO_TAG - 1;
  #over;
  constructor(wire, world, patience) {
    this.#wire = wire;
    this.#world = world;
    this.#patience = patience;
  }
  /** Sends a request, and gives what is read from its answer. */
  ask(request, read, { signal, patience = this.#patience } = {}) {
    if (this.#over) return Promise.reject(this.#over);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#pending.size >= NO_TAG) return Promise.reject(new DoorwardError("too_big", "there are too many requests at once"));
    const tag = request.type === T.version ? NO_TAG : this.#freeTag();
    return new Promise((resolve, reject) => {
      const giveUp = (because) => this.#flush(tag, pending, because);
      const abort = () => giveUp(signal?.reason);
      const cancel = patience === Infinity ? () => {
      } : this.#world.after(patience, () => giveUp(tooSlow(`no answer came within ${patience} ms`)));
      const settle = () => {
        cancel();
        signal?.removeEventListener("abort", abort);
      };
      const pending = {
        type: request.type,
        hear: (answer) => (settle(), resolve(read(answer))),
        reject: (error) => (settle(), reject(error))
      };
      signal?.addEventListener("abort", abort);
      this.#pending.set(tag, pending);
      this.#wire.send(request.tagged(tag));
    });
  }
  /** Hears a message. */
  hear(message) {
    const reader = new Reader(message.subarray(4));
    const [type, tag] = [reader.u8(), reader.u16()];
    const pending = this.#pending.get(tag);
    if (!pending) throw new Malformed("an answer came to what was not asked");
    if (type === RERROR) {
      const text = reader.text();
      this.#pending.delete(tag);
      pending.reject(new DoorwardError("request_refused", text, { reason: text }));
    } else if (type === pending.type + 1) {
      pending.hear(reader);
      this.#pending.delete(tag);
    } else {
      throw new Malformed(`a message of type ${type} came as the answer to one of type ${pending.type}`);
    }
    if (!reader.isAtEnd) throw new Malformed("a message is longer than what it holds");
  }
  /** From now on nothing is asked, and what was asked is not answered. */
  close(because, fromNowOn = because) {
    this.#over = fromNowOn;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const each of pending) each.reject(because);
  }
  #flush(tag, pending, because) {
    if (pending.givenUp || this.#pending.get(tag) !== pending) return;
    pending.givenUp = { because };
    if (tag === NO_TAG || pending.type === T.flush) return this.#wire.broken(tooSlow("the other side does not answer"));
    const flushed = this.ask(new Request(T.flush).u16(tag), () => this.#pending.get(tag) === pending);
    const settle = (isUnanswered) => {
      if (!isUnanswered) return;
      this.#pending.delete(tag);
      pending.reject(because);
    };
    flushed.then(settle, () => {
    });
  }
  #freeTag() {
    do
      this.#lastTag = (this.#lastTag + 1) % NO_TAG;
    while (this.#pending.has(this.#lastTag));
    return this.#lastTag;
  }
};
var tooSlow = (message) => new DoorwardError("too_slow", message);

// src/ninep/link.ts
var SUBPROTOCOL = "9p";
var VERSION = "9P2000";
var DEFAULT_MSIZE = 65536;
var LEAST_MSIZE = 512;
var ROOT = 0;
var Link = class _Link {
  /** How it ended. */
  closed;
  #connection;
  #requests;
  #incoming = new Incoming(DEFAULT_MSIZE);
  /** The fids that were used and are free again. */
  #free = [];
  #nextFid = ROOT + 1;
  #wasOpen = false;
  #hasLeft = false;
  #closing;
  /** Gives one once the root is there. @throws DoorwardError `closed`, with the reason; `bad_url`. */
  static async open(url, options, timeouts, world) {
    let opened2 = () => {
    };
    const isOpen = new Promise((resolve) => opened2 = resolve);
    const link = new _Link(url, timeouts, world, () => opened2());
    try {
      await Promise.race([isOpen, link.closed]);
      await link.#begin(options);
      return link;
    } catch (error) {
      if (error instanceof DoorwardError) link.#connection.close(error);
      throw ended(await link.closed);
    }
  }
  constructor(url, timeouts, world, opened2) {
    let closed = () => {
    };
    this.closed = new Promise((resolve) => closed = resolve);
    this.#connection = new Connection(url, [SUBPROTOCOL], timeouts, world, {
      opened: () => {
        this.#wasOpen = true;
        opened2();
      },
      message: (data) => this.#hear(data),
      ended: (code, reason2, error) => {
        const closing = this.#closingOf(code, reason2, error);
        this.#closing = closing;
        const lost = new DoorwardError("lost", "the connection ended before an answer came", { closing });
        this.#requests.close(lost, ended(closing));
        closed(closing);
      }
    });
    const wire = {
      send: (message) => this.#connection.send(message),
      broken: (error) => this.#connection.close(error)
    };
    this.#requests = new Requests(wire, world, timeouts.request);
  }
  /** Whether it has not ended. */
  get isOpen() {
    return this.#wasOpen && this.#closing === void 0;
  }
  /** How many bytes of data one message holds. */
  get room() {
    return this.#incoming.msize - IO_HEADER;
  }
  ask(request, read, how) {
    return this.#requests.ask(request, read, how);
  }
  /** A fid that is not in use. */
  takeFid() {
    return this.#free.pop() ?? this.#nextFid++;
  }
  /** It is not in use any more: it was clunked, or was never made. */
  freeFid(fid) {
    this.#free.push(fid);
  }
  /** Leaves. */
  leave() {
    if (!this.#closing) {
      this.#hasLeft = true;
      this.#connection.close();
    }
    return this.closed;
  }
  async #begin({ uname, aname }) {
    const version = new Request(T.version).u32(DEFAULT_MSIZE).text(VERSION);
    const agreed = await this.ask(version, (answer) => ({ msize: answer.u32(), version: answer.text() }));
    if (agreed.version !== VERSION) throw not9p(`it speaks \`${agreed.version.slice(0, 32)}\` instead`);
    if (agreed.msize < LEAST_MSIZE || agreed.msize > DEFAULT_MSIZE) throw not9p(`its messages are ${agreed.msize} bytes at the most`);
    this.#incoming.msize = agreed.msize;
    const attach = new Request(T.attach).u32(ROOT).u32(NO_FID).text(uname).text(aname);
    await this.ask(attach, (answer) => answer.qid());
  }
  #hear(data) {
    if (typeof data === "string") return this.#hearText(data);
    try {
      for (const message of this.#incoming.take(new Uint8Array(data))) this.#requests.hear(message);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#connection.close(not9p(error.message));
    }
  }
  /** A gate with more than handshake layers says more than 9P first; what it says at its end is in its Close too. */
  #hearText(text) {
    if (/"event"\s*:\s*"(admitted|refused)"/.test(text)) return;
    const asks = /"event"\s*:\s*"(ask|choose|tell|wait)"/.test(text);
    const what = "the gate asks for more than a request can show, which this client does not answer";
    this.#connection.close(asks ? new DoorwardError("no_answer", what) : not9p("a text came"));
  }
  #closingOf(code, name, error) {
    if (this.#hasLeft) return { ...closeReason(1e3, "normal"), afterMs: 0 };
    if (error) return ofOurOwn(error);
    const closing = { ...closeReason(code, name), afterMs: 0 };
    return this.#wasOpen ? closing : notOpened(closing);
  }
};
var ended = (closing) => new DoorwardError("closed", describe(closing), { closing });
var not9p = (what) => new DoorwardError("not_9p", `what answers there does not speak 9P2000 as it should: ${what}`);

// src/ninep/files.ts
var PERMISSIONS = 420;
var LINE_END = 10;
var LOST = "messages were lost";
var Files = class {
  /** How the connection ended. It is never rejected. */
  closed;
  #link;
  /** @internal */
  constructor(link) {
    this.#link = link;
    this.closed = link.closed;
  }
  /** Whether the connection is there. */
  get isOpen() {
    return this.#link.isOpen;
  }
  /** The text of a file that has an end. A channel has none: {@link follow} it. */
  async read(path, { signal } = {}) {
    return textOr9p(await this.#open(path, READ, signal, (fid, kind) => (only(!kind.isDirectory, IS_DIRECTORY), this.#whole(fid, signal))));
  }
  /** Writes a file anew, whole and in one message. */
  write(path, text, { signal } = {}) {
    const data = utf8(text);
    if (data.length > this.#link.room) {
      const why = `a text is ${this.#link.room} bytes at the most here, and this one has ${data.length}`;
      return Promise.reject(new DoorwardError("too_big", why));
    }
    return this.#open(path, WRITE | TRUNCATE, signal, async (fid) => {
      const written = await this.#link.ask(new Request(T.write).u32(fid).u64(0).data(data), (answer) => answer.u32(), { signal });
      if (written !== data.length) throw new DoorwardError("request_refused", `only ${written} of ${data.length} bytes were written`);
    });
  }
  /** Makes a file, in a directory that is there. */
  create(path, { signal } = {}) {
    const names = namesIn(path);
    const name = names.pop() ?? "";
    return this.#at(names, signal, (fid) => {
      const create = new Request(T.create).u32(fid).text(name).u32(PERMISSIONS).u8(WRITE);
      return this.#link.ask(create, (answer) => void opened(answer), { signal });
    });
  }
  /** Takes a file away. */
  async remove(path, { signal } = {}) {
    const fid = await this.#walk(namesIn(path), signal);
    let isAnswered = true;
    try {
      await this.#link.ask(new Request(T.remove).u32(fid), () => {
      }, { signal });
    } catch (error) {
      isAnswered = error instanceof DoorwardError && error.code === "request_refused";
      throw error;
    } finally {
      if (isAnswered) this.#link.freeFid(fid);
      else this.#clunk(fid);
    }
  }
  /** What is in a directory. */
  async list(path, { signal } = {}) {
    const records = await this.#open(path, READ, signal, (fid, kind) => (only(kind.isDirectory, NO_DIRECTORY), this.#whole(fid, signal)));
    return orNot9p(() => {
      const [found, reader] = [[], new Reader(records)];
      while (!reader.isAtEnd) found.push(reader.stat());
      return found;
    });
  }
  /** What a server says of a file. */
  stat(path, { signal } = {}) {
    return this.#at(
      namesIn(path),
      signal,
      (fid) => this.#link.ask(new Request(T.stat).u32(fid), (answer) => (answer.u16(), answer.stat()), { signal })
    );
  }
  /**
   * The messages of a channel, from now on, as JSON says them. To leave the loop, or to abort, is to follow it no more.
   *
   * @example
   * for await (const message of files.follow("/channels/group/3", { signal })) show(message);
   */
  async *follow(path, { signal, onLost } = {}) {
    const fid = await this.#walk(namesIn(path), signal);
    try {
      await this.#link.ask(openFor(fid, READ), opened, { signal });
      for (let pieces = []; ; ) {
        let piece;
        try {
          piece = await this.#read(fid, 0, { signal, patience: Infinity });
        } catch (error) {
          if (!onLost || !(error instanceof DoorwardError) || error.reason !== LOST) throw error;
          pieces = [];
          onLost();
          continue;
        }
        if (piece.length === 0) return;
        pieces.push(piece);
        if (piece.at(-1) !== LINE_END) continue;
        const message = parsed(textOr9p(joined(pieces)), piece.length < this.#link.room);
        if (!message) continue;
        pieces = [];
        yield message.value;
      }
    } finally {
      this.#clunk(fid);
    }
  }
  /** Leaves. Resolves when the connection is over. */
  close() {
    return this.#link.leave();
  }
  /** Opens a file, does something with it, and closes it. */
  #open(path, mode, signal, then) {
    return this.#at(namesIn(path), signal, async (fid) => then(fid, await this.#link.ask(openFor(fid, mode), opened, { signal })));
  }
  async #at(names, signal, then) {
    const fid = await this.#walk(names, signal);
    try {
      return await then(fid);
    } finally {
      this.#clunk(fid);
    }
  }
  /** Gives a fid of what is there. One walk has sixteen names at the most. */
  async #walk(names, signal) {
    const fid = this.#link.takeFid();
    let from = ROOT;
    let at = 0;
    try {
      do {
        const next = names.slice(at, at + NAMES_PER_WALK);
        const walk = new Request(T.walk).u32(from).u32(fid).u16(next.length);
        for (const name of next) walk.text(name);
        const reached = await this.#link.ask(walk, qids, { signal });
        if (reached !== next.length) throw new DoorwardError("request_refused", NOT_FOUND, { reason: NOT_FOUND });
        from = fid;
        at += next.length;
      } while (at < names.length);
      return fid;
    } catch (error) {
      if (from === fid) this.#clunk(fid);
      else this.#link.freeFid(fid);
      throw error;
    }
  }
  /** Reads to the end. */
  async #whole(fid, signal) {
    const pieces = [];
    for (let length = 0; ; ) {
      const piece = await this.#read(fid, length, { signal });
      if (piece.length === 0) return joined(pieces);
      pieces.push(piece);
      length += piece.length;
    }
  }
  #read(fid, offset, how) {
    const read = new Request(T.read).u32(fid).u64(offset).u32(this.#link.room);
    return this.#link.ask(read, (answer) => answer.bytes(answer.u32()).slice(), how);
  }
  /** Nobody waits for it, and nobody gives it up. Also where it is refused, the fid is free. */
  #clunk(fid) {
    const free = () => this.#link.freeFid(fid);
    this.#link.ask(new Request(T.clunk).u32(fid), () => {
    }).then(free, free);
  }
};
var NOT_FOUND = "file not found";
var IS_DIRECTORY = "that is a directory: list it";
var NO_DIRECTORY = "that is no directory: read it";
var namesIn = (path) => path.split("/").filter((name) => name !== "" && name !== ".");
var openFor = (fid, mode) => new Request(T.open).u32(fid).u8(mode);
function opened(answer) {
  const kind = answer.qid();
  answer.u32();
  return kind;
}
function only(is, reason2) {
  if (!is) throw new DoorwardError("request_refused", reason2, { reason: reason2 });
}
function qids(answer) {
  const many = answer.u16();
  for (let each = 0; each < many; each++) answer.qid();
  return many;
}
function parsed(line, isWhole) {
  try {
    return { value: JSON.parse(line) };
  } catch {
    if (!isWhole) return void 0;
    throw new DoorwardError("not_9p", "a message of a channel is no JSON");
  }
}
function joined(pieces) {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) whole.set(piece, at), at += piece.length;
  return whole;
}
var textOr9p = (bytes) => orNot9p(() => textOf(bytes));
function orNot9p(read) {
  try {
    return read();
  } catch (error) {
    throw new DoorwardError("not_9p", error instanceof Error ? error.message : "a file cannot be read", { cause: error });
  }
}

// src/options.ts
var withDefaults = (timeouts = {}) => ({
  open: 1e4,
  credential: 1e4,
  silence: 15e3,
  request: 1e4,
  close: 2e3,
  ...timeouts
});

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

// src/ninep.ts
async function connect(url, options = {}) {
  const { uname = "none", aname = "", timeouts, WebSocket } = options;
  return new Files(await Link.open(socketUrl(url), { uname, aname }, withDefaults(timeouts), thisWorld(WebSocket)));
}
export {
  CLOSE_REASONS,
  DoorwardError,
  advice,
  closeReason,
  connect,
  describe
};
