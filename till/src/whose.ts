/** Whose sales this person may send. */

import { person, seat } from "./state";
import type { Sale } from "./types";

/** Whether this person may ask how a sale is: whoever has its tienda. */
export function mayAsk(sale: Sale): boolean {
  const open = seat.value;
  const tiendas = person.value?.tiendas ?? (open === null ? [] : [open.tienda]);
  return tiendas.some((tienda) => tienda.id === sale.tienda_id);
}

/** Whether a sale waits for somebody else to sign in: it is sent by who sold it, or by who may answer for them. */
export function waitsForPerson(sale: Sale): boolean {
  const open = seat.value;
  if (open === null) {
    return true;
  }
  const tiendas = person.value?.tiendas ?? [open.tienda];
  const rol = tiendas.find((tienda) => tienda.id === sale.tienda_id)?.rol;
  return rol === undefined || (rol === "cajero" && sale.usuario_id !== open.usuario.id);
}
