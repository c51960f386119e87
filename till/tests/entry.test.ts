import { describe, expect, it } from "vitest";
import { parseEntry } from "../src/entry";

describe("parseEntry", () => {
  it.each([
    ["3*", 3_000, ""],
    ["3x", 3_000, ""],
    ["3 X", 3_000, ""],
    ["3×pan", 3_000, "pan"],
    ["1,5*queso", 1_500, "queso"],
    ["1.5* queso fresco ", 1_500, "queso fresco"],
    ["3*7501055300075", 3_000, "7501055300075"],
    ["leche", null, "leche"],
    ["*", null, "*"],
    ["0*pan", null, "0*pan"],
    ["7501055300075", null, "7501055300075"],
    ["7501055300075*", null, "7501055300075*"],
    ["100000*", 100_000_000, ""],
    ["100001*", null, "100001*"],
    ["1,2345*", null, "1,2345*"],
    ["2x4 pino", null, "2x4 pino"],
    ["", null, ""],
  ])("reads %j", (text, veces, resto) => {
    expect(parseEntry(text)).toEqual({ veces, resto });
  });
});
