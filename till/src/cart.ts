/** The cart on the screen. Every change is kept on the device. */

import { batch } from "@preact/signals";
import { copyShown, drop, flush, freshCart, keep, takeUpAtStart } from "./carts_db";
import { isQuotaError } from "./db";
import { MOST_UNITS } from "./entry";
import { t } from "./i18n";
import { formatQuantity } from "./money";
import { refreshSales } from "./sales_db";
import { cart, notice, paying, refused, seat, selected } from "./state";
import type { Cart, Cents, Linea, Milli, Producto } from "./types";

export { flush, freshCart } from "./carts_db";

const MOST_LINES = 200;
const PIECE = 1_000;

interface Removed {
  readonly cartId: string;
  readonly lineas: readonly Linea[];
  readonly place: number;
}
const removed: Removed[] = [];

/** Put a cart on the screen; whoever calls has written it. */
export function adopt(next: Cart): void {
  copyShown(next);
  batch(() => {
    paying.value &&= cart.value?.id === next.id; // what was typed is another cart's payment
    cart.value = next;
    selected.value = next.lineas.at(-1)?.id ?? null;
    refused.value = next.rechazo;
    removed.length = 0;
  });
}

let opening: Promise<void> = Promise.resolve();

/** At the start, and after the tienda changed: go on where this tab was. Called twice, it opens one cart. */
export function openCart(): Promise<void> {
  const opened = opening.then(async () => {
    const tiendaId = seat.value?.tienda.id;
    if (tiendaId !== undefined && cart.value?.tienda_id !== tiendaId) {
      adopt(await takeUpAtStart(tiendaId));
    }
  });
  opening = opened.catch(() => {});
  return opened;
}

/** A correction that nothing is left of: its sale is to be reviewed again, and a new cart begins. */
function giveUpCorrection(now: Cart): void {
  const next = freshCart(now.tienda_id);
  adopt(next);
  keep({ ...now, tab: null, apartada: next.creada }, next);
  notice.value = { text: t("reviewAgain") };
  flush()
    .then(() => refreshSales())
    .catch((error: unknown) => {
      if (!isQuotaError(error)) {
        reportError(error); // of a full device the bar tells already; the next change writes it
      }
    });
}

function change(lineas: readonly Linea[]): void {
  const now = cart.value;
  if (now !== null) {
    const next = { ...now, lineas };
    cart.value = next;
    copyShown(next);
    keep(next);
  }
}

/** Whether a product can be sold in this quantity; says why not. */
function isSellable(unidad: Linea["unidad"], cantidad: Milli): boolean {
  if (!(cantidad > 0 && cantidad <= MOST_UNITS)) {
    notice.value = {
      text: t("quantityBounds", { desde: formatQuantity(1, "KG"), hasta: formatQuantity(MOST_UNITS, "UNIDAD") }),
    };
    return false;
  }
  if (unidad === "UNIDAD" && cantidad % PIECE !== 0) {
    notice.value = { text: t("wholePieces") };
    return false;
  }
  return true;
}

/** Add a product: pieces join the line of the same product and price, what was weighed stays a line of its own. */
export function addProducto(producto: Producto, cantidad: Milli): boolean {
  const now = cart.value;
  if (now === null || !isSellable(producto.unidad, cantidad)) {
    return false;
  }
  const same = now.lineas.find(
    (linea) => linea.producto_id === producto.id && linea.precio === producto.precio && producto.unidad === "UNIDAD",
  );
  if (same !== undefined) {
    return setCantidad(same.id, same.cantidad + cantidad);
  }
  if (now.lineas.length >= MOST_LINES) {
    notice.value = { text: t("cartFull", { n: MOST_LINES }) };
    return false;
  }
  const { id: producto_id, sku, nombre, unidad, precio, impuesto } = producto;
  const linea: Linea = { id: crypto.randomUUID(), producto_id, sku, nombre, unidad, precio, impuesto, cantidad };
  batch(() => {
    change([...now.lineas, linea]);
    selected.value = linea.id;
    notice.value = null;
  });
  return true;
}

