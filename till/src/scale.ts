/** Barcodes that a scale printed: an item and its weight in one EAN-13. */

import type { Milli } from "./types";

const LENGTH = 13;

export interface ScaleCode {
  /** The item's digits. */
  readonly item: string;
  /** The pattern's fixed digits, with the item's: what a product's barcode may be. */
  readonly prefixed: string;
  /** The same code with no weight in it: what a product's barcode may be, too. */
  readonly unweighed: string;
  /** Thousandths of a kilogram. */
  readonly gramos: Milli;
}

/** The last digit of an EAN-13, from the twelve before it. */
export function checkDigit(twelve: string): number {
  const sum = [...twelve].reduce((total, digit, place) => total + Number(digit) * (place % 2 === 0 ? 1 : 3), 0);
  return (10 - (sum % 10)) % 10;
}

function readWith(code: string, pattern: string): ScaleCode | null {
  let fixed = "";
  let item = "";
  let weight = "";
  for (const [place, letter] of [...pattern].entries()) {
    const digit = code.charAt(place);
    if (letter === "I") {
      item += digit;
    } else if (letter === "W") {
      weight += digit;
    } else if (letter !== "C") {
      if (letter !== digit) {
        return null;
      }
      fixed += digit;
    }
  }
  const gramos = Number(weight);
  const bare = [...pattern.slice(0, -1)].map((letter, place) => (letter === "W" ? "0" : code.charAt(place))).join("");
  const unweighed = `${bare}${checkDigit(bare)}`;
  return gramos > 0 ? { item, prefixed: fixed + item, unweighed, gramos } : null;
}

/** Read a code by the tienda's patterns ("20IIIIIWWWWWC"); null where none fits, or the check digit is wrong. */
export function readScaleCode(code: string, patterns: readonly string[]): ScaleCode | null {
  if (code.length !== LENGTH || !/^\d+$/.test(code) || checkDigit(code.slice(0, -1)) !== Number(code.at(-1))) {
    return null;
  }
  for (const pattern of patterns) {
    const found = pattern.length === LENGTH ? readWith(code, pattern) : null;
    if (found !== null) {
      return found;
    }
  }
  return null;
}
