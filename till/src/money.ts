/** Amounts in whole cents, quantities in whole thousandths, rates in hundredths of a percent; and how people read them. */

import { seat } from "./state";
import type { Cents, Linea, Milli, Unidad } from "./types";

const THOUSAND = 1000;
const FULL_RATE = 10_000;

/** Cents of one line: quantity by price, rounded half up, once. */
export function lineAmount(cantidad: Milli, precio: Cents): Cents {
  return Number((BigInt(cantidad) * BigInt(precio) + 500n) / 1000n);
}

/** The tax that an amount includes, in cents, rounded half up. */
export function taxOf(importe: Cents, impuesto: number): Cents {
  const divisor = BigInt(FULL_RATE + impuesto);
  return Number((BigInt(importe) * BigInt(impuesto) * 2n + divisor) / (divisor * 2n));
}

export function importeOf(linea: Linea): Cents {
  return lineAmount(linea.cantidad, linea.precio);
}

export function cartTotal(lineas: readonly Linea[]): Cents {
  return lineas.reduce((sum, linea) => sum + importeOf(linea), 0);
}

/** Pieces count each; a line that was weighed counts as one. */
export function itemCount(lineas: readonly Linea[]): number {
  return lineas.reduce((sum, linea) => sum + (linea.unidad === "KG" ? 1 : linea.cantidad / THOUSAND), 0);
}

export interface TaxTotal {
  readonly tasa: number;
  readonly base: Cents;
  readonly impuesto: Cents;
}

/** What each rate comes to, highest first: of the rate's whole amount, so that it is rounded once. */
export function taxTotals(lineas: readonly Linea[]): TaxTotal[] {
  const amounts = new Map<number, Cents>();
  for (const linea of lineas) {
    amounts.set(linea.impuesto, (amounts.get(linea.impuesto) ?? 0) + importeOf(linea));
  }
  return [...amounts]
    .sort(([one], [other]) => other - one)
    .map(([tasa, importe]) => {
      const impuesto = taxOf(importe, tasa);
      return { tasa, base: importe - impuesto, impuesto };
    });
}

const TYPED = /^\d{0,12}(?:[.,]\d*)?$/;
const THOUSANDS = /^\d{1,3}([.,])\d{3}(?:\1\d{3})*$/;
const GROUPED = /^\d{1,3}(?:([.,])\d{3})+(?:(?!\1)[.,]\d*)?$/;

/**
 * What somebody typed, in whole units of 10^-places; null where it is no number or has more decimals than that.
 * Comma and point both part the decimals; thousands may be grouped where both are there ("1.234,50", "1,234.50"), and in
 * money three figures after a mark are thousands ("1,000").
 */
export function parseDecimal(text: string, places: number): number | null {
  const typed = text.trim();
  if (places < 3 && THOUSANDS.test(typed)) {
    return safely(Number(typed.replaceAll(/[.,]/g, "")) * 10 ** places);
  }
  const both = typed.includes(",") && typed.includes(".");
  if (!/\d/.test(typed) || !(both ? GROUPED : TYPED).test(typed)) {
    return null;
  }
  const mark = both ? Math.max(typed.lastIndexOf(","), typed.lastIndexOf(".")) : typed.search(/[.,]/);
  const whole = (mark < 0 ? typed : typed.slice(0, mark)).replace(/[.,]/g, "");
  const decimals = (mark < 0 ? "" : typed.slice(mark + 1)).replace(/0+$/, "");
  if (decimals.length > places) {
    return null;
  }
  return safely(Number(whole + decimals.padEnd(places, "0")));
}

function safely(value: number): number | null {
  return Number.isSafeInteger(value) ? value : null;
}

const formats = new Map<string, Intl.NumberFormat>();

function format(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const locale = seat.value?.tienda.configuracion_regional ?? "es-MX";
  const known = formats.get(locale + key);
  if (known !== undefined) {
    return known;
  }
  const made = new Intl.NumberFormat(locale, options);
  formats.set(locale + key, made);
  return made;
}

/** What parts the decimals in the tienda's way. */
export function decimalMark(): string {
  return formatMoney(0).charAt(1);
}

/** "1,250.50" in the tienda's way. */
export function formatMoney(cents: Cents): string {
  return format("money", { minimumFractionDigits: 2, maximumFractionDigits: 2, useGrouping: "always" }).format(
    cents / 100,
  );
}

/** With the tienda's currency: "$1,250.50". */
export function formatAmount(cents: Cents): string {
  const currency = seat.value?.tienda.moneda ?? "MXN";
  return format(currency, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    useGrouping: "always",
  }).format(cents / 100);
}

/** "3" of pieces, "1.500" of kilograms. */
export function formatQuantity(cantidad: Milli, unidad: Unidad): string {
  const places = unidad === "KG" ? 3 : 0;
  return format(`quantity${places}`, { minimumFractionDigits: places, maximumFractionDigits: 3 }).format(
    cantidad / THOUSAND,
  );
}

/** "3", "1.500 kg". */
export function formatMeasure(cantidad: Milli, unidad: Unidad): string {
  return formatQuantity(cantidad, unidad) + (unidad === "KG" ? " kg" : "");
}

/** "16" of 1600, "7.5" of 750. */
export function formatRate(tasa: number): string {
  return format("rate", { maximumFractionDigits: 2 }).format(tasa / 100);
}
