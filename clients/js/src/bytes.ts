// Texts and bytes: UTF-8, hexadecimal digits, base64url without padding, and the text form of the server's keys.

import { DoorwardError } from "./error.js";

/** Bytes as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

export const hex = (bytes: Bytes): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function base64url(bytes: Bytes): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function fromBase64url(text: string): Bytes {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
}

/** The bytes of hexadecimal digits in pairs; `undefined` where the text is something else. */
export function unhex(text: string): Bytes | undefined {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * The 32 bytes of a key of the server: prefix, 64 hexadecimal digits, 8 of the CRC-32 of both. The text is not repeated in an error.
 */
export function readKey(prefix: "dwk_" | "dwc_", text: string): Bytes {
  const digits = text.slice(prefix.length);
  if (!text.startsWith(prefix)) throw unreadable(`a key of this kind begins with \`${prefix}\``);
  if (!/^[0-9a-f]{72}$/.test(digits)) throw unreadable("a key is its prefix and 72 lowercase hexadecimal digits");
  const bytes = unhex(digits.slice(0, 64));
  if (!bytes || crc32(utf8(text.slice(0, -8))) !== Number.parseInt(digits.slice(64), 16)) {
    throw unreadable("the checksum of the key does not fit, so a character is wrong");
  }
  return bytes;
}

const unreadable = (what: string) => new DoorwardError("bad_credential", what);

/** CRC-32 as in IEEE 802.3, bit by bit: it runs over 68 bytes when a key is read. */
function crc32(bytes: Bytes): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
