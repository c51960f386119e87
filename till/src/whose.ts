/** Whose sales this person may send. */

import { person, seat } from "./state";
import type { Sale } from "./types";

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
