/** Carts on the device: written in order, without the screen waiting; one tab each, and none lost with its tab. */

import type { IDBPTransaction } from "idb";
import { now } from "./clock";
import { isQuotaError, openDb, type TillSchema, tell } from "./db";
import { newVentaId } from "./ids";
import { deviceFull } from "./state";
import type { Cart } from "./types";

const TAB = "caja.pestaña";
const COPY = "caja.carrito";
/** In the session's storage: codes that wait for the next cart, as box.ts keeps them. */
export const PENDING_SCANS = "caja.pendientes";
const NAME_WAIT_MS = 5_000;
const lockName = (tab: string) => `caja-tab:${tab}`;

let mine = "";
const unwritten = new Map<string, Cart>();
let writing: Promise<void> = Promise.resolve();

/** This tab's name; it holds a Web Lock of that name as long as it lives. Call once, before anything else here. */
export async function nameTab(): Promise<void> {
  const kept = sessionStorage.getItem(TAB);
  // A page that is loaded again waits for the one it replaces. A duplicated tab has brought the other's name and copy.
  if (kept !== null && (await holdName(kept))) {
    mine = kept;
  } else {
    mine = crypto.randomUUID();
    sessionStorage.setItem(TAB, mine);
    sessionStorage.removeItem(COPY);
    sessionStorage.removeItem(PENDING_SCANS);
    await holdName(mine);
  }
  names.addEventListener("message", ({ data }: MessageEvent<NameMessage>) => {
    if (data.ask === mine) {
      names.postMessage({ taken: mine } satisfies NameMessage);
    }
  });
}

type NameMessage = { ask?: string; taken?: string };
const names = new BroadcastChannel("caja-tabs");

/** Hold a tab's name until the tab ends. False where a living tab says that it is its own; one that ends says nothing. */
function holdName(tab: string): Promise<boolean> {
  const stop = new AbortController();
  const heard = ({ data }: MessageEvent<NameMessage>) => {
    if (data.taken === tab) {
      stop.abort();
    }
  };
  names.addEventListener("message", heard);
  names.postMessage({ ask: tab } satisfies NameMessage);
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(NAME_WAIT_MS)]);
  return new Promise<boolean>((answer) => {
    navigator.locks
      .request(lockName(tab), { signal }, () => {
        answer(true);
        return new Promise(() => {}); // for as long as the tab lives
      })
      .catch(() => answer(false));
  }).finally(() => names.removeEventListener("message", heard));
}

/** Copy the cart on the screen to where a reload finds it at once: a write to the disk may still be under way. */
export function copyShown(cart: Cart): void {
  try {
    sessionStorage.setItem(COPY, JSON.stringify(cart));
  } catch {
    // A copy is all that is lost: the cart is kept by keep(), which says where that fails.
  }
}

function shownCopy(tiendaId: string): Cart | null {
  const copy = sessionStorage.getItem(COPY);
  const cart = copy === null ? null : (JSON.parse(copy) as Cart);
  return cart?.tienda_id === tiendaId && cart.tab === mine && cart.lineas.length > 0 ? cart : null;
}

/** The page ends: its name is the next one's. */
export function leaveTab(): void {
  names.close();
}

export function thisTab(): string {
  return mine;
}

/** An empty cart of this tab. Its id becomes the sale's. */
export function freshCart(tiendaId: string): Cart {
  return {
    id: newVentaId(now()),
    tienda_id: tiendaId,
    tab: mine,
    lineas: [],
    creada: now(),
    apartada: null,
    rechazo: null,
  };
}

/** Write carts soon, those that are given together in one step; of several states of one cart the latest. */
export function keep(...carts: readonly Cart[]): void {
  for (const cart of carts) {
    unwritten.set(cart.id, cart);
  }
  // What cannot be written now is written with the next change; flush() says why it cannot.
  writing = writing.then(writeAll).catch(() => {});
}

/** Forget what is not written yet of this cart. */
export function drop(cartId: string): void {
  unwritten.delete(cartId);
}

/** Wait until everything is written. Rejects with the write's error; what could not be written is kept to try again. */
export async function flush(): Promise<void> {
  const written = writing.then(writeAll);
  writing = written.catch(() => {});
  await written;
}

