/** Follows each sale that the server has, until it is written: EN COLA and POR CONFIRMAR move on by themselves. */

import type { KeptSale } from "./db";
import { t } from "./i18n";
import { readableCode } from "./ids";
import { formatMoney } from "./money";
import { api, codigoOf, NoConnection, type Reply } from "./net";
import { getProducto } from "./products";
import { alterSale, salesIn } from "./sales_db";
import { sendNow } from "./sending";
import { heedRefusal } from "./session";
import { notice, online, session } from "./state";
import type { Estado, Linea, Metodo, Pago, Sale } from "./types";
import { mayAsk } from "./whose";

const LOCK = "caja-follow";
const PAUSES_MS = [300, 600, 1_000, 2_000, 4_000, 8_000, 10_000];
const FAILED_PAUSE_MS = 60_000;
const LAST_AGAIN_MS = 30_000;
const AT_ONCE = 4;
const FOLLOWED: readonly Estado[] = ["EN_COLA", "POR_CONFIRMAR", "FALLIDA"];

interface Clock {
  times: number;
  next: number;
}
const clocks = new Map<string, Clock>();
let timer = 0;
let asked = false;

/** Look now at what is due, in this tab or in the one that does it already. */
export function followSoon(): void {
  window.clearTimeout(timer);
  if (asked) {
    return;
  }
  asked = true;
  void navigator.locks.request(LOCK, async () => {
    asked = false;
    try {
      await round();
    } catch (error) {
      timer = window.setTimeout(followSoon, FAILED_PAUSE_MS);
      reportError(error);
    }
  });
}

function clockOf(sale: Sale): Clock {
  const known = clocks.get(sale.id);
  if (known !== undefined) {
    return known;
  }
  const made = { times: 0, next: Date.now() + (PAUSES_MS[0] ?? 0) };
  clocks.set(sale.id, made);
  return made;
}

function wind(sale: Sale, clock: Clock): void {
  clock.times += 1;
  const pause = PAUSES_MS[Math.min(clock.times, PAUSES_MS.length - 1)] ?? FAILED_PAUSE_MS;
  clock.next = Date.now() + (sale.estado === "FALLIDA" ? FAILED_PAUSE_MS : pause);
}

async function round(): Promise<void> {
  if (!online.value || session.value !== "open") {
    return;
  }
  const followed = (await Promise.all(FOLLOWED.map(salesIn))).flat().filter(mayAsk);
  const ids = new Set(followed.map((sale) => sale.id));
  for (const id of clocks.keys()) {
    if (!ids.has(id)) {
      clocks.delete(id);
    }
  }
  const due = followed.filter((sale) => clockOf(sale).next <= Date.now());
  for (let first = 0; first < due.length; first += AT_ONCE) {
    await Promise.all(due.slice(first, first + AT_ONCE).map(ask));
  }
  const next = Math.min(...[...clocks.values()].map((clock) => clock.next));
  if (Number.isFinite(next)) {
    timer = window.setTimeout(followSoon, Math.max(next - Date.now(), 50));
  }
}

async function ask(sale: KeptSale): Promise<void> {
  wind(sale, clockOf(sale));
  try {
    // Its terminal may be closed by now: the tienda says where to look.
    await hearReply(sale, await api("GET", `ventas/${sale.id}`, { place: { tienda_id: sale.tienda_id } }));
  } catch (error) {
    if (!(error instanceof NoConnection)) {
      throw error;
    }
  }
}

async function hearReply(sale: KeptSale, reply: Reply): Promise<void> {
  if (reply.status === 200) {
    await takeOver(sale, reply.body as WrittenSale);
  } else if (reply.status === 404 && codigoOf(reply.body) === "no_existe" && sale.estado !== "FALLIDA") {
    // It is nowhere: send it again, later each time. The same key never sells it twice.
    const pause = sale.intentos <= 1 ? 0 : Math.min(1_000 * 2 ** (sale.intentos - 1), LAST_AGAIN_MS);
    await alterSale(sale.id, [sale.estado], () => ({ estado: "GUARDADA", proximo: Date.now() + pause }));
    sendNow();
  } else if (reply.status === 401) {
    heedRefusal(codigoOf(reply.body));
  }
}

/** What the server says of a sale that it has. */
async function takeOver(sale: KeptSale, found: WrittenSale): Promise<void> {
  const promised = sale.estado === "FALLIDA" ? "EN_COLA" : sale.estado; // a manager tries it again
  const seen = found.estado === "RESERVADA" ? promised : (found.estado as Estado);
  if (seen === sale.estado && found.recibo === sale.recibo) {
    return;
  }
  const written = isAnothers(sale, seen) ? asWritten(sale, found) : {};
  const altered = await alterSale(sale.id, [sale.estado], () => ({ estado: seen, recibo: found.recibo, ...written }));
  if (altered !== null && altered.total !== sale.total) {
    const words = { codigo: readableCode(sale.id), total: formatMoney(altered.total) };
    notice.value = { text: t("serverHasOther", words) };
  }
}

/** The server refused this body, since it has an earlier copy of the sale: what is written is that copy. */
function isAnothers(sale: Sale, seen: Estado): boolean {
  return sale.rechazo?.codigo === "clave_reutilizada" && seen === "PERSISTIDA";
}

interface WrittenSale {
  readonly estado: string;
  readonly recibo: number | null;
  readonly total?: number;
  readonly pagos?: readonly { metodo: Metodo; importe: number; recibido: number | null; referencia: string }[];
  readonly detalles?: readonly {
    producto_id: string;
    cantidad: number;
    precio_unitario: number;
    impuesto: number;
  }[];
}

const cents = (amount: number): number => Math.round(amount * 100);

/** Lines, payments and total as the server has them. */
function asWritten(sale: Sale, written: WrittenSale): Partial<Sale> {
  const lineas = (written.detalles ?? []).map(({ producto_id, cantidad, precio_unitario, impuesto }, place): Linea => {
    const known = sale.lineas.find((linea) => linea.producto_id === producto_id) ?? getProducto(producto_id);
    const { sku = "", nombre = producto_id, unidad = "UNIDAD" } = known ?? {};
    const figures = {
      precio: cents(precio_unitario),
      impuesto: cents(impuesto),
      cantidad: Math.round(cantidad * 1_000),
    };
    return { id: `${sale.id}/${place}`, producto_id, sku, nombre, unidad, ...figures };
  });
  const pagos = (written.pagos ?? []).map(({ metodo, importe, recibido, referencia }): Pago => {
    return { metodo, importe: cents(importe), recibido: recibido === null ? null : cents(recibido), referencia };
  });
  return lineas.length === 0 ? {} : { lineas, pagos, total: cents(written.total ?? 0) };
}
