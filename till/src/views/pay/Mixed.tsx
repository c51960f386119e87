import { giveBack } from "../../focus";
import { t } from "../../i18n";
import { formatMoney } from "../../money";
import { choosePart, missing, partMetodo, parts, removePart } from "../../payment";
import type { Metodo } from "../../types";
import { AmountField, MANNERS, ReferenceField } from "./fields";

const KINDS: readonly [Metodo, string][] = [
  ["EFECTIVO", "F2"],
  ["TARJETA", "F3"],
  ["TRANSFERENCIA", "F4"],
];

/** Paid in parts: those that are there, and the next one. */
export function Mixed() {
  return (
    <>
      {parts.value.length > 0 && (
        <ul class="list" aria-label={t("parts")}>
          {parts.value.map((part, place) => (
            <li key={`${place}-${part.metodo}`} class="part">
              <span>
                {t(MANNERS[part.metodo])} {part.referencia}
              </span>
              <span class="figure">{formatMoney(part.importe)}</span>
              <button
                type="button"
                class="button"
                aria-label={t("removePart", { metodo: t(MANNERS[part.metodo]), importe: formatMoney(part.importe) })}
                onClick={() => {
                  removePart(place);
                  window.setTimeout(giveBack, 0);
                }}
              >
                {t("remove")}
              </button>
            </li>
          ))}
        </ul>
      )}
      <p class="pay__change">
        {t("missing")} <output class="figure">{formatMoney(missing.value)}</output>
      </p>
      {missing.value > 0 && (
        <>
          <div class="kinds">
            {KINDS.map(([metodo, key]) => (
              <button
                key={metodo}
                type="button"
                class="button"
                aria-pressed={partMetodo.value === metodo}
                onClick={() => {
                  choosePart(metodo);
                  giveBack();
                }}
              >
                <kbd>{key}</kbd> {t(MANNERS[metodo])}
              </button>
            ))}
          </div>
          <AmountField label={t("amount")} />
          {partMetodo.value !== "EFECTIVO" && <ReferenceField metodo={partMetodo.value} first={false} />}
        </>
      )}
    </>
  );
}