/** Set a line's quantity; nothing of it removes the line. */
export function setCantidad(lineaId: string, cantidad: Milli): boolean {
  const now = cart.value;
  const linea = now?.lineas.find((each) => each.id === lineaId);
  if (now === null || linea === undefined) {
    return false;
  }
  if (cantidad === 0) {
    removeLinea(lineaId);
    return true;
  }
  if (!isSellable(linea.unidad, cantidad)) {
    return false;
  }
  batch(() => {
    change(now.lineas.map((each) => (each.id === lineaId ? { ...each, cantidad } : each)));
    selected.value = lineaId;
    notice.value = null;
  });
  return true;
}

/** Take a line out; the notice offers to bring it back. */
export function removeLinea(lineaId: string): void {
  const now = cart.value;
  const place = now?.lineas.findIndex((each) => each.id === lineaId) ?? -1;
  const linea = now?.lineas[place];
  if (now === null || linea === undefined) {
    return;
  }
  const rest = now.lineas.filter((each) => each.id !== lineaId);
  if (rest.length === 0 && now.origen !== undefined) {
    giveUpCorrection(now);
    return;
  }
  removed.push({ cartId: now.id, lineas: [linea], place });
  batch(() => {
    change(rest);
    selected.value = (rest[place] ?? rest.at(-1))?.id ?? null;
    notice.value = { text: t("lineRemoved", { nombre: linea.nombre }), undo: undoRemove };
  });
}

/** Bring back what was removed last; again, what was removed before that. What came meanwhile stays. */
export function undoRemove(): void {
  const last = removed.pop();
  const now = cart.value;
  if (last === undefined || now === null || last.cartId !== now.id) {
    return;
  }
  batch(() => {
    change([...now.lineas.slice(0, last.place), ...last.lineas, ...now.lineas.slice(last.place)].slice(0, MOST_LINES));
    selected.value = last.lineas.at(-1)?.id ?? null;
    notice.value = null;
  });
}

export function selectLinea(lineaId: string | null): void {
  selected.value = lineaId;
}

/** Move the selection up (-1) or down (1). */
export function moveSelection(step: 1 | -1): void {
  const lineas = cart.value?.lineas ?? [];
  const place = lineas.findIndex((linea) => linea.id === selected.value);
  const next = place < 0 ? lineas.length - 1 : Math.min(Math.max(place + step, 0), lineas.length - 1);
  selected.value = lineas[next]?.id ?? null;
}

/** Empty the cart; every line can be brought back. */
export function clearCart(): void {
  const now = cart.value;
  if (now === null || now.lineas.length === 0) {
    return;
  }
  if (now.origen !== undefined) {
    giveUpCorrection(now);
    return;
  }
  const next = now.rechazo === null ? now : freshCart(now.tienda_id); // its code was shown: it is no other sale's
  batch(() => {
    change([]);
    if (next !== now) {
      adopt(next);
    }
    removed.push({ cartId: next.id, lineas: now.lineas, place: 0 });
    selected.value = null;
    refused.value = null;
    notice.value = { text: t("cartCleared"), undo: undoRemove };
  });
}

/** A product's price as it is now, on each of its lines. */
export function setPrecio(productoId: string, precio: Cents): void {
  change((cart.value?.lineas ?? []).map((linea) => (linea.producto_id === productoId ? { ...linea, precio } : linea)));
}

/** What the server refused has been seen to. */
export function forgetRefusal(): void {
  const now = cart.value;
  refused.value = null;
  if (now !== null && now.rechazo !== null) {
    const next = { ...now, rechazo: null };
    cart.value = next;
    copyShown(next);
    keep(next);
  }
}

/** The cart was sold or closed: nothing of it is written any more. */
export function forget(cartId: string): void {
  drop(cartId);
}

/** A new, empty cart for this tienda, not written yet. */
export function newCart(): Cart {
  return freshCart(seat.value?.tienda.id ?? "");
}
