import { beforeEach, describe, expect, it } from "vitest";
import {
  cartTotal,
  formatAmount,
  formatMoney,
  formatQuantity,
  formatRate,
  itemCount,
  lineAmount,
  parseDecimal,
  taxOf,
  taxTotals,
} from "../src/money";
import { seat } from "../src/state";
import { linea, seatIn } from "./examples";

beforeEach(() => {
  seat.value = null;
});

describe("lineAmount", () => {
  it.each([
    [1_500, 320, 480],
    [2_000, 1_250, 2_500],
    [1, 500, 1], // 0.5 cents: up
    [1, 499, 0],
    [333, 1_000, 333],
    [1_005, 100, 101], // 100.5 cents, which floating point rounds down
    [1_000_000_000, 99_999_999, 99_999_999_000_000], // beyond 2^53 on the way
  ])("%i thousandths at %i cents are %i cents", (cantidad, precio, importe) => {
    expect(lineAmount(cantidad, precio)).toBe(importe);
  });
});

describe("taxOf", () => {
  it.each([
    [11_600, 1_600, 1_600],
    [10_000, 1_600, 1_379], // 1379.31
    [125_050, 1_600, 17_248],
    [8, 1_600, 1],
    [3, 1_600, 0],
    [21, 10_000, 11], // 10.5: up
    [10_000, 0, 0],
  ])("%i cents at %i hold %i", (importe, tasa, impuesto) => {
    expect(taxOf(importe, tasa)).toBe(impuesto);
  });
});

describe("totals", () => {
  const lineas = [
    linea({ cantidad: 2_000 }),
    linea({ unidad: "KG", cantidad: 1_500, precio: 320, impuesto: 0 }),
    linea({ cantidad: 1_000, precio: 1_800 }),
  ];
  it("add the lines up, each rounded once", () => {
    expect(cartTotal(lineas)).toBe(2_500 + 480 + 1_800);
    expect(cartTotal([])).toBe(0);
  });
  it("count pieces each and a weighed line as one", () => {
    expect(itemCount(lineas)).toBe(4);
  });
  it("part base and tax of each rate so that they add up", () => {
    expect(taxTotals(lineas)).toEqual([
      { tasa: 1_600, base: 3_707, impuesto: 593 },
      { tasa: 0, base: 480, impuesto: 0 },
    ]);
  });
});

describe("parseDecimal", () => {
  it.each([
    ["1,5", 3, 1_500],
    ["1.5", 3, 1_500],
    [" 1,500 ", 3, 1_500],
    ["1.234,50", 2, 123_450],
    ["1,234.50", 2, 123_450],
    ["1.234.567,8", 2, 123_456_780],
    [",5", 2, 50],
    ["100", 2, 10_000],
    ["100,", 2, 10_000],
    ["0", 2, 0],
    ["1.50000", 2, 150],
    ["1,000", 2, 100_000],
    ["1.234.567", 2, 123_456_700],
    ["1,000", 3, 1_000],
  ])("reads %s", (text, places, value) => {
    expect(parseDecimal(text, places)).toBe(value);
  });
  it.each([
    "",
    "  ",
    ",",
    "abc",
    "1a",
    "-1",
    "+1",
    "1e3",
    "1,2,3",
    "1.23,456.7",
    "12,34.5",
    "1 2",
    "9".repeat(20),
    "9.999.999.999.999.999,5",
  ])("refuses %j", (text) => {
    expect(parseDecimal(text, 2)).toBeNull();
  });
  it("refuses more decimals than there are", () => {
    expect(parseDecimal("1,2345", 2)).toBeNull();
    expect(parseDecimal("1,2345", 3)).toBeNull();
  });
});

describe("formats", () => {
  it("follow the tienda's locale and currency, also after it changes", () => {
    seat.value = seatIn("a");
    expect(formatMoney(125_050)).toBe("1,250.50");
    expect(formatAmount(125_050)).toBe("$1,250.50");
    seat.value = seatIn("b", { configuracion_regional: "es-ES", moneda: "EUR" });
    expect(formatMoney(125_050)).toBe("1.250,50");
    expect(formatAmount(125_050)).toMatch(/^1\.?250,50\s€$/);
    expect(formatQuantity(1_500, "KG")).toBe("1,500");
  });
  it("write pieces whole, weights with three decimals, rates as short as they are", () => {
    expect(formatQuantity(3_000, "UNIDAD")).toBe("3");
    expect(formatQuantity(1_500, "KG")).toBe("1.500");
    expect(formatRate(1_600)).toBe("16");
    expect(formatRate(750)).toBe("7.5");
  });
});
