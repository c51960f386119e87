/** What a refusal asks of a person: one offer a product. */

import { removeLinea, setCantidad, setPrecio } from "./cart";
import { getProducto } from "./catalogue";
import { cart } from "./state";
import type { Cents, Linea, Milli, Rechazo, Unidad } from "./types";

export type Offer =
  | { readonly kind: "less"; productoId: string; nombre: string; unidad: Unidad; cantidad: Milli }
  | { readonly kind: "none" | "gone"; productoId: string; nombre: string }
  | { readonly kind: "price"; productoId: string; nombre: string; viejo: Cents; nuevo: Cents };

interface Detail {
  readonly producto_id?: string;
  readonly disponible?: number;
  readonly precio?: number;
  readonly precio_actual?: number;
}

function detailsOf(rechazo: Rechazo): Detail[] {
  return Array.isArray(rechazo.detalles) ? (rechazo.detalles as Detail[]) : [];
}

function named(productoId: string, lineas: readonly Linea[]): { nombre: string; unidad: Unidad } {
  const linea = lineas.find((each) => each.producto_id === productoId);
  const producto = getProducto(productoId);
  return { nombre: linea?.nombre ?? producto?.nombre ?? "", unidad: linea?.unidad ?? producto?.unidad ?? "UNIDAD" };
}

function offerOf(codigo: string, detail: Detail, lineas: readonly Linea[]): Offer | null {
  const productoId = detail.producto_id ?? "";
  const { nombre, unidad } = named(productoId, lineas);
  switch (codigo) {
    case "stock_insuficiente": {
      const left = Math.round((detail.disponible ?? 0) * 1_000);
      const cantidad = unidad === "UNIDAD" ? Math.floor(left / 1_000) * 1_000 : left;
      return cantidad > 0
        ? { kind: "less", productoId, nombre, unidad, cantidad }
        : { kind: "none", productoId, nombre };
    }
    case "precio_cambiado":
      return {
        kind: "price",
        productoId,
        nombre,
        viejo: Math.round((detail.precio ?? 0) * 100),
        nuevo: Math.round((detail.precio_actual ?? 0) * 100),
      };
    case "producto_no_existe":
      return { kind: "gone", productoId, nombre };
    default:
      return null;
  }
}

/** What can be offered, a product once; nothing where the server's own words have to do. */
export function offersOf(rechazo: Rechazo, lineas: readonly Linea[]): Offer[] {
  const offers = new Map<string, Offer>();
  for (const detail of detailsOf(rechazo)) {
    const offer = offerOf(rechazo.codigo, detail, lineas);
    if (offer !== null) {
      offers.set(offer.productoId, offer);
    }
  }
  return [...offers.values()];
}

/** Whether the cart still asks for what the offer answers. */
export function isOpen(offer: Offer): boolean {
  const lineas = (cart.value?.lineas ?? []).filter((linea) => linea.producto_id === offer.productoId);
  switch (offer.kind) {
    case "less":
      return lineas.reduce((sum, linea) => sum + linea.cantidad, 0) > offer.cantidad;
    case "price":
      return lineas.some((linea) => linea.precio !== offer.nuevo);
    default:
      return lineas.length > 0;
  }
}

/** Do what was offered, to the cart on the screen. */
export function acceptOffer(offer: Offer): void {
  if (offer.kind === "price") {
    setPrecio(offer.productoId, offer.nuevo);
    return;
  }
  let left = offer.kind === "less" ? offer.cantidad : 0;
  for (const linea of (cart.value?.lineas ?? []).filter((each) => each.producto_id === offer.productoId)) {
    const kept = Math.min(linea.cantidad, left);
    left -= kept;
    if (kept === 0) {
      removeLinea(linea.id);
    } else {
      setCantidad(linea.id, kept);
    }
  }
}
