/** A device for the tests: its disk outlives its tabs, and its clock runs fifty times as fast. */

import { IDBFactory } from "fake-indexeddb";
import { vi } from "vitest";
import type { Cart, Producto, Seat } from "../src/types";
import { mendDisk } from "./disk";
import { answer, emptyServer } from "./server_double";

const SPEED = 50;
const realNow = Date.now.bind(Date);
const realTimeout = globalThis.setTimeout.bind(globalThis);
const started = realNow();
const timers = new Set<ReturnType<typeof setTimeout>>();
const channels = new Set<BroadcastChannel>();
const errors: unknown[] = [];

class Locks {
  private readonly tails = new Map<string, Promise<unknown>>();
  private readonly names = new Set<string>();

  request(name: string, ...rest: unknown[]): Promise<unknown> {
    const work = rest.at(-1) as () => Promise<unknown>;
    const { signal } = (rest.length > 1 ? rest[0] : {}) as LockOptions;
    if (signal !== undefined && this.names.has(name)) {
      return Promise.reject(new DOMException("held", "AbortError")); // no need to wait for it
    }
    const turn = (this.tails.get(name) ?? Promise.resolve()).then(async () => {
      this.names.add(name);
      try {
        return await work();
      } finally {
        this.names.delete(name);
      }
    });
    this.tails.set(
      name,
      turn.catch(() => {}),
    );
    return turn;
  }

  async query() {
    return { held: [...this.names].map((name) => ({ name })) };
  }
}

class Store {
  private readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
}

function timeout(run: () => void, ms = 0): ReturnType<typeof setTimeout> {
  const timer = realTimeout(run, ms / SPEED);
  timers.add(timer);
  return timer;
}

const RealChannel = globalThis.BroadcastChannel;
class Channel extends RealChannel {
  constructor(name: string) {
    super(name);
    channels.add(this);
  }
}

/** A new device: an empty disk, an empty server. */
export function newDevice(): void {
  kill();
  emptyServer();
  errors.length = 0;
  vi.stubGlobal("indexedDB", new IDBFactory());
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("document", { cookie: "csrftoken=abc", addEventListener: () => {} });
  vi.stubGlobal("localStorage", new Store());
  vi.stubGlobal("sessionStorage", new Store());
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("reportError", (error: unknown) => void errors.push(error));
  vi.stubGlobal("fetch", answer);
  vi.stubGlobal("setTimeout", timeout);
  vi.stubGlobal("setInterval", () => 0);
  vi.stubGlobal("BroadcastChannel", Channel);
  vi.spyOn(Date, "now").mockImplementation(() => started + (realNow() - started) * SPEED);
}

/** Every tab ends at once: its timers, its locks, what it would have heard. The disk stays. */
export function kill(): void {
  for (const timer of timers) {
    clearTimeout(timer);
  }
  timers.clear();
  for (const channel of channels) {
    channel.close();
  }
  channels.clear();
  vi.stubGlobal("navigator", { language: "es-MX", locks: new Locks() });
  mendDisk();
}

export const SEAT: Seat = {
  usuario: { id: 3, nombre: "ana" },
  tienda: {
    id: "t1",
    nombre: "Centro",
    rol: "cajero",
    moneda: "MXN",
    zona_horaria: "America/Mexico_City",
    configuracion_regional: "es-MX",
    encabezado_recibo: "",
    pie_recibo: "",
    codigos_balanza: [],
    terminales: [{ id: "c1", numero: 1, nombre: "Caja 1" }],
  },
  terminal: { id: "c1", numero: 1, nombre: "Caja 1" },
};

export const LECHE: Producto = {
  id: "p1",
  sku: "LECHE",
  codigo_barras: "7501",
  nombre: "Leche",
  unidad: "UNIDAD",
  precio: 1250,
  impuesto: 1600,
  activo: true,
  disponible: null,
  plain: "leche",
};

/** A tab of its own: its own modules, the same disk. */
export async function newTab() {
  vi.resetModules();
  const state = await import("../src/state");
  state.seat.value = SEAT;
  state.session.value = "open";
  const carts = await import("../src/carts_db");
  await carts.nameTab();
  const cart = await import("../src/cart");
  const outbox = await import("../src/outbox");
  const sending = await import("../src/sending");
  const db = await import("../src/db");
  const sales = await import("../src/sales_db");
  await cart.openCart();
  return { state, cart, carts, outbox, sending, db, sales };
}
export type Tab = Awaited<ReturnType<typeof newTab>>;

/** Wait, at most two seconds, until this is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const last = realNow() + 2_000;
  while (!(await isSo())) {
    if (realNow() > last) {
      throw new Error(`it never was: ${isSo}; errors: ${errors.map(String)}`);
    }
    await pause(2);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => realTimeout(resolve, ms));
}

/** The cart of this tab, with something in it, on the disk. */
export async function fill(tab: Tab): Promise<Cart> {
  tab.cart.addProducto(LECHE, 2_000);
  await tab.cart.flush();
  const filled = tab.state.cart.value;
  if (filled === null) {
    throw new Error("no cart");
  }
  return filled;
}

export const CASH = [{ metodo: "EFECTIVO", importe: 2_500, recibido: 3_000, referencia: "" }] as const;
