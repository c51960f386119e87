/** A crash between any two steps, two tabs, and a full disk lose and double nothing. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { CASH, fill, kill, LECHE, newDevice, newTab, pause, type Tab, until } from "./device";
import { dieAfter, fillDisk, isDead } from "./disk";
import { json, server } from "./server_double";

beforeEach(newDevice);
afterEach(kill);

const kept = async (tab: Tab) => await (await tab.db.openDb()).getAll("ventas");
const filledCarts = async (tab: Tab) =>
  (await (await tab.db.openDb()).getAll("carritos")).filter((cart) => cart.lineas.length > 0);
const estados = async (tab: Tab) => (await kept(tab)).map((sale) => sale.estado);

async function sell(tab: Tab) {
  const cart = await fill(tab);
  return await tab.outbox.takeSale({ cart, pagos: CASH });
}

/** Sell, and die after so many steps. Says whether it died. */
async function sellAndDie(tab: Tab, steps: number): Promise<boolean> {
  const cart = await fill(tab);
  dieAfter(steps);
  void tab.outbox.takeSale({ cart, pagos: CASH });
  await until(() => {
    tab.state.online.value = true; // the network is back at once
    return isDead() || tab.state.sales.value[0]?.estado === "PERSISTIDA";
  });
  await pause(5);
  const died = isDead();
  kill();
  return died;
}

