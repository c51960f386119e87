/** What is typed into the box: perhaps a multiplier, then a code or words. */

import { parseDecimal } from "./money";
import type { Milli } from "./types";

export const MOST_UNITS: Milli = 1_000_000_000;
/** Beyond this a number before "*" is a slip of the hand. */
const MOST_TIMES: Milli = 100_000_000;
// An "x" multiplies only by itself: "2x4" may be the name of something.
const MULTIPLIED = /^\s*(\d{1,7}(?:[.,]\d{1,3})?)\s*(?:[*×]\s*(.*)|[xX]\s*)$/s;

export interface Entry {
  /** How many; null where nothing was said. */
  readonly veces: Milli | null;
  readonly resto: string;
}

/** "3*", "3x", "1,5*queso". A multiplier of nothing, or above 100,000, is none. */
export function parseEntry(text: string): Entry {
  const found = MULTIPLIED.exec(text);
  const veces = found === null ? null : parseDecimal(found[1] ?? "", 3);
  if (found === null || veces === null || veces === 0 || veces > MOST_TIMES) {
    return { veces: null, resto: text.trim() };
  }
  return { veces, resto: (found[2] ?? "").trim() };
}
