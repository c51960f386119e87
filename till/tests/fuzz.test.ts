/** Whatever is typed or scanned: the parsers answer, and what they take means what was typed. */

import { describe, expect, it } from "vitest";
import { MOST_UNITS, parseEntry } from "../src/entry";
import { readableCode, readShortCode, shortCode } from "../src/ids";
import { formatMoney, lineAmount, parseDecimal } from "../src/money";
import { checkDigit, readScaleCode } from "../src/scale";

const TIMES = 5_000;
const SIGNS = [..."0123456789.,*xX×-+eE '\"<>&;{}()=/\\\t\n\r", "\u0000", "\u00a0", "\u202e", "\ud800", "٣", "é", "😀"];

/** The same numbers in each run (mulberry32), so that what fails here fails again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function texts(seed: number, signs: readonly string[], longest: number): string[] {
  const next = numbers(seed);
  return Array.from({ length: TIMES }, () =>
    Array.from({ length: next(longest + 1) }, () => signs[next(signs.length)] ?? "").join(""),
  );
}

describe("whatever is typed", () => {
  it("is a decimal of whole parts, or none", () => {
    for (const text of [...texts(1, SIGNS, 12), ...texts(8, [..."0129,."], 30), "999,999,999,999,999,999"]) {
      const read = parseDecimal(text, 2);
      if (read !== null) {
        expect(Number.isSafeInteger(read)).toBe(true);
        expect(read).toBeGreaterThanOrEqual(0);
        expect(text).toMatch(/^[\d.,\s]+$/);
      }
    }
  });
  it("is a multiplier within bounds and a rest, or a rest", () => {
    for (const text of texts(2, SIGNS, 14)) {
      const { veces, resto } = parseEntry(text);
      expect(veces === null || (veces > 0 && veces <= MOST_UNITS)).toBe(true);
      expect(text).toContain(resto);
    }
  });
  it("is a receipt's code that comes out again, or none", () => {
    for (const text of texts(3, [..."0123456789ABCDEFGHJKMNPQRSTVWXYZ", "-", "o", "l", "u"], 9)) {
      const code = readShortCode(text);
      if (code !== null) {
        const bits = [...code].reduce(
          (total, letter) => total * 32n + BigInt("0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(letter)),
          0n,
        );
        const id = `00000000-0000-7000-8000-00${bits.toString(16).padStart(10, "0")}`;
        expect(shortCode(id)).toBe(code);
        expect(readShortCode(readableCode(id))).toBe(code);
      }
    }
  });
  it("is an amount that is written as it is read", () => {
    const next = numbers(4);
    for (let time = 0; time < TIMES; time += 1) {
      const cents = next(1_000_000_000);
      expect(parseDecimal(formatMoney(cents), 2)).toBe(cents);
    }
  });
});

describe("whatever is scanned", () => {
  const patterns = ["20IIIIIWWWWWC", "21IIIIWWWWWWC", "2", "", "CCCCCCCCCCCCC", "WWWWWWWWWWWWW", "x".repeat(13)];
  it("is no scale's code unless it is thirteen digits", () => {
    for (const text of texts(5, SIGNS, 14)) {
      const read = readScaleCode(text, patterns);
      expect(read === null || /^[0-9]{13}$/.test(text)).toBe(true);
    }
  });
  it("has the weight that its digits say", () => {
    for (const digits of texts(6, [..."0123456789"], 12).filter((text) => text.length >= 10)) {
      const twelve = `20${digits.slice(0, 10)}`;
      const read = readScaleCode(twelve + checkDigit(twelve), patterns);
      expect(read?.gramos ?? 0).toBe(Number(digits.slice(5, 10)));
    }
  });
});

it("rounds each line half up, once, as whole numbers", () => {
  const next = numbers(7);
  for (let time = 0; time < TIMES; time += 1) {
    const [cantidad, precio] = [next(1_000_000), next(1_000_000)];
    expect(lineAmount(cantidad, precio)).toBe(Number((BigInt(cantidad) * BigInt(precio) + 500n) / 1000n));
  }
});