for (const answer of ["answered", "lost"] as const) {
  test(`a crash at any step sells once: the first answer is ${answer}`, async () => {
    let deaths = 0;
    for (let steps = 0; ; steps += 1) {
      newDevice();
      server.answers = answer === "lost" ? ["lost"] : [];
      const first = await newTab();
      await first.outbox.startOutbox();
      const died = await sellAndDie(first, steps);

      const second = await newTab();
      await second.outbox.startOutbox();
      const left = second.state.cart.value;
      if (left !== null && left.lineas.length > 0) {
        expect(await kept(second)).toEqual([]); // a cart, or a sale: never both
        await second.outbox.takeSale({ cart: left, pagos: CASH });
      }
      second.state.online.value = true;
      await until(async () => {
        second.state.online.value = true;
        return (await estados(second)).includes("PERSISTIDA");
      });
      expect(await estados(second)).toEqual(["PERSISTIDA"]);
      expect(await filledCarts(second)).toEqual([]);
      expect(server.ventas.size).toBe(1);
      expect(new Set(server.posts).size).toBe(1);
      if (!died) {
        break;
      }
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(10);
  }, 60_000);
}

test("the same cart sold twice is one sale, and the next customer's cart stays", async () => {
  const tab = await newTab();
  const cart = await fill(tab);
  const first = await tab.outbox.takeSale({ cart, pagos: CASH });
  const next = await fill(tab);
  const again = await tab.outbox.takeSale({ cart, pagos: CASH });
  expect(again.fecha).toBe(first.fecha);
  expect(tab.state.cart.value).toEqual(next);
  expect(await kept(tab)).toHaveLength(1);
  expect(server.ventas.size).toBeLessThanOrEqual(1);
});

test("two tabs that sell the same cart at once make one sale", async () => {
  const [one, other] = [await newTab(), await newTab()];
  const cart = await fill(one);
  const sold = await Promise.all([one, other].map((tab) => tab.outbox.takeSale({ cart, pagos: CASH })));
  expect(new Set(sold.map((sale) => sale.fecha)).size).toBe(1);
  await until(() => server.ventas.size === 1);
  expect(await kept(one)).toHaveLength(1);
});

test("a full disk takes nothing, says so, and leaves the cart; with room again it sells", async () => {
  const tab = await newTab();
  const cart = await fill(tab);
  fillDisk("add", 2);
  await expect(tab.outbox.takeSale({ cart, pagos: CASH })).rejects.toBeInstanceOf(tab.outbox.DeviceFull);
  expect(tab.state.deviceFull.value).toBe(true);
  expect(tab.state.cart.value).toEqual(cart);
  expect(await kept(tab)).toEqual([]);
  expect(await filledCarts(tab)).toEqual([cart]);
  await tab.outbox.takeSale({ cart, pagos: CASH });
  expect(tab.state.deviceFull.value).toBe(false);
  expect(await kept(tab)).toHaveLength(1);
});

test("a full disk makes room once from what is written and old, and sells", async () => {
  const tab = await newTab();
  const sale = await sell(tab);
  const ventas = await tab.db.openDb();
  const old = { ...sale, cierre: null, fecha: sale.fecha - 3 * 24 * 3_600_000 };
  await ventas.put("ventas", { ...old, id: "written", estado: "PERSISTIDA" });
  await ventas.put("ventas", { ...old, id: "promised", estado: "EN_COLA" });
  fillDisk("add", 1);
  const next = await sell(tab);
  const ids = (await kept(tab)).map((each) => each.id);
  expect(ids).toContain(next.id);
  expect(ids).toContain("promised");
  expect(ids).not.toContain("written");
});

test("a sale's state makes room for itself on a full disk", async () => {
  const tab = await newTab();
  await tab.outbox.startOutbox();
  const first = await sell(tab);
  await until(async () => (await estados(tab))[0] === "PERSISTIDA");
  const old = { ...first, cierre: null, id: "written", fecha: first.fecha - 3 * 24 * 3_600_000 };
  await (await tab.db.openDb()).put("ventas", { ...old, estado: "PERSISTIDA" });
  fillDisk("put", 1);
  await sell(tab);
  await until(() => server.ventas.size === 2);
  await until(async () => (await estados(tab)).every((estado) => estado === "PERSISTIDA"));
  expect((await kept(tab)).map((sale) => sale.id)).not.toContain("written");
});

test("where there is no room for a sale's state, it is tried again later", async () => {
  const tab = await newTab();
  await tab.outbox.startOutbox();
  fillDisk("put", 2);
  await sell(tab);
  await until(async () => (await estados(tab))[0] === "PERSISTIDA");
  expect(server.ventas.size).toBe(1);
});

const REFUSED = () => json(400, { codigo: "stock_insuficiente", mensaje: "", detalles: [{ producto_id: "p1" }] });

/** A sale that the server refused after its customer had left. */
async function refusedSale(tab: Tab) {
  server.answers.push(REFUSED());
  const sale = await sell(tab);
  tab.state.lastSale.value = null;
  await until(async () => (await estados(tab)).includes("POR_REVISAR"));
  return sale;
}

test("a refused sale goes back into the cart in one tab only, under its key", async () => {
  const [one, other] = [await newTab(), await newTab()];
  const sale = await refusedSale(one);
  const reopened = await Promise.all([one, other].map((tab) => tab.outbox.reopenSale(sale.id)));
  expect(reopened.filter(Boolean)).toHaveLength(1);
  expect(await kept(one)).toEqual([]);
  expect((await filledCarts(one)).map((cart) => cart.id)).toEqual([sale.id]);
});

test("reopening parks the cart that is under way", async () => {
  const tab = await newTab();
  const sale = await refusedSale(tab);
  const mine = await fill(tab);
  await tab.outbox.reopenSale(sale.id);
  expect(tab.state.cart.value?.id).toBe(sale.id);
  const parked = (await filledCarts(tab)).find((cart) => cart.apartada !== null);
  expect(parked?.lineas).toEqual(mine.lineas);
});

test("what is scanned while a sale is reopened is parked, or in the cart", async () => {
  let parked = 0;
  for (let turns = 0; turns < 40; turns += 1) {
    newDevice();
    const tab = await newTab();
    const sale = await refusedSale(tab);
    await pause(5);
    const reopening = tab.outbox.reopenSale(sale.id);
    for (let turn = 0; turn < turns; turn += 1) {
      await pause(0);
    }
    tab.cart.addProducto({ ...LECHE, id: "p2" }, 1_000);
    await reopening;
    await tab.cart.flush();
    const carts = await filledCarts(tab);
    const scanned = carts.find((cart) => cart.lineas.some((linea) => linea.producto_id === "p2"));
    expect(scanned?.id === tab.state.cart.value?.id || scanned?.apartada).toBeTruthy();
    parked += scanned?.id === sale.id ? 0 : 1;
  }
  expect(parked).toBeGreaterThan(0);
}, 30_000);

test("a crash at any step of reopening leaves a sale or a cart, never both, never none", async () => {
  for (let steps = 0, died = true; died; steps += 1) {
    newDevice();
    const tab = await newTab();
    const sale = await refusedSale(tab);
    await pause(5);
    dieAfter(steps);
    let done = false;
    void tab.outbox.reopenSale(sale.id).then(() => {
      done = true;
    });
    await until(() => done || isDead());
    died = isDead();
    kill();
    const after = await newTab();
    const carts = await filledCarts(after);
    const sales = await kept(after);
    expect([...carts, ...sales].map((each) => each.id)).toEqual([sale.id]);
  }
}, 30_000);

test("an annulled key never sells again: the cart gets a new one", async () => {
  const tab = await newTab();
  server.answers.push(json(422, { codigo: "venta_anulada", mensaje: "" }));
  const sale = await sell(tab);
  await until(async () => (await estados(tab)).includes("POR_REVISAR"));
  await tab.outbox.reopenSale(sale.id);
  expect(tab.state.cart.value?.lineas).toEqual(sale.lineas);
  expect(tab.state.cart.value?.id).not.toBe(sale.id);
});

test("a sale whose answer never came cannot be reopened", async () => {
  const tab = await newTab();
  server.answers.push("lost");
  const sale = await sell(tab);
  await until(() => !tab.state.online.value);
  expect(await tab.outbox.reopenSale(sale.id)).toBe(false);
  expect(await estados(tab)).toEqual(["GUARDADA"]);
});

test("what waits when the sending tab dies is sent by the other", async () => {
  const [one, other] = [await newTab(), await newTab()];
  await other.outbox.startOutbox();
  one.state.session.value = "ended"; // it takes the sale, and never sends it
  await sell(one);
  await until(() => server.ventas.size === 1);
});

for (const [how, give] of [
  ["emptied", async (tab: Tab) => tab.cart.clearCart()],
  ["emptied line by line", async (tab: Tab) => tab.cart.removeLinea(tab.state.cart.value?.lineas[0]?.id ?? "")],
  ["parked", async () => void (await (await import("../src/parked")).parkCart())],
] as const) {
  test(`a correction that is ${how} is its sale again, to be reviewed`, async () => {
    const tab = await newTab();
    const sale = await refusedSale(tab);
    expect(await tab.outbox.reopenSale(sale.id)).toBe(true);
    expect(tab.state.cart.value?.pagos).toEqual(CASH);
    await give(tab);
    await until(async () => (await tab.sales.findSale(sale.id))?.estado === "POR_REVISAR");
    expect(tab.state.cart.value?.id).not.toBe(sale.id);
    expect(await filledCarts(tab)).toEqual([]);
  });
}

test("a correction outlives its tab", async () => {
  const tab = await newTab();
  const sale = await refusedSale(tab);
  await tab.outbox.reopenSale(sale.id);
  kill();
  const after = await newTab();
  expect(after.state.cart.value?.origen?.id).toBe(sale.id);
  after.cart.clearCart();
  await until(async () => (await after.sales.findSale(sale.id))?.estado === "POR_REVISAR");
});

test("a correction that is sold leaves nothing to review", async () => {
  const tab = await newTab();
  const sale = await refusedSale(tab);
  await tab.outbox.reopenSale(sale.id);
  tab.state.online.value = true;
  const cart = tab.state.cart.value;
  await tab.outbox.takeSale({ cart: cart as never, pagos: CASH });
  await tab.outbox.startOutbox();
  await until(async () => (await estados(tab)).includes("PERSISTIDA"));
  expect(await estados(tab)).toEqual(["PERSISTIDA"]);
});

test("a payment under way is not another cart's", async () => {
  const tab = await newTab();
  await fill(tab);
  tab.state.paying.value = true;
  tab.cart.adopt(tab.cart.newCart());
  expect(tab.state.paying.value).toBe(false);
});
