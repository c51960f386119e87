import { t } from "../../i18n";
import { readableCode } from "../../ids";
import { formatMoney, formatQuantity, importeOf } from "../../money";
import { canPrint, printReceipt } from "../../printing";
import { resend } from "../../sending";
import { dialog, sales } from "../../state";
import type { Estado, Pago, Sale } from "../../types";
import { waitsForPerson } from "../../whose";
import { Dialog } from "../Dialog";
import { formatMoment } from "../format";
import { MANNERS } from "../pay/fields";
import { Chip } from "./Chip";

const UNANSWERED: readonly Estado[] = ["GUARDADA", "POR_CONFIRMAR"];

function says(sale: Sale): string {
  if (sale.estado === "GUARDADA" && waitsForPerson(sale)) {
    return t("saysOther", { usuario: sale.usuario });
  }
  return t(`says${sale.estado}`);
}

export function SoldLines({ sale }: { sale: Sale }) {
  return (
    <table class="table">
      <tbody>
        {sale.lineas.map((linea) => (
          <tr key={linea.id}>
            <td class="figure">{formatQuantity(linea.cantidad, linea.unidad)}</td>
            <td>{linea.nombre}</td>
            <td class="figure">{formatMoney(linea.precio)}</td>
            <td class="figure">{formatMoney(importeOf(linea))}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" colSpan={3}>
            {t("total")}
          </th>
          <td class="figure">{formatMoney(sale.total)}</td>
        </tr>
      </tfoot>
    </table>
  );
}

/** How it was paid, a line each. */
export function Payments({ pagos }: { pagos: readonly Pago[] }) {
  return (
    <ul class="list">
      {pagos.map((pago, place) => (
        <li key={place} class="part">
          <span>
            {t(MANNERS[pago.metodo])} {pago.referencia}
            {pago.recibido !== null && pago.recibido !== pago.importe && (
              <span class="muted">
                {" "}
                {t("given")} {formatMoney(pago.recibido)} · {t("change")} {formatMoney(pago.recibido - pago.importe)}
              </span>
            )}
          </span>
          <span class="figure">{formatMoney(pago.importe)}</span>
        </li>
      ))}
    </ul>
  );
}

/** One sale: its lines, how it was paid, and what has become of it. */
export function SaleDialog({ ventaId }: { ventaId: string }) {
  const sale = sales.value.find((each) => each.id === ventaId);
  if (sale === undefined) {
    return null;
  }
  return (
    <Dialog title={t("saleTitle", { codigo: readableCode(sale.id) })} wide>
      <p>
        <Chip sale={sale} /> {formatMoment(sale.fecha)} · {sale.usuario}
        {sale.recibo === null ? "" : ` · ${t("receiptNumber", { numero: sale.recibo })}`}
      </p>
      <p>{says(sale)}</p>
      {sale.cierre !== null && <p>{t("closedBecause", { razon: sale.cierre })}</p>}
      <SoldLines sale={sale} />
      <Payments pagos={sale.pagos} />
      <div class="row">
        <button
          type="button"
          class="button button--accent"
          autofocus
          disabled={!canPrint(sale)}
          onClick={() => void printReceipt(sale)}
        >
          {t(sale.impresa ? "reprint" : "print")}
        </button>
        {sale.estado === "GUARDADA" && !waitsForPerson(sale) && (
          <button type="button" class="button" onClick={() => void resend(sale.id)}>
            {t("sendNow")}
          </button>
        )}
        {UNANSWERED.includes(sale.estado) && <p class="muted">{t("saysNoPrint")}</p>}
        {sale.estado === "POR_REVISAR" && (
          <button type="button" class="button" onClick={() => (dialog.value = { kind: "review", ventaId: sale.id })}>
            {t("reviewTitle")}
          </button>
        )}
      </div>
    </Dialog>
  );
}
