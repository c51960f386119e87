import { useSignal } from "@preact/signals";
import { t } from "../i18n";
import { cartTotal, formatMoney, itemCount } from "../money";
import { discardParked, takeUp } from "../parked";
import { parked } from "../state";
import type { Cart } from "../types";
import { closeDialog, Dialog } from "./Dialog";
import { formatTime } from "./format";

function Parked({ cart, first }: { cart: Cart; first: boolean }) {
  const sure = useSignal(false);
  return (
    <li class="parked">
      <p>
        <strong class="figure">{formatMoney(cartTotal(cart.lineas))}</strong> ·{" "}
        {t("items", { n: itemCount(cart.lineas) })}
        <br />
        {t("parkedAt", { hora: formatTime(cart.apartada ?? cart.creada) })} ·{" "}
        {cart.lineas
          .slice(0, 3)
          .map((linea) => linea.nombre)
          .join(", ")}
      </p>
      <button
        type="button"
        class={first ? "button button--accent" : "button"}
        autofocus={first}
        onClick={async () => {
          await takeUp(cart.id);
          closeDialog();
        }}
      >
        {t("takeUp")}
      </button>
      <button
        type="button"
        class={sure.value ? "button button--bad" : "button"}
        onClick={() => {
          if (sure.value) {
            void discardParked(cart.id);
          }
          sure.value = true;
        }}
      >
        {t(sure.value ? "discardSure" : "discard")}
      </button>
    </li>
  );
}

/** The carts that wait. */
export function ParkedDialog() {
  return (
    <Dialog title={t("parkedCarts")} wide>
      {parked.value.length === 0 ? (
        <p>{t("parkedNone")}</p>
      ) : (
        <ul class="list">
          {parked.value.map((cart, place) => (
            <Parked key={cart.id} cart={cart} first={place === 0} />
          ))}
        </ul>
      )}
    </Dialog>
  );
}
