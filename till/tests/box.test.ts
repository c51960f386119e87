import { beforeEach, describe, expect, it, vi } from "vitest";
import "./browser";
import { enter, entry, pendingScans, query, takeScan, type, watchPending } from "../src/box";
import { adopt, newCart } from "../src/cart";
import { clearProducts, putProducts } from "../src/products";
import { checkDigit } from "../src/scale";
import { cart, catalogueWhole, dialog, lastSale, notice, online, paying, seat, session } from "../src/state";
import { LECHE, seatIn, TOMATE } from "./examples";

const WEIGHED = `200012301500${checkDigit("200012301500")}`;
const lines = () => cart.value?.lineas.map(({ nombre, cantidad }) => [nombre, cantidad]);
const settle = () => new Promise((done) => setTimeout(done));

vi.mock("../src/carts_db", () => ({
  PENDING_SCANS: "caja.pendientes",
  keep: vi.fn(),
  copyShown: vi.fn(),
  freshCart: (tienda_id: string) => {
    const id = crypto.randomUUID();
    return { id, tienda_id, tab: "t", lineas: [], creada: 1, apartada: null, rechazo: null };
  },
}));

watchPending();

beforeEach(() => {
  clearProducts();
  putProducts([LECHE, TOMATE]);
  catalogueWhole.value = true;
  online.value = false;
  seat.value = seatIn("a");
  session.value = "open";
  dialog.value = null;
  paying.value = false;
  lastSale.value = null;
  pendingScans.value = [];
  query.value = "";
  adopt(newCart());
});

describe("the box", () => {
  it("adds as many as it says", () => {
    type("3*7501055300075");
    expect(enter()).toBe(true);
    expect(lines()).toEqual([["Leche entera 1 L", 3_000]]);
    expect(query.value).toBe("");
  });
  it("sets the selected line where it says a number alone", () => {
    takeScan("7501055300075");
    type("5*");
    enter();
    expect(lines()).toEqual([["Leche entera 1 L", 5_000]]);
  });
  it("multiplies what is scanned after it", () => {
    type("2*");
    takeScan("7501055300075");
    expect(lines()).toEqual([["Leche entera 1 L", 2_000]]);
    expect(entry.value).toEqual({ veces: null, resto: "" });
  });
  it("takes the first that it finds", () => {
    type("lech");
    enter();
    expect(lines()).toEqual([["Leche entera 1 L", 1_000]]);
  });
  it("takes a weight from its scale, and asks for one that it has not", () => {
    takeScan(WEIGHED);
    expect(lines()).toEqual([["Tomate", 1_500]]);
    takeScan("123");
    expect(dialog.value).toEqual({ kind: "weigh", productoId: TOMATE.id });
  });
  it("says what it does not know", () => {
    expect(takeScan("0000000000")).toBe(true);
    expect(notice.value?.text).toContain("0000000000");
  });
  it("lets a scan wait for a catalogue that is on its way, and for a cart", () => {
    catalogueWhole.value = false;
    online.value = true;
    clearProducts();
    expect(takeScan("7501055300075")).toBe(true);
    expect(notice.value?.text).toContain("lleguen");
    putProducts([TOMATE]); // a page of it
    expect(pendingScans.value).toEqual(["7501055300075"]);
    putProducts([LECHE]);
    return settle().then(() => expect(lines()).toEqual([["Leche entera 1 L", 1_000]]));
  });
  it("says of a scan that has waited that it is unknown, where the catalogue has no such thing", async () => {
    catalogueWhole.value = false;
    online.value = true;
    takeScan("0000000000");
    catalogueWhole.value = true;
    await settle();
    expect(notice.value?.text).toContain("0000000000");
    expect(pendingScans.value).toEqual([]);
  });
  it("goes on where the session has ended", () => {
    session.value = "ended";
    takeScan("7501055300075");
    expect(lines()).toHaveLength(1);
  });
});

describe("a scan in the middle of something", () => {
  it("is the next cart's, not this one's, also where the payment is left", async () => {
    takeScan("7501055300075");
    paying.value = true;
    expect(takeScan("7501055300075")).toBe(true);
    paying.value = false;
    await settle();
    expect(lines()).toEqual([["Leche entera 1 L", 1_000]]);
    lastSale.value = "sold";
    adopt(newCart());
    await settle();
    expect(lines()).toEqual([["Leche entera 1 L", 1_000]]);
    expect([pendingScans.value, lastSale.value]).toEqual([[], "sold"]);
  });
  it("waits for the dialog to close", async () => {
    dialog.value = { kind: "help" };
    takeScan("7501055300075");
    await settle();
    expect(lines()).toEqual([]);
    dialog.value = null;
    await settle();
    expect(lines()).toHaveLength(1);
  });
  it("is kept in turn, past what has to be weighed", async () => {
    dialog.value = { kind: "help" };
    for (const code of ["123", "123", "7501055300075"]) {
      takeScan(code);
    }
    for (const left of [2, 1, 0]) {
      dialog.value = null;
      await settle();
      expect(pendingScans.value).toHaveLength(left);
    }
    expect(lines()).toEqual([["Leche entera 1 L", 1_000]]);
  });
  it("is the field's where it is no product", () => {
    paying.value = true;
    expect(takeScan("REF-0001")).toBe(false);
    expect(pendingScans.value).toEqual([]);
  });
});
