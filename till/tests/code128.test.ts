import { beforeAll, describe, expect, it } from "vitest";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import wasm from "zxing-wasm/reader/zxing_reader.wasm?url&inline";
import { bars, symbols } from "../src/code128";

const QUIET = 10;
const MODULE = 3;
const HEIGHT = 60;
const STOP = [2, 3, 3, 1, 1, 1, 2];
const LETTERS = Array.from({ length: 95 }, (_none, place) => String.fromCharCode(32 + place));

/** The bars as a picture, quiet zones and all. */
function picture(widths: readonly number[]): ImageData {
  const row: number[] = Array<number>(QUIET).fill(255);
  widths.forEach((width, place) => {
    row.push(...Array<number>(width).fill(place % 2 === 0 ? 0 : 255));
  });
  row.push(...Array<number>(QUIET).fill(255));
  const width = row.length * MODULE;
  const data = new Uint8ClampedArray(width * HEIGHT * 4);
  for (let at = 0; at < width * HEIGHT; at += 1) {
    data.fill(row[Math.floor((at % width) / MODULE)] ?? 255, at * 4, at * 4 + 3);
    data[at * 4 + 3] = 255;
  }
  return { data, width, height: HEIGHT, colorSpace: "srgb" } as ImageData;
}

describe("symbols", () => {
  it("begin with start B and end with the check symbol, weighted by place", () => {
    // 104 + 1·48 + 2·42 + 3·42 + 4·17 + 5·18 + 6·19 + 7·35 = 879 = 8·103 + 55
    expect(symbols("PJJ123C")).toEqual([104, 48, 42, 42, 17, 18, 19, 35, 55]);
  });

  it("refuse what set B lacks", () => {
    expect(() => symbols("ñ")).toThrow(RangeError);
    expect(() => symbols("\n")).toThrow(RangeError);
  });
});

describe("bars", () => {
  it("are the standard's for one letter", () => {
    // start B, "A", check (104 + 33) mod 103 = 34, stop
    expect(bars("A").join("")).toBe(`211214${"111323"}${"131123"}${STOP.join("")}`);
  });

  it("give every letter eleven modules, an even number of them dark, and a pattern of its own", () => {
    const patterns = LETTERS.map((letter) => bars(letter).slice(6, 12));
    for (const [first = 0, space = 0, second = 0, gap = 0, third = 0, last = 0] of patterns) {
      expect(first + space + second + gap + third + last).toBe(11);
      expect((first + second + third) % 2).toBe(0);
    }
    expect(new Set(patterns.map((pattern) => pattern.join(""))).size).toBe(LETTERS.length);
  });
});

describe("a reader that is not ours", () => {
  beforeAll(async () => {
    const wasmBinary = await (await fetch(wasm)).arrayBuffer(); // a data: address
    await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  });

  // Every letter, and between them every check symbol: one that is drawn wrong would spoil some tickets only.
  const texts = ["A", "B"].flatMap((first) => LETTERS.map((letter) => `${first}${letter}Z`));

  it("is given every check symbol", () => {
    expect(new Set(texts.map((text) => symbols(text).at(-1))).size).toBe(103);
  });

  it.each(["K7Q2M9TD", "00000000", "ZZZZZZZZ", ...texts])("reads %s", async (text) => {
    const found = await readBarcodes(picture(bars(text)), { formats: ["Code128"] });
    expect(found.map((each) => each.text)).toEqual([text]);
  });
});
