/** Everything on the screen follows from these signals. Each has one module that writes it, named beside it. */

import { computed, signal } from "@preact/signals";
import type { Cart, Milli, Rechazo, Sale, Seat, Tienda, Usuario } from "./types";

/** net.ts: whether the server answered the last time. */
export const online = signal(true);

/** session.ts. "starting" until it is known; "ended": signed in here, but the server no longer knows it. */
export type SessionState = "starting" | "signed-out" | "choosing" | "open" | "ended";
export const session = signal<SessionState>("starting");
/** session.ts: kept while the session is "ended", so that selling goes on. */
export const seat = signal<Seat | null>(null);
/** session.ts: who signed in and where they may work, while they choose. */
export const person = signal<{ usuario: Usuario; tiendas: readonly Tienda[] } | null>(null);

/** catalogue.ts: how many products are on the device; null while it loads. Grows on each sync. */
export const catalogueSize = signal<number | null>(null);
export const catalogueVersion = signal(0);
/** catalogue.ts: whether all of it has been on the device once; what it does not know until then may be on its way. */
export const catalogueWhole = signal(false);
/** live.ts: what can be sold now, by product, newest known. */
export const disponible = signal<ReadonlyMap<string, Milli | null>>(new Map());

/** cart.ts */
export const cart = signal<Cart | null>(null);
export const selected = signal<string | null>(null);
/** parked.ts: newest first. */
export const parked = signal<readonly Cart[]>([]);

/** outbox.ts: this device's sales of this tienda, newest first, at most 200; read again after each change in any tab. */
export const sales = signal<readonly Sale[]>([]);
/** outbox.ts: the sale that was just paid, while its change is on the screen; the next scan clears it. */
export const lastSale = signal<string | null>(null);
/** outbox.ts: a sale that the server refused while its customer is still here; its cart is open again. */
export const refused = signal<Rechazo | null>(null);
/** outbox.ts, carts_db.ts: the device could not keep the last sale, or what is in the cart. */
export const deviceFull = signal(false);

/** What stands over the screen; whoever opens it. */
export type Dialog =
  | { kind: "help" }
  | { kind: "parked" }
  | { kind: "camera" }
  | { kind: "sales" }
  | { kind: "settings" }
  | { kind: "weigh"; productoId: string }
  | { kind: "quantity"; lineaId: string }
  | { kind: "review"; ventaId: string }
  | { kind: "sale"; ventaId: string };
export const dialog = signal<Dialog | null>(null);

/** payment.ts: whether a payment is under way. */
export const paying = signal(false);

/** A short line that says what just happened, for eyes and for screen readers; cleared by whoever comes next. */
export const notice = signal<{ text: string; undo?: () => void } | null>(null);

/** What can be sold now less what waits here to be sent: the server does not know of that yet. */
export const remaining = computed<ReadonlyMap<string, Milli | null>>(() => {
  const found = new Map(disponible.value);
  for (const linea of waiting.value.flatMap((sale) => sale.lineas)) {
    const there = found.get(linea.producto_id) ?? null;
    found.set(linea.producto_id, there === null ? null : there - linea.cantidad);
  }
  return found;
});

export const waiting = computed(() => sales.value.filter((sale) => sale.estado === "GUARDADA"));
export const toReview = computed(() => sales.value.filter((sale) => sale.estado === "POR_REVISAR"));
