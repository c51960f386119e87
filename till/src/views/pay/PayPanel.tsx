import { giveBack } from "../../focus";
import { t } from "../../i18n";
import { formatMoney } from "../../money";
import {
  cancelPayment,
  change,
  completes,
  confirming,
  due,
  enterPayment,
  manner,
  missing,
  paidBefore,
  problem,
  quickAmounts,
  typed,
} from "../../payment";
import { isTouch, NumberPad } from "../NumberPad";
import { Payments } from "../sales/SaleDialog";
import { AmountField, MANNERS, ReferenceField, take } from "./fields";
import { Mixed } from "./Mixed";

/** Enter; then what is asked for next has the focus. */
async function enter(): Promise<void> {
  await enterPayment();
  const asked = problem.value === t("referenceNeeded") ? document.querySelector<HTMLElement>("[data-reference]") : null;
  if (asked !== null && asked !== document.activeElement) {
    problem.value = ""; // Enter in the amount goes on to it
  }
  window.setTimeout(() => (asked === null ? giveBack() : asked.focus()), 0);
}

function Notes() {
  return (
    <div class="notes">
      <button
        type="button"
        class="button"
        onClick={() => {
          take("");
          giveBack();
        }}
      >
        {t("exact")}
      </button>
      {quickAmounts(missing.value).map((amount) => (
        <button
          key={amount}
          type="button"
          class="button figure"
          onClick={() => {
            take(String(amount / 100));
            giveBack();
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

/** What was paid before the server refused the sale: a card is not charged twice. */
function Before() {
  return paidBefore.value.some((pago) => pago.referencia !== "") ? (
    <>
      <p class="muted">{t("paidBefore")}</p>
      <Payments pagos={paidBefore.value} />
    </>
  ) : null;
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
          void enter();
        }}
      >
        <Before />
        <Fields />
        <p id="pay-problem" class="problem" role="alert">
          {problem.value}
        </p>
        <div class="row">
          <button type="button" class="button" disabled={confirming.value} onClick={cancelPayment}>
            {t("back")} <kbd>Esc</kbd>
          </button>
          <button
            type="submit"
            class="button button--accent row__wide"
            aria-busy={confirming.value}
            {...(manner.value === "MIXTO" && !adding ? { "data-takes-focus": true } : {})}
          >
            {t(adding && !completes.value ? "addPart" : "confirm")} <kbd>Enter</kbd>
          </button>
        </div>
      </form>
      {isTouch && amounts && <NumberPad value={typed.value} onChange={take} />}
    </section>
  );
}
