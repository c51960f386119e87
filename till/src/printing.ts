/** Receipts: printed only after the server's answer. */

import { effect, signal } from "@preact/signals";
import { thisTab } from "./carts_db";
import { now } from "./clock";
import { alterSale } from "./sales_db";
import { lastSale, sales } from "./state";
import type { Estado, Sale } from "./types";

const AUTO = "caja.imprimir";
/** How long after it was paid a receipt still comes by itself. */
const SOON_MS = 60_000;
const PRINTABLE: readonly Estado[] = ["EN_COLA", "PERSISTIDA"];

export const autoPrint = signal(globalThis.localStorage?.getItem(AUTO) !== "no");
/** What stands on the paper; rendered into #ticket. */
export const ticket = signal<{ sale: Sale; copy: boolean } | null>(null);

export function setAutoPrint(wanted: boolean): void {
  autoPrint.value = wanted;
  localStorage.setItem(AUTO, wanted ? "si" : "no");
}

/** Whether the server has promised or written it. */
export function canPrint(sale: Sale): boolean {
  return PRINTABLE.includes(sale.estado);
}

/** Print a sale; a copy says so. Nothing where the server has not answered yet. */
export async function printReceipt(sale: Sale): Promise<void> {
  if (!canPrint(sale)) {
    return;
  }
  ticket.value = { sale, copy: sale.impresa };
  await alterSale(sale.id, PRINTABLE, () => ({ impresa: true }));
  await new Promise((resolve) => window.setTimeout(resolve, 0)); // rendered
  window.print();
}

/** Reprint the newest sale that can be. */
export async function reprintLast(): Promise<void> {
  const last = sales.value.find(canPrint);
  if (last !== undefined) {
    await printReceipt(last);
  }
}

/**
 * Whether a sale is printed by itself: one that this tab has just sold, also where the next customer's product was quicker
 * than the server. Not where the server has another copy of it: somebody looks at that first.
 */
function isToPrint(sale: Sale): boolean {
  const recent = !sale.sin_conexion && now() - sale.fecha < SOON_MS;
  const asSold = sale.rechazo?.codigo !== "clave_reutilizada";
  return sale.tab === thisTab() && asSold && canPrint(sale) && !sale.impresa && (recent || sale.id === lastSale.value);
}

/** Print each sale of this tab by itself, once the server has answered it; one after another. */
export function watchPrinting(): void {
  const taken = new Set<string>();
  let printing: Promise<void> = Promise.resolve();
  effect(() => {
    for (const sale of autoPrint.value ? sales.value.filter(isToPrint).reverse() : []) {
      if (!taken.has(sale.id)) {
        taken.add(sale.id);
        printing = printing.then(() => printReceipt(sale));
      }
    }
  });
}
