/** What is typed into while paying. */

import { type TextKey, t } from "../../i18n";
import { formatMoney } from "../../money";
import { type Manner, missing, problem, reference, typed } from "../../payment";
import type { Metodo } from "../../types";
import { isTouch } from "../NumberPad";

export const MANNERS: Record<Manner, TextKey> = {
  EFECTIVO: "cash",
  TARJETA: "card",
  TRANSFERENCIA: "transfer",
  MIXTO: "mixed",
};

export function take(text: string): void {
  typed.value = text;
  problem.value = "";
}

export function AmountField({ label }: { label: string }) {
  return (
    <label class="field">
      {label}
      <input
        class="field__input field__input--large figure"
        data-takes-focus
        data-figure
        inputMode={isTouch ? "none" : "decimal"}
        autocomplete="off"
        placeholder={formatMoney(missing.value)}
        aria-invalid={problem.value !== ""}
        aria-describedby="pay-problem"
        value={typed.value}
        onInput={(event) => take(event.currentTarget.value)}
      />
    </label>
  );
}

export function ReferenceField({ metodo, first }: { metodo: Metodo; first: boolean }) {
  return (
    <label class="field">
      {t(metodo === "TARJETA" ? "referenceCard" : "referenceTransfer")}
      <input
        data-reference
        class="field__input"
        {...(first ? { "data-takes-focus": true } : {})}
        autocomplete="off"
        maxLength={64}
        aria-invalid={problem.value !== ""}
        aria-describedby="pay-problem"
        value={reference.value}
        onInput={(event) => {
          reference.value = event.currentTarget.value;
          problem.value = "";
        }}
      />
    </label>
  );
}
