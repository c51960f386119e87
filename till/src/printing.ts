/** Receipts: printed only after the server's answer. */

import { effect, signal } from "@preact/signals";
import { alterSale } from "./sales_db";
import { lastSale, sales } from "./state";
import type { Estado, Sale } from "./types";

const AUTO = "caja.imprimir";
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

/** Print each sale of this tab by itself, once the server has answered it. */
export function watchPrinting(): void {
  let printed = "";
  effect(() => {
    const last = sales.value.find((sale) => sale.id === lastSale.value);
    if (autoPrint.value && last !== undefined && canPrint(last) && !last.impresa && printed !== last.id) {
      printed = last.id;
      void printReceipt(last);
    }
  });
}
