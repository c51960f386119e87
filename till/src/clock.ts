/** What time it is: the device's clock, put right by the server's where it is wrong. */

import type { Moment } from "./types";

const KEPT = "caja.reloj";
/** Less than this is the way to the server and back, or of no account. */
const TOLERANCE_MS = 120_000;

let offsetMs = Number(globalThis.localStorage?.getItem(KEPT) ?? 0) || 0;

/** The server said what time it is, ISO 8601. Remembered, for a start without the network. */
export function hearTime(hora: string | undefined): void {
  const offset = Date.parse(hora ?? "") - Date.now();
  if (Number.isFinite(offset)) {
    offsetMs = Math.abs(offset) < TOLERANCE_MS ? 0 : offset;
    localStorage.setItem(KEPT, String(offsetMs));
  }
}

/** Milliseconds since 1970, as near to the server's as is known. */
export function now(): Moment {
  return Date.now() + offsetMs;
}
