/** What the till speaks of. Money is whole cents, quantities whole thousandths, tax rates hundredths of a percent. */

export type Cents = number;
export type Milli = number;
/** Milliseconds since 1970, by the device's clock. */
export type Moment = number;

export type Unidad = "UNIDAD" | "KG";
export type Metodo = "EFECTIVO" | "TARJETA" | "TRANSFERENCIA";
export type Rol = "cajero" | "encargado" | "administrador";

/** A product of the catalogue on the device. `plain` is what the search looks in: lower case, no accents. */
export interface Producto {
  readonly id: string;
  readonly sku: string;
  readonly codigo_barras: string;
  readonly nombre: string;
  readonly unidad: Unidad;
  readonly precio: Cents;
  readonly impuesto: number;
  readonly activo: boolean;
  /** As of the last time it was heard; null where it never was. */
  readonly disponible: Milli | null;
  readonly plain: string;
}

/** One line of a cart, or of a sale: what the customer was shown. */
export interface Linea {
  readonly id: string;
  readonly producto_id: string;
  readonly sku: string;
  readonly nombre: string;
  readonly unidad: Unidad;
  readonly precio: Cents;
  readonly impuesto: number;
  readonly cantidad: Milli;
}

/** A cart. Its id becomes the sale's `venta_id`, so that it can be sold once only. */
export interface Cart {
  readonly id: string;
  readonly tienda_id: string;
  /** The tab it belongs to; null while it is parked. */
  readonly tab: string | null;
  readonly lineas: readonly Linea[];
  readonly creada: Moment;
  readonly apartada: Moment | null;
  /** Set where the server refused it before: what it said. */
  readonly rechazo: Rechazo | null;
  /** How it was paid before it was refused. */
  readonly pagos?: readonly Pago[];
  /** The refused sale that it corrects, whose customer has left: it is to be reviewed again where the cart is not sold. */
  readonly origen?: Sale;
}

export interface Pago {
  readonly metodo: Metodo;
  readonly importe: Cents;
  /** EFECTIVO: what the customer gave. */
  readonly recibido: Cents | null;
  readonly referencia: string;
}

/**
 * GUARDADA: on this device, not answered yet. EN_COLA: promised (201). POR_CONFIRMAR: not known yet (202).
 * PERSISTIDA: written. FALLIDA: promised, and waits for a manager. POR_REVISAR: the server refused it; somebody here decides.
 * ANULADA: closed with a reason.
 */
export type Estado = "GUARDADA" | "EN_COLA" | "POR_CONFIRMAR" | "PERSISTIDA" | "FALLIDA" | "POR_REVISAR" | "ANULADA";

/** Why the server did not take a sale: the API's error, as it came. */
export interface Rechazo {
  readonly status: number;
  readonly codigo: string;
  readonly mensaje: string;
  readonly detalles: unknown;
}

/** A sale as this device knows it. `id` is its `venta_id`, its Idempotency-Key. */
export interface Sale {
  readonly id: string;
  readonly tienda_id: string;
  readonly terminal_id: string;
  readonly terminal_numero: number;
  readonly usuario_id: number;
  readonly usuario: string;
  /** When the customer bought. */
  readonly fecha: Moment;
  readonly lineas: readonly Linea[];
  readonly pagos: readonly Pago[];
  readonly total: Cents;
  readonly estado: Estado;
  readonly intentos: number;
  /** Not to be sent or asked for before. */
  readonly proximo: Moment;
  readonly rechazo: Rechazo | null;
  /** Its receipt number: once it is written. */
  readonly recibo: number | null;
  readonly impresa: boolean;
  /** Why it was closed: ANULADA. */
  readonly cierre: string | null;
  /** Sold while the server could not be reached. */
  readonly sin_conexion: boolean;
  /** The tab that sold it, and prints it. */
  readonly tab: string;
}

export interface Terminal {
  readonly id: string;
  readonly numero: number;
  readonly nombre: string;
}

export interface Tienda {
  readonly id: string;
  readonly nombre: string;
  readonly rol: Rol;
  readonly moneda: string;
  readonly zona_horaria: string;
  readonly configuracion_regional: string;
  readonly encabezado_recibo: string;
  readonly pie_recibo: string;
  readonly codigos_balanza: readonly string[];
  readonly terminales: readonly Terminal[];
}

export interface Usuario {
  readonly id: number;
  readonly nombre: string;
}

/** Who works at this till, where. Remembered on the device, so that it opens with the network off. */
export interface Seat {
  readonly usuario: Usuario;
  readonly tienda: Tienda;
  readonly terminal: Terminal;
}
