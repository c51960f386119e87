import { type TextKey, t } from "../../i18n";
import { formatMoney } from "../../money";
import {
  cancelPayment,
  change,
  confirmPayment,
  due,
  enterPayment,
  type Manner,
  manner,
  missing,
  partMetodo,
  parts,
  problem,
  quickAmounts,
  reference,
  removePart,
  typed,
} from "../../payment";
import type { Metodo } from "../../types";
import { isTouch, NumberPad } from "../NumberPad";

export const MANNERS: Record<Manner, TextKey> = {
  EFECTIVO: "cash",
  TARJETA: "card",
  TRANSFERENCIA: "transfer",
  MIXTO: "mixed",
};
const KINDS: readonly [Metodo, string][] = [
  ["EFECTIVO", "F2"],
  ["TARJETA", "F3"],
  ["TRANSFERENCIA", "F4"],
];

function take(text: string): void {
  typed.value = text;
  problem.value = "";
}

function AmountField({ label }: { label: string }) {
  return (
    <label class="field">
      {label}
      <input
        class="field__input field__input--large figure"
        data-takes-focus
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

function ReferenceField({ metodo, first }: { metodo: Metodo; first: boolean }) {
  return (
    <label class="field">
      {t(metodo === "TARJETA" ? "referenceCard" : "referenceTransfer")}
      <input
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

function Notes() {
  return (
    <div class="notes">
      <button type="button" class="button" onClick={() => take("")}>
        {t("exact")}
      </button>
      {quickAmounts(missing.value).map((amount) => (
        <button
          key={amount}
          type="button"
          class="button figure"
          onClick={() => {
            take(String(amount / 100));
          }}
        >
          {formatMoney(amount)}
        </button>
      ))}
    </div>
  );
}

function Change() {
  const short = change.value < 0;
  return (
    <p class="pay__change">
      {t(short ? "missing" : "change")} <output class="figure">{formatMoney(Math.abs(change.value))}</output>
    </p>
  );
}

function Mixed() {
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
                onClick={() => removePart(place)}
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
          <div class="row">
            {KINDS.map(([metodo, key]) => (
              <button
                key={metodo}
                type="button"
                class="button"
                aria-pressed={partMetodo.value === metodo}
                onClick={() => {
                  partMetodo.value = metodo;
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

function Fields() {
  const kind = manner.value;
  if (kind === "MIXTO") {
    return <Mixed />;
  }
  return kind === "EFECTIVO" ? (
    <>
      <AmountField label={t("given")} />
      <Notes />
      <Change />
    </>
  ) : (
    <ReferenceField metodo={kind} first />
  );
}

/** How the customer pays: Enter charges, Esc goes back to the cart. */
export function PayPanel() {
  const adding = manner.value === "MIXTO" && missing.value > 0;
  const amounts = manner.value === "EFECTIVO" || adding;
  return (
    <section class="pay" aria-label={t("payWays")}>
      <h2 class="pay__kind">{t(MANNERS[manner.value])}</h2>
      <p class="pay__due">
        {t("due")} <output class="figure">{formatMoney(due.value)}</output>
      </p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void enterPayment();
        }}
      >
        <Fields />
        <p id="pay-problem" class="problem" role="alert">
          {problem.value}
        </p>
        <div class="row">
          <button type="button" class="button" onClick={cancelPayment}>
            {t("back")} <kbd>Esc</kbd>
          </button>
          <button type="submit" class="button button--accent row__wide">
            {t(adding ? "addPart" : "confirm")} <kbd>Enter</kbd>
          </button>
        </div>
        {isTouch && amounts && (
          <NumberPad
            value={typed.value}
            onChange={take}
            onEnter={() => void (adding ? enterPayment() : confirmPayment())}
          />
        )}
      </form>
    </section>
  );
}
