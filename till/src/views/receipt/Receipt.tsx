import { bars } from "../../code128";
import { t } from "../../i18n";
import { readableCode, shortCode } from "../../ids";
import { formatMoney, formatQuantity, formatRate, importeOf, taxTotals } from "../../money";
import { changeOf, givenOf } from "../../payment";
import { ticket } from "../../printing";
import { seat } from "../../state";
import type { Linea, Sale } from "../../types";
import { formatMoment } from "../format";
import { MANNERS } from "../pay/fields";

const QUIET = 10;
/** Four dots of a printer of 203 a inch, so that each bar is as wide as it should be. */
const MODULE_MM = 0.5;
const HEIGHT = 60;

/** A code as bars, with its quiet zones. */
export function Barcode({ text }: { text: string }) {
  const widths = bars(text);
  const total = widths.reduce((sum, width) => sum + width, 2 * QUIET);
  let at = QUIET;
  const drawn = widths.map((width, place) => {
    const x = at;
    at += width;
    return place % 2 === 0 ? <rect key={x} x={x} y={0} width={width} height={HEIGHT} /> : null;
  });
  return (
    <svg
      class="ticket__bars"
      style={{ width: `${total * MODULE_MM}mm` }}
      viewBox={`0 0 ${total} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={text}
    >
      {drawn}
    </svg>
  );
}

function Row({ name, amount, strong = false }: { name: string; amount: string; strong?: boolean }) {
  return (
    <p class={strong ? "ticket__row ticket__row--strong" : "ticket__row"}>
      <span>{name}</span>
      <span>{amount}</span>
    </p>
  );
}

function Sold({ linea }: { linea: Linea }) {
  const unit = linea.unidad === "KG" ? " kg" : "";
  return (
    <>
      <p>{linea.nombre}</p>
      <Row
        name={`  ${formatQuantity(linea.cantidad, linea.unidad)}${unit} × ${formatMoney(linea.precio)}`}
        amount={formatMoney(importeOf(linea))}
      />
    </>
  );
}

function Payments({ sale }: { sale: Sale }) {
  const change = changeOf(sale.pagos);
  return (
    <>
      {sale.pagos.map((pago, place) => (
        <Row
          key={place}
          name={[t(MANNERS[pago.metodo]), pago.referencia].filter(Boolean).join(" ")}
          amount={formatMoney(pago.importe)}
        />
      ))}
      {change > 0 && (
        <>
          <Row name={t("given")} amount={formatMoney(givenOf(sale.pagos))} />
          <Row name={t("change")} amount={formatMoney(change)} />
        </>
      )}
    </>
  );
}

/** 72 mm of paper. */
export function Receipt() {
  const printed = ticket.value;
  const tienda = seat.value?.tienda;
  if (printed === null || tienda === undefined) {
    return null;
  }
  const { sale, copy } = printed;
  return (
    <article class="ticket">
      {copy && <p class="ticket__copy">{t("ticketCopy")}</p>}
      <p class="ticket__name">{tienda.nombre}</p>
      <p class="ticket__lines">{tienda.encabezado_recibo}</p>
      <Row name={formatMoment(sale.fecha)} amount={`${t("ticketTill")} ${sale.terminal_numero}`} />
      <Row name={t("ticketCashier")} amount={sale.usuario} />
      {sale.recibo !== null && <Row name={t("receiptNumber", { numero: "" })} amount={String(sale.recibo)} />}
      <hr />
      {sale.lineas.map((linea) => (
        <Sold key={linea.id} linea={linea} />
      ))}
      <hr />
      <Row name={`${t("total")} ${tienda.moneda}`} amount={formatMoney(sale.total)} strong />
      {taxTotals(sale.lineas).map(({ tasa, base, impuesto }) => (
        <Row
          key={tasa}
          name={t("ticketTax", { tasa: formatRate(tasa), base: formatMoney(base) })}
          amount={formatMoney(impuesto)}
        />
      ))}
      <hr />
      <Payments sale={sale} />
      <hr />
      <Barcode text={shortCode(sale.id)} />
      <p class="ticket__code">{readableCode(sale.id)}</p>
      <p class="ticket__lines">{tienda.pie_recibo}</p>
    </article>
  );
}
