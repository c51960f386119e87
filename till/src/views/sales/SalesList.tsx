import { t } from "../../i18n";
import { shortCode } from "../../ids";
import { formatMoney } from "../../money";
import { dialog, sales } from "../../state";
import type { Sale } from "../../types";
import { Dialog } from "../Dialog";
import { formatTime } from "../format";
import { Chip } from "./Chip";

const SHOWN = 30;

function open(sale: Sale): void {
  dialog.value =
    sale.estado === "POR_REVISAR" ? { kind: "review", ventaId: sale.id } : { kind: "sale", ventaId: sale.id };
}

function walk(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step !== 0) {
    const button = event.currentTarget as HTMLElement;
    const buttons = [...(button.closest("ul")?.querySelectorAll<HTMLElement>("button") ?? [])];
    const here = buttons.indexOf(button);
    buttons[here + step]?.focus();
    event.preventDefault();
  }
}

function Rows() {
  return sales.value.length === 0 ? (
    <p class="muted">{t("salesNone")}</p>
  ) : (
    <ul class="list">
      {sales.value.slice(0, SHOWN).map((sale) => (
        <li key={sale.id}>
          <button type="button" class="sale" onClick={() => open(sale)} onKeyDown={walk}>
            <span class="figure">{formatTime(sale.fecha)}</span>
            <span class="figure">{shortCode(sale.id).slice(0, 4)}</span>
            <span class="sale__total figure">{formatMoney(sale.total)}</span>
            <Chip sale={sale} />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What was sold here last, with what has become of each. */
export function SalesList() {
  return (
    <section class="sales" aria-labelledby="sales-heading">
      <h2 id="sales-heading">
        {t("lastSales")} <kbd>F9</kbd>
      </h2>
      <Rows />
    </section>
  );
}

/** The same, where the screen is too narrow to show it beside the cart. */
export function SalesDialog() {
  return (
    <Dialog title={t("lastSales")}>
      <Rows />
    </Dialog>
  );
}
