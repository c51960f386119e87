/** Closing a sale that the server refused, for good: a supervisor's, with a reason that is kept. */

import { followSoon } from "./follow";
import { t } from "./i18n";
import { api, codigoOf, mensajeOf } from "./net";
import { alterSale, findSale } from "./sales_db";
import { bodyOf } from "./sending";
import { heedRefusal } from "./session";

export interface Supervisor {
  readonly usuario: string;
  readonly clave: string;
}

/** The sale was not closed; `field` is what to correct, where it is one. */
export class CloseRefused extends Error {
  constructor(
    message: string,
    readonly field: "razon" | "clave" | null = null,
  ) {
    super(message);
  }
}

/** Close a refused sale. Throws CloseRefused with a text for the form, NoConnection. */
export async function closeSale({
  ventaId,
  razon,
  supervisor,
}: {
  ventaId: string;
  razon: string;
  supervisor?: Supervisor;
}): Promise<void> {
  const sale = await findSale(ventaId);
  if (sale === undefined || sale.estado !== "POR_REVISAR" || sale.rechazo === null) {
    return; // another tab has dealt with it
  }
  const { codigo, mensaje } = sale.rechazo;
  const reply = await api("POST", `ventas/${ventaId}/cierre`, {
    body: { ...bodyOf(sale), rechazo: { codigo, mensaje }, razon, ...(supervisor === undefined ? {} : { supervisor }) },
    place: { tienda_id: sale.tienda_id }, // its terminal may be closed by now
  });
  const answer = codigoOf(reply.body);
  if (reply.status === 200) {
    const kept = (reply.body as { razon?: string } | null)?.razon ?? razon; // an earlier closing's, where there was one
    await alterSale(ventaId, ["POR_REVISAR"], () => ({ estado: "ANULADA", cierre: kept }));
  } else if (answer === "venta_existe") {
    await alterSale(ventaId, ["POR_REVISAR"], () => ({ estado: "POR_CONFIRMAR", rechazo: null }));
    followSoon();
  } else if (answer === "no_autenticado" || answer === "otra_persona") {
    heedRefusal(answer);
    throw new CloseRefused(mensajeOf(reply.body));
  } else if (answer === "credenciales_invalidas") {
    throw new CloseRefused(t("supervisorWrong"), "clave");
  } else if (answer === "rol_insuficiente") {
    throw new CloseRefused(t("supervisorNeeded"), "clave");
  } else if (answer === "cuenta_bloqueada") {
    throw new CloseRefused(t("signInLocked", { n: Math.ceil((reply.retryAfterMs ?? 900_000) / 60_000) }), "clave");
  } else {
    throw new CloseRefused(mensajeOf(reply.body) || t("signInUnavailable"));
  }
}
