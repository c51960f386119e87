import { describe, expect, it } from "vitest";
import { checkDigit, readScaleCode } from "../src/scale";

const PATTERNS = ["20IIIIIWWWWWC", "21IIIIWWWWWWC"];
const code = (twelve: string) => twelve + checkDigit(twelve);

describe("readScaleCode", () => {
  it("knows a real check digit", () => {
    expect(checkDigit("750105530007")).toBe(5);
    expect(checkDigit("400638133393")).toBe(1);
  });
  it("reads item and weight", () => {
    expect(readScaleCode(code("200012301500"), PATTERNS)).toEqual({
      item: "00123",
      prefixed: "2000123",
      unweighed: code("200012300000"),
      gramos: 1_500,
    });
    expect(readScaleCode(code("210042012345"), PATTERNS)).toEqual({
      item: "0042",
      prefixed: "210042",
      unweighed: code("210042000000"),
      gramos: 12_345,
    });
  });
  it("reads a weight before its item", () => {
    const found = readScaleCode(code("200150000123"), ["20WWWWWIIIIIC"]);
    expect(found).toMatchObject({ item: "00123", unweighed: code("200000000123"), gramos: 1_500 });
  });
  it.each([
    ["another prefix", code("220012301500")],
    ["a weight of nothing", code("200012300000")],
    ["a wrong check digit", `200012301500${(checkDigit("200012301500") + 1) % 10}`],
    ["too short", "2000123015"],
    ["letters", "20001230150AB"],
  ])("refuses %s", (_why, scanned) => {
    expect(readScaleCode(scanned, PATTERNS)).toBeNull();
  });
  it("reads nothing without a pattern, or by one of another length", () => {
    expect(readScaleCode(code("200012301500"), [])).toBeNull();
    expect(readScaleCode(code("200012301500"), ["20IIIIIWWWWW"])).toBeNull();
  });
});
