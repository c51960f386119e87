import { t } from "../../i18n";
import { readableCode } from "../../ids";
import { formatMoney } from "../../money";
import { changeOf, givenOf } from "../../payment";
import { canPrint, printReceipt } from "../../printing";
import { lastSale, sales } from "../../state";
import { Amount } from "../Amount";
import { Chip } from "../sales/Chip";

/** The change, until the next scan; and what has become of the sale. */
export function ChangePanel() {
  const sale = sales.value.find((each) => each.id === lastSale.value);
  if (sale === undefined) {
    return null;
  }
  const cash = sale.pagos.some((pago) => pago.recibido !== null);
  return (
    <section class="done" aria-label={t("sold")}>
      <p class="done__label">{t(cash ? "change" : "sold")}</p>
      <Amount text={formatMoney(cash ? changeOf(sale.pagos) : sale.total)} spoken />
      {cash && (
        <p class="muted figure">
          {t("total")} {formatMoney(sale.total)} · {t("given")} {formatMoney(givenOf(sale.pagos))}
        </p>
      )}
      <p class="done__state">
        <Chip sale={sale} /> <span class="figure">{readableCode(sale.id)}</span>
      </p>
      <div class="row">
        <button type="button" class="button" disabled={!canPrint(sale)} onClick={() => void printReceipt(sale)}>
          {t(sale.impresa ? "reprint" : "print")}
        </button>
        {!canPrint(sale) && (
          <p class="muted row__wide">{t(sale.estado === "POR_REVISAR" ? "saysPOR_REVISAR" : "saysNoPrint")}</p>
        )}
      </div>
      <p>{t("nextSale")}</p>
    </section>
  );
}
