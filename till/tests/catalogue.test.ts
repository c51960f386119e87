import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, it, vi } from "vitest";
import { locks } from "./browser";
import { seatIn } from "./examples";

const body = (n: number, some: object = {}) => ({
  id: `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`,
  sku: `S${n}`,
  codigo_barras: `75${n}`,
  nombre: `Producto ${n}`,
  unidad: "UNIDAD",
  precio: 12.35,
  impuesto: 16,
  disponible: 3.5,
  is_active: true,
  ...some,
});
type Page = { results: object[]; next: string | null; hasta: string };

let pages: Record<string, Page>;
let asked: string[];

/** The modules of one tab, and a server that answers `pages` by `desde`; a page that is missing: no connection. */
async function tab(tiendaId = "a") {
  vi.resetModules();
  asked = [];
  vi.stubGlobal("fetch", async (url: string) => {
    const since = new URLSearchParams(url.split("?")[1]).get("desde") ?? "";
    asked.push(since);
    const page = pages[since];
    if (page === undefined) {
      throw new TypeError("no network");
    }
    return new Response(JSON.stringify(page), { headers: { "Content-Type": "application/json" } });
  });
  const [catalogue, db, state] = await Promise.all([
    import("../src/catalogue"),
    import("../src/db"),
    import("../src/state"),
  ]);
  state.seat.value = seatIn(tiendaId);
  state.session.value = "open";
  await catalogue.openCatalogue();
  return { ...catalogue, ...db, ...state };
}

const WITHIN = { timeout: 20_000 }; // of a machine that does much else

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  pages = {
    "": { results: [body(1), body(2)], next: "…", hasta: "p1" },
    p1: { results: [body(3)], next: null, hasta: "p2" },
    p2: { results: [], next: null, hasta: "p2" },
  };
});

it("shows a name in one line, and lets none turn round what stands beside it", async () => {
  const nombre = "\u202epan\r\nTotal 0.00\u2028\u2067🧀 👩‍🌾\u0007";
  pages = { "": { results: [body(1, { nombre })], next: null, hasta: "p1" } };
  const one = await tab();
  await one.syncCatalogue();
  expect(one.findByCode("S1")?.nombre).toBe("pan Total 0.00 🧀 👩‍🌾");
});

it("reads page after page, and keeps them for the next start", async () => {
  const one = await tab();
  await one.syncCatalogue();
  expect(asked).toEqual(["", "p1"]);
  expect(one.catalogueSize.value).toBe(3);
  expect(one.catalogueWhole.value).toBe(true);
  const found = one.findByCode("751");
  expect(found).toMatchObject({ precio: 1_235, impuesto: 1_600, disponible: 3_500, plain: "producto 1 s1 751" });
  expect(one.disponible.value.get(found?.id ?? "")).toBe(3_500);
  await one.closeDb();
  const next = await tab();
  expect(next.findByCode("753")?.nombre).toBe("Producto 3");
  expect(next.catalogueWhole.value).toBe(true);
  await next.syncCatalogue();
  expect(asked).toEqual(["p2"]);
  await next.closeDb();
});

it("repeats what broke off, and misses nothing", async () => {
  const { p1, ...others } = pages as { p1: Page };
  pages = others as Record<string, Page>;
  const one = await tab();
  await expect(one.syncCatalogue()).rejects.toThrow("no network");
  expect(one.catalogueSize.value).toBe(2);
  expect(one.catalogueWhole.value).toBe(false);
  await one.closeDb();
  pages = { ...pages, p1 };
  const next = await tab();
  await next.syncCatalogue();
  expect(asked).toEqual(["p1"]);
  expect(next.catalogueSize.value).toBe(3);
  await next.closeDb();
});

it("writes no cursor without its page", async () => {
  const one = await tab();
  const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementationOnce(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  await expect(one.syncCatalogue()).rejects.toThrow("full");
  put.mockRestore();
  expect(await (await one.openDb()).get("meta", "catalogo:a")).toBeUndefined();
  await one.closeDb();
});

it("takes what changed, and sells no more what is sold no more", async () => {
  const one = await tab();
  await one.syncCatalogue();
  pages.p2 = { results: [body(1, { precio: 20 }), body(2, { is_active: false })], next: null, hasta: "p3" };
  await one.syncCatalogue();
  expect(one.findByCode("751")?.precio).toBe(2_000);
  expect(one.findByCode("752")).toBeNull();
  expect(one.getProducto(body(2).id)?.activo).toBe(false);
  await one.closeDb();
});

it("never mixes two tiendas", async () => {
  const one = await tab();
  await one.syncCatalogue();
  await one.closeDb();
  pages = { "": { results: [body(9)], next: null, hasta: "q1" } };
  const other = await tab("b");
  expect(other.catalogueSize.value).toBe(0);
  await other.syncCatalogue();
  expect(other.findByCode("751")).toBeNull();
  expect(other.findByCode("759")?.nombre).toBe("Producto 9");
  other.seat.value = seatIn("a");
  await other.openCatalogue();
  expect(other.findByCode("759")).toBeNull();
  expect(other.catalogueSize.value).toBe(3);
  await other.closeDb();
});

it("is brought up to date by one tab at a time", async () => {
  const one = await tab();
  let free = () => {};
  const busy = locks.request("caja-catalogo:a", () => new Promise<void>((done) => (free = done)));
  await one.syncCatalogue();
  expect(asked).toEqual([]);
  free();
  await busy;
  await one.syncCatalogue();
  expect(asked).toEqual(["", "p1"]);
  await one.closeDb();
});

it("keeps what was heard since, when it is read again", async () => {
  const one = await tab();
  await one.syncCatalogue();
  one.disponible.value = new Map([[body(1).id, 1_000]]);
  await one.rereadCatalogue();
  expect(one.disponible.value.get(body(1).id)).toBe(1_000);
  expect(one.disponible.value.get(body(2).id)).toBe(3_500);
  await one.closeDb();
});

it("loads more products than one batch holds", async () => {
  const many = Array.from({ length: 4_500 }, (_none, n) => body(n));
  pages = { "": { results: many, next: null, hasta: "z" } };
  const one = await tab();
  await one.syncCatalogue();
  await one.closeDb();
  const next = await tab();
  expect(next.catalogueSize.value).toBe(4_500);
  expect(next.findByCode("754499")?.nombre).toBe("Producto 4499");
  await next.closeDb();
});

it("asks again for another tienda, and after a refusal, but not while there is no server", async () => {
  const one = await tab();
  const soon = () => new Promise((done) => setTimeout(done, 60));
  const every = vi.spyOn(globalThis, "setInterval").mockReturnValue(0 as never);
  one.keepCatalogueFresh();
  await vi.waitFor(() => expect(asked).toEqual(["", "p1"]), WITHIN);
  one.refused.value = { status: 409, codigo: "precio_cambiado", mensaje: "", detalles: [] };
  await vi.waitFor(() => expect(asked).toEqual(["", "p1", "p2"]), WITHIN);
  one.online.value = false;
  one.refused.value = null;
  await soon();
  expect(asked).toHaveLength(3);
  one.online.value = true;
  await vi.waitFor(() => expect(asked).toHaveLength(4), WITHIN); // and while that one is on its way:
  one.seat.value = seatIn("b");
  await one.openCatalogue();
  await vi.waitFor(() => expect(asked).toEqual(["", "p1", "p2", "p2", "", "p1"]), WITHIN);
  expect(every).toHaveBeenCalledWith(expect.any(Function), 60_000);
  every.mockRestore();
  await one.closeDb();
});
