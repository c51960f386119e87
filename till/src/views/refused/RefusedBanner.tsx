import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { forgetRefusal } from "../../cart";
import { giveBack } from "../../focus";
import { t } from "../../i18n";
import { readableCode } from "../../ids";
import { formatMoney } from "../../money";
import { acceptOffer, isOpen, type Offer, offersOf } from "../../refusals";
import { cart, refused } from "../../state";
import { actionOf, wordsOf } from "./words";

function settle(offer: Offer, others: readonly Offer[]): void {
  acceptOffer(offer);
  if (!others.some(isOpen)) {
    forgetRefusal();
  }
}

/** Which sale the cart corrects, and what was paid for it: its customer has left with the change. */
export function Correcting() {
  const origen = cart.value?.origen;
  return origen === undefined ? null : (
    <p class="correcting">{t("correcting", { codigo: readableCode(origen.id), total: formatMoney(origen.total) })}</p>
  );
}

/** The server did not take the cart that is open again: what to do about each line. Enter takes the first offer. */
export function RefusedBanner() {
  const rechazo = refused.value;
  const first = useRef<HTMLButtonElement>(null);
  const offers = rechazo === null ? [] : offersOf(rechazo, cart.value?.lineas ?? []).filter(isOpen);
  useLayoutEffect(() => first.current?.focus(), [rechazo, offers.length]);
  useEffect(() => () => void window.setTimeout(giveBack, 0), []);
  if (rechazo === null) {
    return null;
  }
  return (
    <section class="refused" role="alert" aria-label={t("refusedTitle")}>
      {offers.map((offer, place) => (
        <p key={offer.productoId} class="refused__offer">
          <span>! {wordsOf(offer, false)}</span>
          <button
            type="button"
            {...(place === 0 ? { ref: first, "data-takes-focus": true } : {})}
            class={place === 0 ? "button button--accent" : "button"}
            onClick={() => settle(offer, offers)}
          >
            {actionOf(offer)}
          </button>
        </p>
      ))}
      {offers.length === 0 && (
        <p class="refused__offer">
          <span>! {t("refusedOther", { mensaje: rechazo.mensaje })}</span>
          <button ref={first} data-takes-focus type="button" class="button button--accent" onClick={forgetRefusal}>
            {t("refusedSeen")}
          </button>
        </p>
      )}
    </section>
  );
}
