/** The sender: one among all tabs, one sale at a time, oldest first, each under its own key. */

import type { KeptSale } from "./db";
import { api, codigoOf, mensajeOf, NoConnection, type Reply } from "./net";
import { alterSale, salesIn } from "./sales_db";
import { heedRefusal } from "./session";
import { online, session } from "./state";
import type { Rechazo, Sale } from "./types";
import { waitsForPerson } from "./whose";

const LOCK = "caja-outbox";
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;
/** No server asks for more: then the device's clock was changed since. */
const LONGEST_WAIT_MS = 3_600_000;
const PATIENCE = 5;
/** What the API refuses a sale with; anything else, and anything without its `codigo`, is no answer about the sale. */
const REFUSALS = [400, 404, 409, 422];
/** The session is known, but this person may not: the sale waits for one who may. */
const NOT_THIS_PERSON = ["rol_insuficiente", "sin_permiso", "sin_tienda"];

/** The API's body of a sale. */
export function bodyOf(sale: Sale): Record<string, unknown> {
  return {
    items: sale.lineas.map(({ producto_id, cantidad, precio }) => ({
      producto_id,
      cantidad: cantidad / 1_000,
      precio: precio / 100,
    })),
    ...(sale.pagos.length === 0
      ? { metodo_pago: "EFECTIVO" }
      : {
          pagos: sale.pagos.map(({ metodo, importe, recibido, referencia }) => ({
            metodo,
            importe: importe / 100,
            ...(recibido === null ? {} : { recibido: recibido / 100 }),
            ...(referencia === "" ? {} : { referencia }),
          })),
        }),
    vendida: new Date(sale.fecha).toISOString(),
  };
}

let asked = false;
let timer = 0;

/** Send what waits; at once, or after whoever is sending now. */
export function sendNow(): void {
  window.clearTimeout(timer);
  if (asked) {
    return;
  }
  asked = true;
  void navigator.locks.request(LOCK, async () => {
    asked = false;
    try {
      await drain();
    } catch (error) {
      timer = window.setTimeout(sendNow, LAST_PAUSE_MS);
      reportError(error);
    }
  });
}

/** Send one that waits without waiting for its turn: somebody asked for it. */
export async function resend(ventaId: string): Promise<void> {
  await alterSale(ventaId, ["GUARDADA"], () => ({ proximo: 0, intentos: 0 }));
  sendNow();
}

/** The sale whose turn it is: the oldest, but one that the server put off again and again lets the others pass. */
async function nextSale(): Promise<KeptSale | undefined> {
  const mine = (await salesIn("GUARDADA")).filter((sale) => !waitsForPerson(sale));
  return mine.find((sale) => sale.intentos < PATIENCE) ?? mine.find((sale) => sale.proximo <= Date.now()) ?? mine[0];
}

async function drain(): Promise<void> {
  while (online.value && session.value === "open") {
    const sale = await nextSale();
    if (sale === undefined) {
      return;
    }
    const wait = sale.proximo - Date.now();
    if (wait > 0 && wait <= LONGEST_WAIT_MS) {
      timer = window.setTimeout(sendNow, Math.min(wait, LAST_PAUSE_MS));
      return;
    }
    await sendOne(sale);
  }
}

async function sendOne(waiting: KeptSale): Promise<void> {
  const sale = await alterSale(waiting.id, ["GUARDADA"], ({ intentos }) => ({ intentos: intentos + 1 }));
  if (sale === null) {
    return; // another tab has dealt with it
  }
  try {
    const reply = await api("POST", "ventas/checkout", {
      body: bodyOf(sale),
      headers: { "Idempotency-Key": sale.id },
      place: { tienda_id: sale.tienda_id, terminal_id: sale.terminal_id },
    });
    await hearReply(sale, reply);
  } catch (error) {
    if (!(error instanceof NoConnection)) {
      throw error;
    }
    // Nobody knows whether it arrived: it is sent again, under the same key.
    await alterSale(sale.id, ["GUARDADA"], ({ intentos }) => ({ intentos: intentos - 1, sin_conexion: true }));
  }
}

async function hearReply(sale: KeptSale, reply: Reply): Promise<void> {
  const { status } = reply;
  if (status === 201 || status === 202) {
    const estado = status === 202 ? "POR_CONFIRMAR" : estadoOf(reply);
    await alterSale(sale.id, ["GUARDADA"], () => ({ estado, proximo: 0, rechazo: null }));
  } else if (status === 401 || (status === 403 && !NOT_THIS_PERSON.includes(codigoOf(reply.body)))) {
    heedRefusal(codigoOf(reply.body));
    await alterSale(sale.id, ["GUARDADA"], ({ intentos }) => ({ intentos: intentos - 1 }));
  } else if (codigoOf(reply.body) === "clave_reutilizada" && (await followEarlier(sale, reply))) {
    return;
  } else if (REFUSALS.includes(status) && codigoOf(reply.body) !== "") {
    await refuse(sale, reply);
  } else {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (sale.intentos - 1), LAST_PAUSE_MS);
    await alterSale(sale.id, ["GUARDADA"], () => ({ proximo: Date.now() + (reply.retryAfterMs ?? pause) }));
  }
}

/**
 * The key is another body's: an earlier copy of this sale arrived after all. What the server has is followed, and the
 * record keeps what it said. False where it has nothing.
 */
async function followEarlier(sale: KeptSale, reply: Reply): Promise<boolean> {
  const found = await api("GET", `ventas/${sale.id}`, { place: { tienda_id: sale.tienda_id } });
  if (found.status !== 200) {
    return false;
  }
  const rechazo = rechazoOf(reply);
  await alterSale(sale.id, ["GUARDADA"], () => ({ estado: "POR_CONFIRMAR", proximo: 0, rechazo }));
  return true;
}

function rechazoOf({ status, body }: Reply): Rechazo {
  const detalles = (body as { detalles?: unknown } | null)?.detalles ?? null;
  return { status, codigo: codigoOf(body), mensaje: mensajeOf(body), detalles };
}

function estadoOf(reply: Reply): "EN_COLA" | "PERSISTIDA" {
  const body = reply.body as { estado?: string } | null;
  return body?.estado === "PERSISTIDA" ? "PERSISTIDA" : "EN_COLA";
}

async function refuse(sale: KeptSale, reply: Reply): Promise<void> {
  const rechazo = rechazoOf(reply);
  await alterSale(sale.id, ["GUARDADA"], () => ({ estado: "POR_REVISAR", rechazo }));
}
