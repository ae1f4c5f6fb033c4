// The proofs that a machine makes of what a gate shows. All texts are signed as they were shown.
//
// app key     Ed25519 (RFC 8032) over the transcript of owner, gate, nonce and the key's id
// challenge   HMAC-SHA-256 picks a word of the statement, and proves the whole of it

import { base64url, type Bytes, fromBase64url, hex, readKey, unhex, utf8 } from "./bytes.js";
import { DoorwardError } from "./error.js";

/** The exact bytes of a proof: a purpose, then named fields, each text with its length before it (four bytes, big endian). */
export function transcript(purpose: string, ...fields: ReadonlyArray<readonly [name: string, value: string]>): Bytes {
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

/** An app key: signs, and never shows itself. */
export class AppKey {
  readonly #private: CryptoKey;
  /** The public id: the first 16 bytes of the SHA-256 of the public half, in hexadecimal. */
  readonly id: string;

  private constructor(key: CryptoKey, id: string) {
    this.#private = key;
    this.id = id;
  }

  /** Reads `dwk_...`. */
  static async read(text: string): Promise<AppKey> {
    const seed = readKey("dwk_", text.trim());
    const subtle = webCrypto();
    try {
      const pkcs8 = new Uint8Array([...PKCS8_ED25519, ...seed]);
      const key = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
      const { x = "" } = await subtle.exportKey("jwk", key);
      const hash = await subtle.digest("SHA-256", fromBase64url(x));
      return new AppKey(key, hex(new Uint8Array(hash).slice(0, 16)));
    } catch (cause) {
      throw new DoorwardError("no_crypto", "an app key needs Ed25519 in WebCrypto, which is missing here", { cause });
    }
  }

  /** The proof for what the gate has shown, in base64url. */
  async sign(owner: string, gate: string, nonce: string): Promise<string> {
    const signed = transcript(
      "doorward app_key v1",
      ["owner", owner],
      ["gate", gate],
      ["nonce", nonce],
      ["key", this.id],
    );
    return base64url(new Uint8Array(await webCrypto().sign("Ed25519", this.#private, signed)));
  }
}

/** What stands before the 32 bytes of a seed in PKCS #8 (RFC 8410). */
const PKCS8_ED25519 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/** The right word of a statement, and the proof over all of it. `secret` is `dwc_...`, or at least 32 hexadecimal digits. */
export async function answerChallenge(
  secret: string,
  gate: string,
  nonce: string,
  statement: string,
): Promise<{ partial: string; proof: string }> {
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
    ["partial", partial],
  );
  return { partial, proof: base64url(await hmac(key, proven)) };
}

function challengeSecret(text: string): Bytes {
  if (text.startsWith("dwc_")) return readKey("dwc_", text);
  const bytes = unhex(text);
  if (bytes && bytes.length >= 16) return bytes;
  throw new DoorwardError(
    "bad_credential",
    "the secret of a challenge is `dwc_...` or at least 32 hexadecimal digits",
  );
}

async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  const subtle = webCrypto();
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, message));
}

/** Browsers have WebCrypto on pages of `https://` and of this machine alone. */
function webCrypto(): SubtleCrypto {
  const subtle = globalThis.crypto?.subtle;
  if (subtle) return subtle;
  throw new DoorwardError(
    "no_crypto",
    "there is no WebCrypto here: a page needs `https://`, or `http://localhost`, to have it",
  );
}
