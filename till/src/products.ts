/** The products in memory: found by code or by words, without waiting for anything. */

import { readScaleCode } from "./scale";
import { catalogueSize, catalogueVersion, seat } from "./state";
import type { Milli, Producto } from "./types";

const PIECE: Milli = 1_000;
const UPC_LENGTH = 12;

const byId = new Map<string, Producto>();
const byBarcode = new Map<string, Producto>();
const bySku = new Map<string, Producto>();
/** What is sold, by name. */
let searched: readonly Producto[] = [];

/** Lower case, without accents: what is searched, and what is searched for. */
export function plainText(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase();
}

/** Forget every product. */
export function clearProducts(): void {
  for (const map of [byId, byBarcode, bySku]) {
    map.clear();
  }
  searched = [];
  catalogueSize.value = null;
}

function forgetCodes({ id, codigo_barras, sku }: Producto): void {
  if (byBarcode.get(codigo_barras)?.id === id) {
    byBarcode.delete(codigo_barras);
  }
  if (bySku.get(sku.toLowerCase())?.id === id) {
    bySku.delete(sku.toLowerCase());
  }
}

function rememberCodes(product: Producto): void {
  bySku.set(product.sku.toLowerCase(), product);
  if (product.codigo_barras !== "") {
    byBarcode.set(product.codigo_barras, product);
  }
}

const byPlain = (one: Producto, other: Producto) => (one.plain < other.plain ? -1 : Number(one.plain > other.plain));

/** Two lists in order, as one in order. */
function merge(some: readonly Producto[], others: readonly Producto[]): Producto[] {
  const merged: Producto[] = [];
  let place = 0;
  for (const product of some) {
    for (let next = others[place]; next !== undefined && byPlain(next, product) < 0; next = others[place]) {
      merged.push(next);
      place += 1;
    }
    merged.push(product);
  }
  return merged.concat(others.slice(place));
}

/** Take products in, new or changed. One that is sold no more is known by its id alone: old carts name it. */
export function putProducts(products: readonly Producto[]): void {
  const latest = new Map(products.map((product) => [product.id, product]));
  for (const id of latest.keys()) {
    const before = byId.get(id);
    if (before !== undefined) {
      forgetCodes(before);
    }
  }
  const sold = [...latest.values()].filter((product) => product.activo).sort(byPlain);
  sold.forEach(rememberCodes);
  for (const [id, product] of latest) {
    byId.set(id, product);
  }
  searched = merge(
    searched.filter((product) => !latest.has(product.id)),
    sold,
  );
  catalogueSize.value = searched.length;
  catalogueVersion.value += 1;
}

/** A product by its id, also one that is sold no more. */
export function getProducto(id: string): Producto | undefined {
  return byId.get(id);
}

/** A UPC-A and the EAN-13 that is it with a 0 before are one code: some scanners send the one, some the other. */
function byAnyBarcode(code: string): Producto | undefined {
  const twin = code.length === UPC_LENGTH ? `0${code}` : code.length === UPC_LENGTH + 1 ? code.replace(/^0/, "") : "";
  return byBarcode.get(code) ?? byBarcode.get(twin);
}

/** The product of exactly this barcode, or of exactly this SKU. */
export function findByCode(code: string): Producto | null {
  const typed = code.trim();
  return byAnyBarcode(typed) ?? bySku.get(typed.toLowerCase()) ?? null;
}

export interface Scanned {
  readonly producto: Producto;
  /** What a scale has weighed; one piece otherwise. Null of a product that has to be weighed. */
  readonly cantidad: Milli | null;
}

/** What a scanned code is: an exact code first, then one that a scale printed. */
export function resolveScan(code: string): Scanned | null {
  const exact = findByCode(code);
  if (exact !== null) {
    return { producto: exact, cantidad: exact.unidad === "KG" ? null : PIECE };
  }
  const weighed = readScaleCode(code.trim(), seat.value?.tienda.codigos_balanza ?? []);
  if (weighed === null) {
    return null;
  }
  const item = weighed.item.replace(/^0+(?=\d)/, "");
  const producto =
    byBarcode.get(weighed.unweighed) ??
    byBarcode.get(weighed.prefixed) ??
    bySku.get(weighed.item) ??
    bySku.get(item) ??
    null;
  return producto?.unidad === "KG" ? { producto, cantidad: weighed.gramos } : null;
}

/** 0: it begins with all that is searched; 1: with the first word; 2: a word of it does; 3: it is in there somewhere. */
function rankOf(plain: string, at: number, whole: string, wordBegin: string): number {
  if (at === 0) {
    return plain.startsWith(whole) ? 0 : 1;
  }
  return plain.includes(wordBegin) ? 2 : 3;
}

/** The products in which every word occurs, the likeliest first; names in order among equals. */
export function search(text: string, most = 30): Producto[] {
  const whole = plainText(text).trim();
  const [first, ...others] = whole.split(/\s+/);
  if (first === undefined || first === "") {
    return [];
  }
  const exact = new Set([byAnyBarcode(whole), bySku.get(whole)].filter((product) => product !== undefined));
  const ranks: Producto[][] = [[], [], [], []];
  const wordBegin = ` ${first}`;
  for (const product of searched) {
    const at = product.plain.indexOf(first);
    if (at >= 0 && others.every((word) => product.plain.includes(word)) && !exact.has(product)) {
      const rank = ranks[rankOf(product.plain, at, whole, wordBegin)];
      if (rank !== undefined && rank.length < most) {
        rank.push(product);
      }
    }
  }
  return [...exact, ...ranks.flat()].slice(0, most);
}
