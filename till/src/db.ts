/** What this device keeps: the catalogue, the carts, the sales. One IndexedDB database for all tabs. */

import { signal } from "@preact/signals";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Cart, Producto, Sale } from "./types";

export const DATABASE = "caja";
const VERSION = 1;

/** A product as it is kept: with its tienda, so that another tienda's catalogue never mixes in. */
export interface KeptProduct extends Producto {
  readonly tienda_id: string;
}

/** A sale as it is kept. */
export type KeptSale = Sale;

export interface TillSchema extends DBSchema {
  productos: { key: string; value: KeptProduct; indexes: { tienda: string } };
  meta: { key: string; value: unknown };
  carritos: { key: string; value: Cart; indexes: { tienda: string } };
  ventas: {
    key: string;
    value: KeptSale;
    indexes: { fecha: [string, number]; estado: string };
  };
}

export type TillDb = IDBPDatabase<TillSchema>;

export type ChannelMessage = { kind: "ventas" | "carritos" | "catalogo" | "sesion" };
/** Tells the other tabs what to read again. */
export const channel = new BroadcastChannel("caja");

export function tell(kind: ChannelMessage["kind"]): void {
  channel.postMessage({ kind } satisfies ChannelMessage);
}

/** Call `read` when another tab says that this changed. */
export function hear(kind: ChannelMessage["kind"], read: () => void): void {
  channel.addEventListener("message", (event: MessageEvent<ChannelMessage>) => {
    if (event.data.kind === kind) {
      read();
    }
  });
}

/** Another tab runs newer code: this one has let go of the database, and must be loaded again. */
export const outdated = signal(false);

let opened: Promise<TillDb> | null = null;

/** The database, opened once. Rejects where the browser keeps nothing (a private window, a broken profile). */
export function openDb(): Promise<TillDb> {
  opened ??= openNew().catch((error: unknown) => {
    opened = null; // the next use tries again
    outdated.value ||= error instanceof DOMException && error.name === "VersionError";
    throw error;
  });
  return opened;
}

async function openNew(): Promise<TillDb> {
  return await openDB<TillSchema>(DATABASE, VERSION, {
    upgrade(db) {
      db.createObjectStore("productos", { keyPath: "id" }).createIndex("tienda", "tienda_id");
      db.createObjectStore("meta");
      db.createObjectStore("carritos", { keyPath: "id" }).createIndex("tienda", "tienda_id");
      const ventas = db.createObjectStore("ventas", { keyPath: "id" });
      ventas.createIndex("fecha", ["tienda_id", "fecha"]);
      ventas.createIndex("estado", "estado");
    },
    // A tab with newer code wants to change the tables: this one lets go, and asks to be loaded again.
    blocking(_current, _wanted, event) {
      (event.target as IDBDatabase).close();
      opened = null;
      outdated.value = true;
    },
    terminated() {
      opened = null;
    },
  });
}

/** Close it, as a crash or a closed tab would. */
export async function closeDb(): Promise<void> {
  (await opened)?.close();
  opened = null;
}

/** Whether this error says that the device is full. */
export function isQuotaError(error: unknown): boolean {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}
