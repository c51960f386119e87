import { beforeEach, describe, expect, it } from "vitest";
import { clearProducts, findByCode, getProducto, plainText, putProducts, resolveScan, search } from "../src/products";
import { checkDigit } from "../src/scale";
import { catalogueSize, seat } from "../src/state";
import type { Producto } from "../src/types";
import { LECHE, seatIn, TOMATE } from "./examples";

function product(id: string, nombre: string, some: Partial<Producto> = {}): Producto {
  const made = { ...LECHE, id, nombre, sku: `SKU-${id}`, codigo_barras: "", ...some };
  return { ...made, plain: plainText(`${made.nombre} ${made.sku} ${made.codigo_barras}`) };
}

const scale = (item: string, grams: string) => `20${item}${grams}${checkDigit(`20${item}${grams}`)}`;

beforeEach(() => {
  clearProducts();
  seat.value = seatIn("a");
  putProducts([LECHE, TOMATE]);
});

describe("codes", () => {
  it("find by barcode, else by SKU in any case", () => {
    expect(findByCode("7501055300075")).toBe(LECHE);
    expect(findByCode(" leche-1 ")).toBe(LECHE);
    expect(findByCode("750105530007")).toBeNull();
  });
  it("take a UPC-A and its EAN-13 for one, and no other zeros away", () => {
    const upc = product("u", "Upc", { codigo_barras: "036000291452" });
    const ean = product("e", "Ean", { codigo_barras: "0012345678905" });
    const short = product("s", "Corto", { codigo_barras: "0123" });
    const other = product("o", "Otro", { codigo_barras: "123456" });
    putProducts([upc, ean, short, other]);
    expect(findByCode("0036000291452")).toBe(upc);
    expect(findByCode("012345678905")).toBe(ean);
    expect(findByCode("0123456")).toBeNull();
    expect(findByCode("0123")).toBe(short);
  });
  it("forget a code that a product has no more, and a product that is sold no more", () => {
    putProducts([{ ...LECHE, codigo_barras: "7501055300082" }]);
    expect(findByCode("7501055300075")).toBeNull();
    expect(findByCode("7501055300082")?.id).toBe(LECHE.id);
    putProducts([{ ...LECHE, activo: false }]);
    expect(findByCode("7501055300082")).toBeNull();
    expect(search("leche")).toEqual([]);
    expect(getProducto(LECHE.id)?.activo).toBe(false);
    expect(catalogueSize.value).toBe(1);
  });
  it("give a code to the product that has it now", () => {
    const heir = product("h", "Heredera", { codigo_barras: LECHE.codigo_barras });
    putProducts([heir]);
    putProducts([{ ...LECHE, codigo_barras: "" }]);
    expect(findByCode(LECHE.codigo_barras)).toBe(heir);
  });
});

describe("resolveScan", () => {
  it("is one piece, or still to be weighed", () => {
    expect(resolveScan("7501055300075")).toEqual({ producto: LECHE, cantidad: 1_000 });
    expect(resolveScan("123")).toEqual({ producto: TOMATE, cantidad: null });
  });
  it("reads a scale's code by SKU, zeros before it or not, or by the code's beginning", () => {
    expect(resolveScan(scale("00123", "01500"))).toEqual({ producto: TOMATE, cantidad: 1_500 });
    const queso = product("q", "Queso", { unidad: "KG", codigo_barras: "2000777" });
    putProducts([queso]);
    expect(resolveScan(scale("00777", "00250"))).toEqual({ producto: queso, cantidad: 250 });
  });
  it("reads a scale's code by the product's code without a weight", () => {
    const queso = product("q", "Queso", { unidad: "KG", codigo_barras: scale("00777", "00000") });
    putProducts([queso]);
    expect(resolveScan(scale("00777", "00250"))).toEqual({ producto: queso, cantidad: 250 });
    expect(resolveScan(scale("00777", "00000"))).toEqual({ producto: queso, cantidad: null });
  });
  it("prefers the exact code, and weighs no piece", () => {
    const jamon = product("j", "Jamón", { codigo_barras: scale("00123", "01500") });
    putProducts([jamon]);
    expect(resolveScan(jamon.codigo_barras)).toEqual({ producto: jamon, cantidad: 1_000 });
    putProducts([product("p", "Pan", { sku: "55" })]);
    expect(resolveScan(scale("00055", "01500"))).toBeNull();
  });
});

describe("search", () => {
  it("finds every word, whatever its case and accents, in name, SKU or barcode", () => {
    putProducts([product("j", "Jamón serrano", { sku: "JAM" })]);
    expect(search("JAMON ser").map((found) => found.id)).toEqual(["j"]);
    expect(search("serrano jam").map((found) => found.id)).toEqual(["j"]);
    expect(search("jamon queso")).toEqual([]);
    expect(search("55300")).toEqual([LECHE]);
    expect(search("  ")).toEqual([]);
  });
  it("puts the exact first, then names that begin so, then words, then the rest", () => {
    putProducts([
      product("within", "Empanada"),
      product("word", "Molde de pan"),
      product("starts", "Pan de molde"),
      product("exact", "Zumo", { sku: "PAN" }),
    ]);
    expect(search("pan").map((found) => found.id)).toEqual(["exact", "starts", "word", "within"]);
  });
  it("puts what begins with all of it before what begins with its first word", () => {
    putProducts([product("first", "Pan a base de maíz"), product("all", "Pan de molde")]);
    expect(search("pan de").map((found) => found.id)).toEqual(["all", "first"]);
  });
  it("keeps to the order of names, and to thirty", () => {
    putProducts(
      Array.from({ length: 60 }, (_none, n) => product(`p${n}`, `Galleta ${String(59 - n).padStart(2, "0")}`)),
    );
    const found = search("galleta").map((each) => each.nombre);
    expect(found).toHaveLength(30);
    expect(found).toEqual([...found].sort());
    putProducts([product("word", "Una galleta")]);
    expect(search("galleta")).toHaveLength(30);
  });
  it("is quick over 20,000 products", () => {
    const words = ["leche", "pan", "queso", "jamón", "arroz", "aceite", "tomate", "atún", "galleta", "jabón"];
    const name = (n: number) => `${words[n % 10]} ${words[Math.floor(n / 10) % 10]} ${n} g`;
    putProducts(Array.from({ length: 20_000 }, (_none, n) => product(`p${n}`, name(n), { codigo_barras: `75${n}` })));
    const asked = ["l", "le", "leche", "leche pan", "199", "jabon 1", "zzz", "a e"];
    const once = (text: string) => {
      const begun = performance.now();
      search(text);
      return performance.now() - begun;
    };
    // The least of three: what else runs here only adds to it.
    const times = asked.map((text) => Math.min(once(text), once(text), once(text)));
    // 8 ms is the aim; a machine that does something else meanwhile gets five times that.
    expect(times.sort((one, other) => one - other)[4]).toBeLessThan(8 * 5);
    const begun = performance.now();
    expect(findByCode("7519999")?.nombre).toBe(name(19_999));
    expect(performance.now() - begun).toBeLessThan(5);
  });
});
