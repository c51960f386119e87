/** The catalogue on the device: found without the network, brought up to date beside the selling. */

import { computed } from "@preact/signals";
import { type KeptProduct, openDb, tell } from "./db";
import { api, NoConnection } from "./net";
import { clearProducts, plainText, putProducts } from "./products";
import { catalogueWhole, disponible, online, refused, seat, session, toReview } from "./state";
import type { Milli, Producto, Unidad } from "./types";

export { findByCode, getProducto, plainText, resolveScan, type Scanned, search } from "./products";

const PAGE = 500;
const BATCH = 2_000;
const EVERY_MS = 60_000;
/** What no name is shown with: it would begin a line on the receipt, or turn round the figures that stand beside it. */
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;
/** One a tienda: another window may be at another one. */
const lockName = (tiendaId: string) => `caja-catalogo:${tiendaId}`;

let opened = "";

interface ApiProduct {
  readonly id: string;
  readonly sku: string;
  readonly codigo_barras: string;
  readonly nombre: string;
  readonly unidad: Unidad;
  readonly precio: number;
  readonly impuesto: number;
  readonly disponible: number | null;
  readonly is_active: boolean;
}

interface ApiPage {
  readonly results: readonly ApiProduct[];
  readonly next: string | null;
  readonly hasta: string;
}

function milli(quantity: number | null): Milli | null {
  return quantity === null ? null : Math.round(quantity * 1_000);
}

function keptProduct(product: ApiProduct, tienda_id: string): KeptProduct {
  const { id, sku, codigo_barras, unidad, is_active } = product;
  const nombre = product.nombre.replace(UNSHOWN, " ").trim();
  return {
    id,
    sku,
    codigo_barras,
    nombre,
    unidad,
    precio: Math.round(product.precio * 100),
    impuesto: Math.round(product.impuesto * 100),
    activo: is_active,
    disponible: milli(product.disponible),
    plain: plainText(`${nombre} ${sku} ${codigo_barras}`),
    tienda_id,
  };
}

/** Load this tienda's catalogue from the device. */
export async function openCatalogue(): Promise<void> {
  const tiendaId = seat.value?.tienda.id;
  if (tiendaId === undefined || tiendaId === opened) {
    return;
  }
  opened = tiendaId;
  clearProducts();
  catalogueWhole.value = false;
  disponible.value = new Map();
  await readAll(tiendaId);
}

/** In batches, so that typing goes on meanwhile. Each is taken in as it is read: a page that is synced later wins. */
async function readAll(tiendaId: string): Promise<void> {
  const db = await openDb();
  let last = "";
  for (let read = BATCH; read === BATCH && opened === tiendaId; ) {
    const batch = await db.getAll("productos", IDBKeyRange.lowerBound(last, true), BATCH);
    if (opened === tiendaId) {
      const products = batch.filter((product) => product.tienda_id === tiendaId);
      putProducts(products);
      // What was heard since is newer than what was kept.
      disponible.value = new Map([...products.map(stockOf), ...disponible.value]);
    }
    last = batch.at(-1)?.id ?? "";
    read = batch.length;
  }
  const whole = await db.get("meta", wholeKey(tiendaId));
  if (whole === true && opened === tiendaId) {
    catalogueWhole.value = true;
  }
}

/** Another tab has brought it up to date. */
export async function rereadCatalogue(): Promise<void> {
  if (opened !== "") {
    await readAll(opened);
  }
}

const cursorKey = (tiendaId: string) => `catalogo:${tiendaId}`;
const wholeKey = (tiendaId: string) => `catalogo-entero:${tiendaId}`;

/** Ask what changed since the last time, until there is no more. One tab at a time. Throws NoConnection. */
export async function syncCatalogue(): Promise<void> {
  const tiendaId = seat.value?.tienda.id;
  if (tiendaId === undefined || session.value !== "open") {
    return;
  }
  await navigator.locks.request(lockName(tiendaId), { ifAvailable: true }, async (lock) => {
    if (lock !== null && (await readChanges(tiendaId)) > 0) {
      tell("catalogo");
    }
  });
}

/** Page by page, each with its cursor in one transaction: whatever stops it, nothing is missed. Returns how many came. */
async function readChanges(tiendaId: string): Promise<number> {
  const db = await openDb();
  let since = ((await db.get("meta", cursorKey(tiendaId))) ?? "") as string;
  let heard = 0;
  for (;;) {
    const query = new URLSearchParams({ desde: since, limite: String(PAGE) });
    const reply = await api("GET", `productos?${query}`);
    if (reply.status !== 200 || seat.value?.tienda.id !== tiendaId) {
      return heard;
    }
    const page = reply.body as ApiPage;
    const products = page.results.map((product) => keptProduct(product, tiendaId));
    const tx = db.transaction(["productos", "meta"], "readwrite");
    for (const product of products) {
      void tx.objectStore("productos").put(product);
    }
    void tx.objectStore("meta").put(page.hasta, cursorKey(tiendaId));
    if (page.next === null) {
      void tx.objectStore("meta").put(true, wholeKey(tiendaId));
    }
    await tx.done;
    since = page.hasta;
    heard += products.length;
    if (products.length > 0) {
      putProducts(products);
      disponible.value = new Map([...disponible.value, ...products.map(stockOf)]);
    }
    if (page.next === null) {
      catalogueWhole.value ||= opened === tiendaId;
      return heard;
    }
  }
}

function stockOf(product: Producto): [string, Milli | null] {
  return [product.id, product.disponible];
}

/** Bring it up to date now and every minute; and as soon as there is a server, a session, another tienda, a refusal. */
export function keepCatalogueFresh(): void {
  const sync = () => {
    if (online.peek()) {
      syncCatalogue().catch((error: unknown) => {
        if (!(error instanceof NoConnection)) {
          throw error;
        }
      });
    }
  };
  window.setInterval(sync, EVERY_MS);
  const refusals = computed(() => `${refused.value?.codigo} ${toReview.value.length}`); // perhaps of a changed price
  const moment = computed(() => `${online.value} ${session.value} ${seat.value?.tienda.id} ${refusals.value}`);
  moment.subscribe(sync);
}
