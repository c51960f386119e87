/** Carts that wait while other customers are served. */

import { adopt, freshCart } from "./cart";
import { claimParked, flush, keep, parkedCarts, removeParked } from "./carts_db";
import { now } from "./clock";
import { hear, isQuotaError, tell } from "./db";
import { t } from "./i18n";
import { refreshSales, withRoom } from "./sales_db";
import { cart, deviceFull, notice, parked, seat } from "./state";
import type { Cart } from "./types";

/** Read them again; call at the start, and when another tab changed something. */
export async function readParked(): Promise<void> {
  const tiendaId = seat.value?.tienda.id;
  parked.value = tiendaId === undefined ? [] : await parkedCarts(tiendaId);
}

/** Read them again whenever another tab changed one. */
export function watchParked(): void {
  hear("carritos", () => void readParked());
}

/** Park the cart on the screen, if it has lines, and go on with another: at once, both written in one step. */
function goOnWith(next: Cart): void {
  const left = cart.value;
  adopt(next);
  if (left !== null && left.lineas.length > 0) {
    keep({ ...left, tab: null, apartada: now() }, next);
  } else {
    keep(next);
  }
}

/** Wait until it is written; where the device is full, say so: the next change writes it, if there is room then. */
async function written(): Promise<void> {
  try {
    await withRoom(flush);
  } catch (error) {
    if (!isQuotaError(error)) {
      throw error;
    }
    deviceFull.value = true;
  }
}

/** Park a cart that another has replaced on the screen, if it has lines; and read the parked ones again. */
export async function setAside(left: Cart | null): Promise<void> {
  if (left !== null && left.lineas.length > 0) {
    keep({ ...left, tab: null, apartada: now() });
    await written();
  }
  await readParked();
  tell("carritos");
}

/** Park the cart and begin a new one. False where there is nothing in it. */
export async function parkCart(): Promise<boolean> {
  const left = cart.value;
  if (left === null || left.lineas.length === 0) {
    return false;
  }
  goOnWith(freshCart(left.tienda_id));
  await written();
  await readParked();
  await refreshSales();
  notice.value = { text: left.origen === undefined ? t("cartParked", { n: parked.value.length }) : t("reviewAgain") };
  return true;
}

/** Go on with a parked cart; the one on the screen is parked if it has lines. */
export async function takeUp(cartId: string): Promise<void> {
  const taken = cart.value === null ? null : await claimParked(cartId);
  if (taken === null) {
    notice.value = { text: t("parkedTaken") };
  } else {
    const left = cart.value;
    goOnWith(taken);
    await written();
    await refreshSales();
    await readParked();
    if (left !== null && left.lineas.length > 0) {
      notice.value = {
        text: left.origen === undefined ? t("cartParked", { n: parked.value.length }) : t("reviewAgain"),
      };
    }
    return;
  }
  await readParked();
}

/** Throw a parked cart away. */
export async function discardParked(cartId: string): Promise<void> {
  await removeParked(cartId);
  await readParked();
}
