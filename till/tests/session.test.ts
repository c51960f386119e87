/** Who works at this till: with the network, without, and after the session ended. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { kill, newDevice, SEAT } from "./device";
import { json } from "./server_double";

beforeEach(newDevice);
afterEach(kill);

async function load() {
  vi.resetModules();
  return { session: await import("../src/session"), state: await import("../src/state") };
}
const ANA = { usuario: SEAT.usuario, tiendas: [SEAT.tienda] };
const OTHER = { ...SEAT.tienda, id: "t2" };
const NOBODY = { usuario: null, tiendas: [] };
const answers = (body: unknown, status = 200) => vi.stubGlobal("fetch", async () => json(status, body));
const away = () => vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));

test("the only tienda and terminal open at once; offline they open again", async () => {
  answers(ANA);
  await (await load()).session.resume();
  away();
  const again = await load();
  await again.session.resume();
  expect(again.state.session.value).toBe("open");
  expect(again.state.online.value).toBe(false);
  expect(again.state.seat.value).toEqual(SEAT);
});

test("a server that hangs is not waited for, and is heard when it answers", async () => {
  answers(ANA);
  await (await load()).session.resume();
  let answer: (reply: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise((resolve) => (answer = resolve)));
  const { session, state } = await load();
  await session.resume();
  expect(state.session.value).toBe("open");
  expect(state.seat.value).toEqual(SEAT);
  answer(json(200, NOBODY));
  await vi.waitFor(() => expect(state.session.value).toBe("ended"));
});

test("offline on a device where nobody signed in stays closed", async () => {
  away();
  const { session, state } = await load();
  await session.resume();
  expect(state.session.value).toBe("signed-out");
});

test("several tiendas are chosen among, once", async () => {
  answers({ ...ANA, tiendas: [SEAT.tienda, OTHER] });
  const first = await load();
  await first.session.resume();
  expect(first.state.session.value).toBe("choosing");
  first.session.chooseSeat("t2", "c1");
  const second = await load();
  await second.session.resume();
  expect(second.state.session.value).toBe("open");
  expect(second.state.seat.value?.tienda.id).toBe("t2");
});

test("a session that ended keeps the seat, over a reload too", async () => {
  answers(ANA);
  await (await load()).session.resume();
  answers(NOBODY);
  const { session, state } = await load();
  await session.resume();
  expect(state.session.value).toBe("ended");
  expect(state.seat.value).toEqual(SEAT);
  answers(ANA);
  await session.signIn("ana", "x");
  expect(state.session.value).toBe("open");
});

test("whoever must still choose does not sell in another's name", async () => {
  answers(ANA);
  await (await load()).session.resume();
  answers({ usuario: { id: 4, nombre: "luis" }, tiendas: [OTHER, { ...OTHER, id: "t3" }] });
  const { session, state } = await load();
  await session.resume();
  expect(state.session.value).toBe("choosing");
  expect(state.seat.value).toBeNull();
});

test("what is kept half is no seat, and the till opens", async () => {
  localStorage.setItem("caja.puesto", "{");
  away();
  const { session, state } = await load();
  await session.resume();
  expect(state.session.value).toBe("signed-out");
});

test("a server that could not sign out leaves the person signed in", async () => {
  answers(ANA);
  const { session, state } = await load();
  await session.resume();
  answers({ codigo: "redis_no_disponible" }, 503);
  await expect(session.signOut()).rejects.toThrow();
  expect(state.session.value).toBe("open");
  vi.stubGlobal("fetch", async () => new Response(null, { status: 204 }));
  await session.signOut();
  expect(state.session.value).toBe("signed-out");
  expect(localStorage.getItem("caja.puesto")).toBeNull();
});

test("a person who signs in in one tab is the other tab's too", async () => {
  answers(ANA);
  const one = await load();
  const other = await load();
  await one.session.resume();
  await other.session.resume();
  other.session.keepSessionFresh();
  answers({ usuario: { id: 4, nombre: "luis" }, tiendas: [SEAT.tienda] });
  await one.session.signIn("luis", "x");
  await vi.waitFor(() => expect(other.state.seat.value?.usuario.nombre).toBe("luis"));
});
