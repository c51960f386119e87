import { t } from "../../i18n";
import { formatMeasure, formatMoney } from "../../money";
import type { Offer } from "../../refusals";

/** What is the matter, in a till's words. `later`: the customer has left. */
export function wordsOf(offer: Offer, later: boolean): string {
  const { nombre } = offer;
  switch (offer.kind) {
    case "less":
      return t(later ? "reviewLess" : "offerLess", { nombre, cantidad: formatMeasure(offer.cantidad, offer.unidad) });
    case "price":
      return t("offerPrice", { nombre, nuevo: formatMoney(offer.nuevo), viejo: formatMoney(offer.viejo) });
    case "gone":
      return t("offerGone", { nombre });
    case "none":
      return t("offerNone", { nombre });
  }
}

/** What its button says. */
export function actionOf(offer: Offer): string {
  switch (offer.kind) {
    case "less":
      return t("offerSell", { cantidad: formatMeasure(offer.cantidad, offer.unidad) });
    case "price":
      return t("offerUsePrice");
    default:
      return t("offerRemove");
  }
}
