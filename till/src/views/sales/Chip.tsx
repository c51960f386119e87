import { t } from "../../i18n";
import type { Estado, Sale } from "../../types";

const SIGNS: Record<Estado, string> = {
  GUARDADA: "⌂",
  EN_COLA: "◌",
  POR_CONFIRMAR: "?",
  PERSISTIDA: "✓",
  FALLIDA: "!",
  POR_REVISAR: "!",
  ANULADA: "–",
};
const KINDS: Record<Estado, string> = {
  GUARDADA: "wait",
  EN_COLA: "wait",
  POR_CONFIRMAR: "wait",
  PERSISTIDA: "ok",
  FALLIDA: "bad",
  POR_REVISAR: "bad",
  ANULADA: "off",
};

/** Where a sale is: a sign, a word and a colour. */
export function Chip({ sale }: { sale: Sale }) {
  return (
    <span class={`chip chip--${KINDS[sale.estado]}`} data-estado={sale.estado}>
      <span aria-hidden="true">{SIGNS[sale.estado]}</span> {t(`state${sale.estado}`)}
    </span>
  );
}
