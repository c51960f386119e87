import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { locks } from "./browser";
import { LECHE, seatIn, TOMATE } from "./examples";

/** The modules of one tab, from its start. `name`: what sessionStorage remembers of it. */
async function tab(name = "") {
  vi.resetModules();
  if (name === "") {
    sessionStorage.removeItem("caja.pestaña");
    sessionStorage.removeItem("caja.carrito");
  } else {
    sessionStorage.setItem("caja.pestaña", name);
  }
  const [db, cartsDb, cart, parked, state] = await Promise.all([
    import("../src/db"),
    import("../src/carts_db"),
    import("../src/cart"),
    import("../src/parked"),
    import("../src/state"),
  ]);
  state.seat.value = seatIn("a");
  await cartsDb.nameTab();
  await cart.openCart();
  await parked.readParked();
  const end = async () => {
    await cart.flush();
    await db.closeDb();
    locks.forget(`caja-tab:${cartsDb.thisTab()}`);
  };
  return { ...cart, ...parked, ...state, ...cartsDb, ...db, cart: state.cart, parked: state.parked, end };
}

type Tab = Awaited<ReturnType<typeof tab>>;
const names = (of: Tab) => of.cart.value?.lineas.map((linea) => linea.nombre);
const quantities = (of: Tab) => of.cart.value?.lineas.map((linea) => linea.cantidad);

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
});

describe("lines", () => {
  it("join pieces of one product and price; weighed ones stay apart; the last one is selected", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    one.addProducto(TOMATE, 1_500);
    one.addProducto(TOMATE, 250);
    one.addProducto({ ...LECHE, precio: 1_300 }, 1_000);
    one.addProducto(LECHE, 2_000);
    expect(quantities(one)).toEqual([3_000, 1_500, 250, 1_000]);
    expect(one.selected.value).toBe(one.cart.value?.lineas[0]?.id);
    await one.end();
  });
  it("hold whole pieces, more than nothing, no more than a million, no more than 200 lines", async () => {
    const one = await tab();
    expect(one.addProducto(LECHE, 1_500)).toBe(false);
    expect(one.addProducto(TOMATE, 0)).toBe(false);
    expect(one.addProducto(TOMATE, -1)).toBe(false);
    expect(one.addProducto(TOMATE, 1_000_000_001)).toBe(false);
    expect(one.notice.value).not.toBeNull();
    expect(one.cart.value?.lineas).toEqual([]);
    const added = Array.from({ length: 201 }, () => one.addProducto(TOMATE, 1));
    expect(added.filter(Boolean)).toHaveLength(200);
    expect(one.addProducto(LECHE, 1_000)).toBe(false);
    await one.end();
  });
  it("come back one after the other, where they were, whatever was added meanwhile", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    one.addProducto(TOMATE, 500);
    const [leche, tomate] = one.cart.value?.lineas ?? [];
    one.setCantidad(leche?.id ?? "", 0);
    one.removeLinea(tomate?.id ?? "");
    one.addProducto({ ...LECHE, id: "other", nombre: "Pan" }, 1_000);
    one.undoRemove();
    one.undoRemove();
    one.undoRemove();
    expect(names(one)).toEqual(["Leche entera 1 L", "Tomate", "Pan"]);
    one.clearCart();
    one.addProducto({ ...LECHE, id: "late", nombre: "Sal" }, 1_000);
    one.notice.value = null;
    one.undoRemove();
    expect(names(one)).toEqual(["Leche entera 1 L", "Tomate", "Pan", "Sal"]);
    await one.end();
  });
  it("never come back into another cart", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    one.clearCart();
    const undo = one.notice.value?.undo;
    one.adopt(one.newCart());
    undo?.();
    expect(names(one)).toEqual([]);
    await one.end();
  });
  it("take a changed price", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    one.setPrecio(LECHE.id, 1_350);
    expect(one.cart.value?.lineas[0]?.precio).toBe(1_350);
    await one.end();
  });
});

describe("a tab", () => {
  it("goes on with its cart after a reload", async () => {
    const before = await tab("one");
    before.addProducto(LECHE, 1_000);
    before.addProducto(LECHE, 1_000);
    const id = before.cart.value?.id;
    await before.end();
    const after = await tab(before.thisTab());
    expect(after.cart.value?.id).toBe(id);
    expect(quantities(after)).toEqual([2_000]);
    await after.end();
  });
  it("waits for the page that it replaces, when it is loaded again", async () => {
    const before = await tab();
    before.addProducto(LECHE, 1_000);
    await before.flush();
    await before.closeDb();
    const name = `caja-tab:${before.thisTab()}`;
    // The old page says nothing any more, and lets go a little later.
    before.leaveTab();
    locks.handOver(name, 30);
    const after = await tab(before.thisTab());
    expect(after.thisTab()).toBe(before.thisTab());
    expect(names(after)).toEqual(["Leche entera 1 L"]);
    await after.end();
  });
  it("finds again what was not on the disk yet, when it is loaded again", async () => {
    const before = await tab();
    before.addProducto(LECHE, 1_000);
    await before.flush();
    before.addProducto(LECHE, 1_000);
    await before.closeDb();
    before.leaveTab();
    locks.handOver(`caja-tab:${before.thisTab()}`, 0);
    vi.stubGlobal("indexedDB", new IDBFactory()); // nothing of it was written
    const after = await tab(before.thisTab());
    expect(quantities(after)).toEqual([2_000]);
    await after.end();
  });
  it("does not take the other's cart where it is a duplicate of a living tab", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    await one.flush();
    const copy = await tab(one.thisTab());
    expect(copy.thisTab()).not.toBe(one.thisTab());
    expect(names(copy)).toEqual([]);
    expect(names(one)).toEqual(["Leche entera 1 L"]);
    await copy.end();
    await one.end();
  });
  it("opens one cart, however often it is asked to", async () => {
    const one = await tab();
    one.seat.value = seatIn("b");
    const [first, second] = [one.openCart(), one.openCart()];
    await first;
    one.addProducto(LECHE, 1_000);
    await second;
    expect(names(one)).toEqual(["Leche entera 1 L"]);
    one.seat.value = seatIn("a");
    await one.openCart();
    expect(names(one)).toEqual([]);
    one.seat.value = seatIn("b");
    await one.openCart();
    expect(names(one)).toEqual(["Leche entera 1 L"]);
    await one.end();
  });
  it("leaves a living tab's cart alone, also as a copy of that tab", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    await one.flush();
    const copy = await tab(one.thisTab());
    expect(copy.thisTab()).not.toBe(one.thisTab());
    expect(names(copy)).toEqual([]);
    await Promise.all([one.end(), copy.end()]);
  });
  it("takes up the cart of a tab that has ended", async () => {
    const gone = await tab();
    gone.addProducto(LECHE, 1_000);
    await gone.end();
    const next = await tab();
    expect(names(next)).toEqual(["Leche entera 1 L"]);
    expect(next.parked.value).toEqual([]);
    await next.end();
  });
  it("goes on with its own before another's, which is then parked", async () => {
    const own = await tab();
    own.addProducto(LECHE, 1_000);
    await own.flush();
    const gone = await tab();
    gone.addProducto(TOMATE, 500); // newer
    await Promise.all([own.end(), gone.end()]);
    const again = await tab(own.thisTab());
    expect(names(again)).toEqual(["Leche entera 1 L"]);
    expect(again.parked.value.map((cart) => cart.lineas[0]?.nombre)).toEqual(["Tomate"]);
    await again.end();
  });
});

