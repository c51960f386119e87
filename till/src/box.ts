/** The one box: what is typed or scanned, what it finds, and what Enter does with it. */

import { batch, computed, effect, signal } from "@preact/signals";
import { addProducto, setCantidad } from "./cart";
import { PENDING_SCANS } from "./carts_db";
import { resolveScan, search } from "./catalogue";
import { parseEntry } from "./entry";
import { BOX_ID } from "./focus";
import { t } from "./i18n";
import { readShortCode, shortCode } from "./ids";
import { refreshDisponible } from "./live";
import {
  cart,
  catalogueVersion,
  catalogueWhole,
  dialog,
  lastSale,
  notice,
  online,
  paying,
  sales,
  selected,
  session,
} from "./state";
import type { Milli, Producto } from "./types";

/** As many as the list shows at once: drawing more is what typing would wait for. */
const MOST_SHOWN = 10;
const PIECE: Milli = 1_000;

export const query = signal("");
export const active = signal(0);

/** What waits for a cart; `notFor`: the one that was being paid meanwhile, which is not their customer's. */
interface Pending {
  readonly codes: readonly string[];
  readonly notFor: string | null;
}

function keptPending(): Pending {
  try {
    return (
      (JSON.parse(globalThis.sessionStorage?.getItem(PENDING_SCANS) ?? "null") as Pending) ?? {
        codes: [],
        notFor: null,
      }
    );
  } catch {
    return { codes: [], notFor: null }; // written by somebody else
  }
}

/** Codes that were scanned in the middle of something else: they are the next cart's, after a reload as well. */
export const pendingScans = signal<readonly string[]>([]);
let notFor: string | null = null;

export const entry = computed(() => parseEntry(query.value));
export const results = computed<readonly Producto[]>(() => {
  void catalogueVersion.value; // what it finds changes with the catalogue
  return entry.value.resto.length < 2 ? [] : search(entry.value.resto, MOST_SHOWN);
});

export function type(text: string): void {
  batch(() => {
    query.value = text;
    active.value = 0;
    notice.value = null;
  });
}

export function moveActive(step: 1 | -1): void {
  active.value = Math.min(Math.max(active.value + step, 0), results.value.length - 1);
}

/** Put a product into the cart, as many as the box says; one that is weighed is asked for. */
export function choose(producto: Producto, weighed: Milli | null = null): void {
  const veces = entry.value.veces;
  query.value = "";
  if (producto.unidad === "KG" && weighed === null && veces === null) {
    dialog.value = { kind: "weigh", productoId: producto.id };
    return;
  }
  add(producto, producto.unidad === "KG" ? (weighed ?? veces ?? PIECE) : (veces ?? PIECE));
}

export function add(producto: Producto, cantidad: Milli): boolean {
  const added = addProducto(producto, cantidad);
  if (added) {
    lastSale.value = null;
    refreshDisponible([producto.id]);
  }
  return added;
}

/** A printed ticket's code: that sale. */
function openTicket(text: string): boolean {
  const code = readShortCode(text);
  const sale = code === null ? undefined : sales.value.find((each) => shortCode(each.id) === code);
  if (sale !== undefined) {
    dialog.value = { kind: "sale", ventaId: sale.id };
    query.value = "";
  }
  return sale !== undefined;
}

/** Enter in the box. False where there is nothing to do with it. */
export function enter(): boolean {
  const { veces, resto } = entry.value;
  if (resto === "") {
    return veces !== null && selected.value !== null && setSelected(veces);
  }
  const exact = resolveScan(resto);
  const chosen = exact?.producto ?? results.value[active.value];
  if (exact !== null && active.value === 0) {
    choose(exact.producto, exact.producto.unidad === "KG" ? exact.cantidad : null);
  } else if (chosen !== undefined) {
    choose(chosen);
  } else if (!openTicket(resto)) {
    notice.value = { text: t("notFound", { texto: resto }) };
    query.value = "";
  }
  return true;
}

