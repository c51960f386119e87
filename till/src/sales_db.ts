/** This device's sales: each change is one conditional transaction, so that two tabs never both make it. */

import { putAside } from "./carts_db";
import { now } from "./clock";
import { isQuotaError, type KeptSale, openDb, tell } from "./db";
import { newVentaId } from "./ids";
import { sales, seat } from "./state";
import type { Cart, Estado, Sale } from "./types";

const MOST_SHOWN = 200;
const MOST_KEPT = 500;
const KEPT_MS = 7 * 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;
const KEPT_WHEN_FULL = 50;
const DONE: readonly Estado[] = ["PERSISTIDA", "ANULADA"];
const UNDONE: readonly Estado[] = ["GUARDADA", "EN_COLA", "POR_CONFIRMAR", "FALLIDA", "POR_REVISAR"];

/** Read the list again; and tell the other tabs where this one changed something. */
export async function refreshSales({ changed = true } = {}): Promise<void> {
  const tiendaId = seat.value?.tienda.id;
  sales.value = tiendaId === undefined ? [] : await newest(tiendaId);
  if (changed) {
    tell("ventas");
  }
}

/** The newest, and every one that somebody still waits for. */
async function newest(tiendaId: string): Promise<Sale[]> {
  const tx = (await openDb()).transaction("ventas");
  const range = IDBKeyRange.bound([tiendaId, 0], [tiendaId, Number.MAX_SAFE_INTEGER]);
  const found: Sale[] = [];
  let cursor = await tx.store.index("fecha").openCursor(range, "prev");
  while (cursor !== null && found.length < MOST_SHOWN) {
    found.push(cursor.value);
    cursor = await cursor.continue();
  }
  const shown = new Set(found.map((sale) => sale.id));
  for (const estado of UNDONE) {
    const waiting = await tx.store.index("estado").getAll(estado);
    found.push(...waiting.filter((sale) => sale.tienda_id === tiendaId && !shown.has(sale.id)));
  }
  return found.sort((one, other) => other.fecha - one.fecha);
}

export async function findSale(ventaId: string): Promise<KeptSale | undefined> {
  return await (await openDb()).get("ventas", ventaId);
}

/** All sales of one of these states, of every tienda, in the order in which they were made. */
export async function salesIn(estado: Estado): Promise<KeptSale[]> {
  const found = await (await openDb()).getAllFromIndex("ventas", "estado", estado);
  return found.sort((one, other) => one.fecha - other.fecha || (one.id < other.id ? -1 : 1));
}

/** Alter a sale that is in one of these states. Null where it is not, any more: nothing changes. */
export async function alterSale(
  ventaId: string,
  from: readonly Estado[],
  alter: (sale: KeptSale) => Partial<KeptSale>,
): Promise<KeptSale | null> {
  const altered = await withRoom(async () => {
    const tx = (await openDb()).transaction("ventas", "readwrite");
    const sale = await tx.store.get(ventaId);
    if (sale === undefined || !from.includes(sale.estado)) {
      await tx.done;
      return null;
    }
    const next = { ...sale, ...alter(sale) };
    await Promise.all([tx.store.put(next), tx.done]);
    return next;
  });
  if (altered !== null) {
    await refreshSales();
  }
  return altered;
}

/**
 * Turn a cart into a sale that waits: both in one transaction that is on the disk when this resolves.
 * Returns the sale that the device has: an earlier one where the cart was sold before, and then nothing changes.
 * Rejects with a QuotaExceededError.
 */
export async function writeTaken(sale: KeptSale, next: Cart): Promise<KeptSale> {
  const tx = (await openDb()).transaction(["carritos", "ventas"], "readwrite", { durability: "strict" });
  const earlier = await tx.objectStore("ventas").get(sale.id);
  if (earlier !== undefined) {
    await tx.done;
    return earlier;
  }
  await Promise.all([
    tx.objectStore("ventas").add(sale),
    tx.objectStore("carritos").delete(sale.id),
    tx.objectStore("carritos").put(next),
    tx.done,
  ]);
  return sale;
}

/**
 * A refused sale becomes a cart again, under the same id: a copy of its request that is late can then never sell it a
 * second time. Where its customer has left, the cart keeps the sale, to be reviewed again if it is not sold. Only a sale that was annulled gets a new one: its key never sells again. The cart it replaces is parked
 * if it has lines. Null where another tab was first.
 */
export async function writeReopened(
  ventaId: string,
  current: Cart,
  { tab, customerLeft }: { tab: string; customerLeft: boolean },
): Promise<Cart | null> {
  const tx = (await openDb()).transaction(["carritos", "ventas"], "readwrite", { durability: "strict" });
  const sale = await tx.objectStore("ventas").get(ventaId);
  if (sale === undefined || sale.estado !== "POR_REVISAR" || sale.tienda_id !== current.tienda_id) {
    await tx.done;
    return null;
  }
  const { tienda_id, lineas, pagos, rechazo } = sale;
  const id = rechazo?.codigo === "venta_anulada" ? newVentaId(now()) : sale.id;
  const plain: Cart = { id, tienda_id, tab, lineas, pagos, creada: now(), apartada: null, rechazo };
  const reopened = customerLeft ? { ...plain, origen: sale } : plain;
  const carts = tx.objectStore("carritos");
  const aside = { ...current, tab: null, apartada: now() };
  await Promise.all([
    tx.objectStore("ventas").delete(ventaId),
    current.lineas.length > 0 ? putAside(tx, aside) : carts.delete(current.id),
    carts.put(reopened),
    tx.done,
  ]);
  return reopened;
}

/** Forget sales that are written and old. `full`: keep few of them. */
export async function pruneSales({ full = false } = {}): Promise<void> {
  const keepMs = full ? DAY_MS : KEPT_MS;
  const most = full ? KEPT_WHEN_FULL : MOST_KEPT;
  const tx = (await openDb()).transaction("ventas", "readwrite");
  const done = (await tx.store.getAll()).filter((sale) => DONE.includes(sale.estado));
  done.sort((one, other) => other.fecha - one.fecha);
  for (const [place, sale] of done.entries()) {
    if (place >= most || sale.fecha < now() - keepMs) {
      await tx.store.delete(sale.id);
    }
  }
  await tx.done;
}

/** Do what writes; where the device is full, make room once and do it again. */
export async function withRoom<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!isQuotaError(error)) {
      throw error;
    }
    await pruneSales({ full: true });
    return await write();
  }
}
