/** What becomes of a sale with each answer. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { CASH, fill, kill, LECHE, newDevice, newTab, pause, SEAT, type Tab, until } from "./device";
import { json, server } from "./server_double";

beforeEach(newDevice);
afterEach(kill);

async function sell(tab: Tab) {
  return await tab.outbox.takeSale({ cart: await fill(tab), pagos: CASH });
}
async function find(tab: Tab, id: string) {
  const sale = await tab.sales.findSale(id);
  if (sale === undefined) {
    throw new Error("no such sale");
  }
  return sale;
}

test("sales are sent oldest first, one by one, and the queue keeps its order behind a 503", async () => {
  const tab = await newTab();
  tab.state.online.value = false;
  const made = [await sell(tab), await sell(tab), await sell(tab)];
  server.answers.push(json(503, { codigo: "cache_frio" }, { "Retry-After": "2" }));
  tab.state.online.value = true;
  tab.sending.sendNow();
  await until(() => server.ventas.size === 3);
  expect([...server.ventas.keys()]).toEqual(made.map((sale) => sale.id));
  expect(server.posts).toEqual([made[0]?.id, ...made.map((sale) => sale.id)]);
});

test("a 503 waits as long as it says", async () => {
  const tab = await newTab();
  server.answers.push(json(503, { codigo: "cache_frio" }, { "Retry-After": "7" }));
  const sale = await sell(tab);
  await until(async () => (await find(tab, sale.id)).proximo > 0);
  expect((await find(tab, sale.id)).proximo - Date.now()).toBeGreaterThan(4_000);
  expect((await find(tab, sale.id)).estado).toBe("GUARDADA");
});

test("a sale that breaks the server lets the others pass", async () => {
  const tab = await newTab();
  tab.state.online.value = false;
  const [broken, next] = [await sell(tab), await sell(tab)];
  server.answers.push(
    ...["0", "0", "0", "0", "60"].map((wait) => json(500, { codigo: "error_interno" }, { "Retry-After": wait })),
  );
  tab.state.online.value = true;
  tab.sending.sendNow();
  await until(() => server.ventas.has(next.id));
  expect((await find(tab, broken.id)).estado).toBe("GUARDADA");
});

for (const status of [401, 403]) {
  test(`a ${status} ends the session, and the sale waits`, async () => {
    const tab = await newTab();
    server.answers.push(json(status, { codigo: "no_autenticado" }));
    const sale = await sell(tab);
    await until(() => tab.state.session.value === "ended");
    await pause(5);
    expect(await find(tab, sale.id)).toMatchObject({ estado: "GUARDADA", intentos: 0 });
    expect(tab.state.seat.value).toEqual(SEAT);
  });
}

test("a person without the right keeps the session; the sale waits for another", async () => {
  const tab = await newTab();
  server.answers.push(json(403, { codigo: "sin_permiso" }));
  const sale = await sell(tab);
  await until(async () => (await find(tab, sale.id)).proximo > 0);
  expect(tab.state.session.value).toBe("open");
  expect((await find(tab, sale.id)).estado).toBe("GUARDADA");
});

for (const [status, codigo] of [
  [400, "stock_insuficiente"],
  [404, "producto_no_existe"],
  [409, "precio_cambiado"],
] as const) {
  test(`a ${status} ${codigo} waits for somebody, with what was said`, async () => {
    const tab = await newTab();
    server.answers.push(json(status, { codigo, mensaje: "no", detalles: [1] }));
    const sale = await sell(tab);
    await until(async () => (await find(tab, sale.id)).estado === "POR_REVISAR");
    expect((await find(tab, sale.id)).rechazo).toEqual({ status, codigo, mensaje: "no", detalles: [1] });
  });
}

test("a 404 that is not the API's is no answer about the sale", async () => {
  const tab = await newTab();
  server.answers.push(new Response("", { status: 404 }));
  const sale = await sell(tab);
  await until(async () => (await find(tab, sale.id)).proximo > 0);
  expect((await find(tab, sale.id)).estado).toBe("GUARDADA");
});

test("a key that the server has with another body is followed, and the record says so", async () => {
  const tab = await newTab();
  tab.state.online.value = false;
  const sale = await sell(tab);
  server.ventas.set(sale.id, { body: "an earlier copy", estado: "RESERVADA" });
  await tab.outbox.startOutbox();
  tab.state.online.value = true;
  await until(async () => (await find(tab, sale.id)).estado === "PERSISTIDA");
  expect((await find(tab, sale.id)).rechazo?.codigo).toBe("clave_reutilizada");
  expect(server.ventas.size).toBe(1);
});

test("what is not known yet, and is nowhere, is sent again under its key", async () => {
  const tab = await newTab();
  await tab.outbox.startOutbox();
  server.answers.push(json(202, { estado: "RESERVADA" }));
  const sale = await sell(tab);
  await until(async () => (await find(tab, sale.id)).estado === "PERSISTIDA");
  expect(server.posts).toEqual([sale.id, sale.id]);
  expect(await find(tab, sale.id)).toMatchObject({ recibo: 7 });
});

test("a 404 about the tienda says nothing about the sale: a promise stays a promise", async () => {
  const tab = await newTab();
  const sale = await sell(tab);
  await until(async () => (await find(tab, sale.id)).estado === "EN_COLA");
  const plain = globalThis.fetch;
  let asked = 0;
  globalThis.fetch = async () => {
    asked += 1;
    return json(404, { codigo: "terminal_no_existe" });
  };
  await tab.outbox.startOutbox();
  await until(() => asked > 1);
  globalThis.fetch = plain;
  expect((await find(tab, sale.id)).estado).toBe("EN_COLA");
});

test("another cashier's sale waits for them, or for an encargado", async () => {
  const tab = await newTab();
  tab.state.online.value = false;
  const sale = await sell(tab);
  tab.state.seat.value = { ...SEAT, usuario: { id: 4, nombre: "luis" } };
  tab.state.online.value = true;
  tab.sending.sendNow();
  await pause(20);
  expect(server.posts).toEqual([]);
  tab.state.seat.value = { ...SEAT, usuario: { id: 5, nombre: "eva" }, tienda: { ...SEAT.tienda, rol: "encargado" } };
  tab.sending.sendNow();
  await until(() => server.ventas.has(sale.id));
});

test("a sale that is put off again and again lets the others pass", async () => {
  const tab = await newTab();
  tab.state.online.value = false;
  const [old, next] = [await sell(tab), await sell(tab)];
  server.answers.push(
    ...["0", "0", "0", "0", "60"].map((wait) => json(503, { codigo: "base_no_disponible" }, { "Retry-After": wait })),
  );
  tab.state.online.value = true;
  tab.sending.sendNow();
  await until(() => server.ventas.has(next.id));
  expect((await find(tab, old.id)).estado).toBe("GUARDADA");
});

test("a clock that was put right does not make a sale wait for a year", async () => {
  const tab = await newTab();
  tab.state.online.value = false;
  const sale = await sell(tab);
  await tab.sales.alterSale(sale.id, ["GUARDADA"], () => ({ proximo: Date.now() + 365 * 86_400_000 }));
  tab.state.online.value = true;
  tab.sending.sendNow();
  await until(() => server.ventas.has(sale.id));
});

test("where somebody else signed in meanwhile, the sale waits and the session goes on", async () => {
  const tab = await newTab();
  server.answers.push(json(401, { codigo: "otra_persona" }));
  const sale = await sell(tab);
  await until(() => server.posts.length === 1);
  await pause(5);
  expect(await find(tab, sale.id)).toMatchObject({ estado: "GUARDADA", intentos: 0 });
});

test("what the server has of a sale whose copy came late is what the record says", async () => {
  const tab = await newTab();
  tab.state.online.value = false;
  const sale = await sell(tab);
  const written = {
    total: 12.5,
    pagos: [{ metodo: "EFECTIVO", importe: 12.5, recibido: 20, referencia: "" }],
    detalles: [{ producto_id: LECHE.id, cantidad: 1, precio_unitario: 12.5, impuesto: 16 }],
  };
  server.ventas.set(sale.id, { body: "an earlier copy", estado: "RESERVADA", written });
  await tab.outbox.startOutbox();
  tab.state.online.value = true;
  await until(async () => (await find(tab, sale.id)).estado === "PERSISTIDA");
  expect(await find(tab, sale.id)).toMatchObject({
    total: 1_250,
    pagos: [{ metodo: "EFECTIVO", importe: 1_250, recibido: 2_000, referencia: "" }],
    lineas: [{ producto_id: LECHE.id, nombre: "Leche", cantidad: 1_000, precio: 1_250, impuesto: 1_600 }],
  });
  await until(() => tab.state.notice.value?.text.includes("12.50") === true);
});