async function writeAll(): Promise<void> {
  if (unwritten.size === 0) {
    return;
  }
  const carts = [...unwritten.values()];
  try {
    const tx = (await openDb()).transaction(["carritos", "ventas"], "readwrite");
    await Promise.all([...carts.map((cart) => writeOne(tx, cart)), tx.done]);
  } catch (error) {
    deviceFull.value ||= isQuotaError(error);
    throw error;
  }
  deviceFull.value = false;
  for (const cart of carts) {
    if (unwritten.get(cart.id) === cart) {
      unwritten.delete(cart.id);
    }
  }
  tell("carritos");
}

export type Writing = IDBPTransaction<TillSchema, ("carritos" | "ventas")[], "readwrite">;

/** A cart that was sold meanwhile must not come back. */
async function writeOne(tx: Writing, cart: Cart): Promise<void> {
  if ((await tx.objectStore("ventas").getKey(cart.id)) === undefined) {
    await (cart.apartada === null ? tx.objectStore("carritos").put(cart) : putAside(tx, cart));
  }
}

/** Keep a cart that leaves the screen: among the parked ones; one that corrects a sale is that sale again. */
export async function putAside(tx: Writing, cart: Cart): Promise<void> {
  if (cart.origen === undefined) {
    await tx.objectStore("carritos").put(cart);
  } else {
    await tx.objectStore("carritos").delete(cart.id);
    await tx.objectStore("ventas").put(cart.origen);
  }
}

/** Parked carts of a tienda, newest first. */
export async function parkedCarts(tiendaId: string): Promise<Cart[]> {
  const carts = await (await openDb()).getAllFromIndex("carritos", "tienda", tiendaId);
  return carts
    .filter((cart) => cart.apartada !== null)
    .sort((one, other) => (other.apartada ?? 0) - (one.apartada ?? 0) || (one.id < other.id ? 1 : -1));
}

/**
 * The cart that this tab goes on with: its own, else one whose tab has ended, else a new one. Further carts of tabs
 * that have ended are parked, so that somebody finds them. One transaction: no cart is taken up twice.
 */
export async function takeUpAtStart(tiendaId: string): Promise<Cart> {
  const { held = [] } = await navigator.locks.query();
  const living = new Set(held.map((lock) => lock.name));
  const tx = (await openDb()).transaction(["carritos", "ventas"], "readwrite");
  const carts = tx.objectStore("carritos");
  const known = await carts.index("tienda").getAll(tiendaId);
  const open = known.filter((cart) => cart.tab !== null);
  const copy = shownCopy(tiendaId);
  const other = known.some((cart) => cart.id === copy?.id && cart.tab !== mine); // parked, or another tab's by now
  const newer = copy !== null && !other && (await tx.objectStore("ventas").getKey(copy.id)) === undefined ? [copy] : [];
  const own = [...newer, ...open.filter((cart) => cart.tab === mine && cart.id !== newer[0]?.id)];
  const orphans = open.filter((cart) => cart.tab !== mine && !living.has(lockName(cart.tab ?? "")));
  const newestFirst = (one: Cart, other: Cart) => other.creada - one.creada;
  const [first, ...others] = [...own.sort(newestFirst), ...orphans.sort(newestFirst)].filter(
    (cart) => cart.lineas.length > 0,
  );
  const chosen = first === undefined ? freshCart(tiendaId) : { ...first, tab: mine };
  for (const cart of [...own, ...orphans]) {
    await carts.delete(cart.id);
  }
  for (const cart of others) {
    await putAside(tx, { ...cart, tab: null, apartada: cart.creada });
  }
  await carts.put(chosen);
  await tx.done;
  tell("carritos");
  return chosen;
}

/** Make a parked cart this tab's, one tab's only. Null where it is parked no longer: another tab was first. */
export async function claimParked(cartId: string): Promise<Cart | null> {
  const tx = (await openDb()).transaction("carritos", "readwrite");
  const found = await tx.store.get(cartId);
  const claimed = found === undefined || found.apartada === null ? null : { ...found, tab: mine, apartada: null };
  if (claimed !== null) {
    await tx.store.put(claimed);
  }
  await tx.done;
  return claimed;
}

/** Throw a parked cart away, unless a tab has taken it up. */
export async function removeParked(cartId: string): Promise<void> {
  const tx = (await openDb()).transaction("carritos", "readwrite");
  if (((await tx.store.get(cartId))?.apartada ?? null) !== null) {
    await tx.store.delete(cartId);
  }
  await tx.done;
  tell("carritos");
}
