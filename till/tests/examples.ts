/** Things to test with. */

import type { Linea, Producto, Seat } from "../src/types";

export const LECHE: Producto = {
  id: "00000000-0000-7000-8000-000000000001",
  sku: "LECHE-1",
  codigo_barras: "7501055300075",
  nombre: "Leche entera 1 L",
  unidad: "UNIDAD",
  precio: 1_250,
  impuesto: 1_600,
  activo: true,
  disponible: 5_000,
  plain: "leche entera 1 l leche-1 7501055300075",
};

export const TOMATE: Producto = {
  id: "00000000-0000-7000-8000-000000000002",
  sku: "123",
  codigo_barras: "",
  nombre: "Tomate",
  unidad: "KG",
  precio: 320,
  impuesto: 0,
  activo: true,
  disponible: 80_000,
  plain: "tomate 123",
};

export function linea(some: Partial<Linea>): Linea {
  const { id: producto_id, sku, nombre, unidad, precio, impuesto } = LECHE;
  return { id: "l1", producto_id, sku, nombre, unidad, precio, impuesto, cantidad: 1_000, ...some };
}

export function seatIn(tiendaId: string, some: Partial<Seat["tienda"]> = {}): Seat {
  const terminal = { id: "t1", numero: 1, nombre: "Terminal 1" };
  return {
    usuario: { id: 3, nombre: "ana" },
    terminal,
    tienda: {
      id: tiendaId,
      nombre: "Centro",
      rol: "cajero",
      moneda: "MXN",
      zona_horaria: "America/Mexico_City",
      configuracion_regional: "es-MX",
      encabezado_recibo: "",
      pie_recibo: "",
      codigos_balanza: ["20IIIIIWWWWWC"],
      terminales: [terminal],
      ...some,
    },
  };
}
