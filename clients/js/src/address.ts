import { DoorwardError } from "./error.js";

const SCHEMES: Record<string, string> = { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" };

/**
 * The address of a gate as a WebSocket takes it; on a page also from one relative to it.
 *
 * @throws DoorwardError `bad_url`. The address is not repeated.
 */
export function socketUrl(url: string | URL): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  let parsed: URL | undefined;
  try {
    parsed = new URL(url, page);
  } catch {
    // told below, without the address: it may hold a credential
  }
  const scheme = parsed && SCHEMES[parsed.protocol];
  if (!parsed || !scheme) throw new DoorwardError("bad_url", "the address of a gate is of the form `wss://host/path`");
  parsed.protocol = scheme;
  parsed.hash = "";
  return parsed.href;
}