describe("parked carts", () => {
  it("wait, newest first, and are taken up again, the one on the screen parked", async () => {
    const one = await tab();
    expect(await one.parkCart()).toBe(false);
    one.addProducto(LECHE, 1_000);
    const first = one.cart.value?.id ?? "";
    await one.parkCart();
    expect(names(one)).toEqual([]);
    one.addProducto(TOMATE, 500);
    await one.parkCart();
    one.addProducto({ ...LECHE, id: "other", nombre: "Pan" }, 1_000);
    await one.takeUp(first);
    expect(names(one)).toEqual(["Leche entera 1 L"]);
    expect(one.parked.value.map((cart) => cart.lineas[0]?.nombre)).toEqual(["Pan", "Tomate"]);
    await one.discardParked(one.parked.value[0]?.id ?? "");
    expect(one.parked.value.map((cart) => cart.lineas[0]?.nombre)).toEqual(["Tomate"]);
    await one.end();
  });
  it("are written later where the device is full, and it says so", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    await one.flush();
    const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    await one.parkCart();
    expect(one.deviceFull.value).toBe(true);
    put.mockRestore();
    one.addProducto(TOMATE, 500);
    await one.flush();
    await one.readParked();
    expect(one.parked.value.map((cart) => cart.lineas[0]?.nombre)).toEqual(["Leche entera 1 L"]);
    await one.end();
  });
  it("are in the order in which they were parked, whenever they were begun", async () => {
    const one = await tab();
    const early = { ...one.newCart(), tab: null, apartada: 2_000 };
    const late = { ...one.newCart(), tab: null, apartada: 1_000 };
    one.keep(early, late);
    await one.flush();
    await one.readParked();
    expect(one.parked.value.map((cart) => cart.id)).toEqual([early.id, late.id]);
    await one.end();
  });
  it("lose nothing that is scanned while they are parked or taken up", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    const parking = one.parkCart();
    one.addProducto(TOMATE, 500);
    await parking;
    const wanted = one.parked.value[0]?.id ?? "";
    const taking = one.takeUp(wanted);
    one.addProducto({ ...LECHE, id: "other", nombre: "Pan" }, 1_000);
    await taking;
    expect(names(one)).toEqual(["Leche entera 1 L"]);
    expect(one.parked.value.map((cart) => cart.lineas.map((linea) => linea.nombre))).toEqual([["Tomate", "Pan"]]);
    await one.end();
  });
  it("are one tab's only, and stay in their tienda", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    await one.parkCart();
    const id = one.parked.value[0]?.id ?? "";
    const claims = await Promise.all([one.claimParked(id), one.claimParked(id)]);
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
    await one.removeParked(id);
    expect(await (await one.openDb()).get("carritos", id)).toBeDefined();
    one.addProducto(TOMATE, 500);
    await one.parkCart();
    one.seat.value = seatIn("b");
    await one.readParked();
    expect(one.parked.value).toEqual([]);
    await one.end();
  });
});

describe("writing", () => {
  it("never brings back a cart that was sold", async () => {
    const one = await tab();
    one.addProducto(LECHE, 1_000);
    const sold = one.cart.value;
    if (sold === null) {
      throw new Error("no cart");
    }
    await one.flush();
    const db = await one.openDb();
    await db.put("ventas", { id: sold.id, tienda_id: "a", fecha: 1, estado: "GUARDADA" } as never);
    await db.delete("carritos", sold.id);
    one.keep(sold);
    await one.flush();
    expect(await db.get("carritos", sold.id)).toBeUndefined();
    await one.end();
  });
  it("goes on after a write that failed, and writes what it could not", async () => {
    const one = await tab();
    const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    one.addProducto(LECHE, 1_000);
    await expect(one.flush()).rejects.toThrow("full");
    put.mockRestore();
    await one.flush();
    const id = one.cart.value?.id ?? "";
    expect((await (await one.openDb()).get("carritos", id))?.lineas).toHaveLength(1);
    await one.end();
  });
});