function setSelected(cantidad: Milli): boolean {
  const done = setCantidad(selected.value ?? "", cantidad);
  query.value = done ? "" : query.value;
  return done;
}

/** Whether a scan has to wait: for the payment, for what stands over the screen, for somebody to sign in, for a cart. */
function isBusy(): boolean {
  return paying.value || dialog.value !== null || cart.value === null || !["open", "ended"].includes(session.value);
}

/** Whether a code that is not known may be soon: the catalogue is coming to this device for the first time. */
function mayCome(code: string): boolean {
  return !catalogueWhole.value && online.value && resolveScan(code) === null;
}

/**
 * Whether a code that is no product's is left to its field: one that asks for something else (a password that is typed
 * quickly), or the box where it holds more (a scanner that paused within the code).
 */
function isOfTheField(code: string): boolean {
  const field = document.activeElement;
  const { resto } = entry.value;
  const other = field instanceof HTMLInputElement && field.id !== BOX_ID;
  return other || (resto !== code && resto.endsWith(code));
}

/** Whether the field asks for an amount, a weight or a quantity: a code is none of these. */
function isFigure(): boolean {
  return document.activeElement instanceof HTMLInputElement && document.activeElement.dataset?.figure !== undefined;
}

/**
 * A scanner's code. Its letters have landed in the field that has the focus: they are taken out of it. False where it
 * is what that field asks for (a reference, a name) or more: its Enter is the field's as well.
 */
export function takeScan(code: string): boolean {
  const busy = isBusy();
  const known = resolveScan(code) !== null;
  const coming = mayCome(code);
  if (!known && isFigure() && !coming) {
    takeOut(code);
    notice.value = { text: t("codeUnknown", { codigo: code }) };
    return true;
  }
  if (!known && ((busy && !coming) || isOfTheField(code))) {
    return false;
  }
  takeOut(code);
  if (busy || coming) {
    notFor = paying.value ? (cart.value?.id ?? null) : notFor;
    pendingScans.value = [...pendingScans.value, code];
    notice.value = { text: busy ? t("scanKept", { n: pendingScans.value.length }) : t("scanComing") };
  } else {
    sell(code);
  }
  return true;
}

function takeOut(code: string): void {
  const field = document.activeElement;
  if (field instanceof HTMLInputElement && field.value.endsWith(code)) {
    field.value = field.value.slice(0, -code.length);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function sell(code: string): void {
  const found = resolveScan(code);
  if (found === null) {
    if (!openTicket(code)) {
      notice.value = { text: t("codeUnknown", { codigo: code }) };
      query.value = "";
    }
    return;
  }
  choose(found.producto, found.producto.unidad === "KG" ? found.cantidad : null);
}

/** What was scanned meanwhile goes into the next cart, while the change is still on the screen. */
export function watchPending(): void {
  const kept = keptPending();
  notFor = kept.notFor;
  pendingScans.value = kept.codes;
  effect(() =>
    sessionStorage.setItem(PENDING_SCANS, JSON.stringify({ codes: pendingScans.value, notFor } satisfies Pending)),
  );
  effect(() => {
    const id = cart.value?.id ?? null;
    void catalogueVersion.value;
    const [next] = pendingScans.value;
    if (next !== undefined && !isBusy() && !mayCome(next) && id !== null && id !== notFor) {
      queueMicrotask(sellPending);
    }
  });
  effect(() => refreshDisponible(results.value.map((producto) => producto.id)));
}

/** In turn; what has to be weighed stops it until it is. */
function sellPending(): void {
  const shown = lastSale.value;
  for (;;) {
    const [code, ...others] = pendingScans.value;
    if (code === undefined || isBusy() || mayCome(code)) {
      break;
    }
    pendingScans.value = others;
    sell(code);
  }
  lastSale.value = shown;
}
