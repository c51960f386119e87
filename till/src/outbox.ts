/** Sales: taken on this device first, then sent. What is taken is never lost, and never sold twice. */

import { batch, effect } from "@preact/signals";
import { adopt, flush, freshCart } from "./cart";
import { thisTab } from "./carts_db";
import { now } from "./clock";
import { hear, isQuotaError, type KeptSale } from "./db";
import { followSoon } from "./follow";
import { cartTotal } from "./money";
import { setAside } from "./parked";
import { pruneSales, refreshSales, withRoom, writeReopened, writeTaken } from "./sales_db";
import { sendNow } from "./sending";
import { cart, deviceFull, lastSale, online, refused, sales, seat, session } from "./state";
import type { Cart, Estado, Pago, Sale } from "./types";

/** How long a customer is taken to be still there after paying; not who left with a sale that was kept here. */
const STILL_HERE_MS = 15_000;
const PRUNE_MS = 3_600_000;

/** The device can keep no more: nothing was taken, the cart is as it was. */
export class DeviceFull extends Error {}

function saleOf(sold: Cart, pagos: readonly Pago[]): KeptSale {
  const where = seat.value;
  if (where === null) {
    throw new Error("nobody sits at this till");
  }
  return {
    id: sold.id,
    tienda_id: sold.tienda_id,
    terminal_id: where.terminal.id,
    terminal_numero: where.terminal.numero,
    usuario_id: where.usuario.id,
    usuario: where.usuario.nombre,
    fecha: now(),
    lineas: sold.lineas,
    pagos,
    total: cartTotal(sold.lineas),
    estado: "GUARDADA",
    intentos: 0,
    proximo: 0,
    rechazo: null,
    recibo: null,
    impresa: false,
    sin_conexion: !online.value,
    cierre: null,
    tab: thisTab(),
  };
}

/**
 * Take a sale: it is on the disk, and the cart is gone, when this resolves; then it is sent. The same cart again sells
 * nothing more. Throws DeviceFull.
 */
export async function takeSale({ cart: sold, pagos }: { cart: Cart; pagos: readonly Pago[] }): Promise<Sale> {
  const sale = saleOf(sold, pagos);
  const next = freshCart(sold.tienda_id);
  let taken: KeptSale;
  try {
    taken = await withRoom(async () => {
      await flush();
      return await writeTaken(sale, next);
    });
  } catch (error) {
    if (isQuotaError(error)) {
      deviceFull.value = true;
      throw new DeviceFull();
    }
    throw error;
  }
  batch(() => {
    deviceFull.value = false;
    lastSale.value = taken.id;
    if (cart.value?.id === sold.id) {
      adopt(next); // else it was sold before, and the next cart is under way already
    }
  });
  await refreshSales();
  sendNow();
  return taken;
}

/**
 * Put a refused sale back into the cart, under the same id. The cart that it replaces is parked if it has lines. False
 * where another tab was first. `customerLeft`: it cannot be dropped, only sold, or closed with a reason.
 */
export async function reopenSale(ventaId: string, { customerLeft = true } = {}): Promise<boolean> {
  await flush();
  const current = cart.value;
  const reopened = current === null ? null : await writeReopened(ventaId, current, { tab: thisTab(), customerLeft });
  if (reopened !== null) {
    const before = cart.value;
    batch(() => {
      lastSale.value = lastSale.value === ventaId ? null : lastSale.value;
      adopt(reopened);
    });
    await setAside(before === current ? null : before); // something was scanned meanwhile
  }
  await refreshSales();
  return reopened !== null;
}

/** Its customer is still here, and nobody else's cart has begun: the cart is open again at once. */
async function reopenForCustomer(sale: Sale): Promise<void> {
  if (await reopenSale(sale.id, { customerLeft: false })) {
    refused.value = sale.rechazo;
  }
}

function isCustomerHere(sale: Sale): boolean {
  const empty = cart.peek()?.lineas.length === 0 && cart.peek()?.tienda_id === sale.tienda_id;
  return empty && !sale.sin_conexion && now() - sale.fecha < STILL_HERE_MS;
}

const FOLLOWED: readonly Estado[] = ["EN_COLA", "POR_CONFIRMAR"];

/** Start sending and following; call once, after the session is known. Each tab sees to the sale it took itself. */
export async function startOutbox(): Promise<void> {
  await pruneSales();
  await refreshSales({ changed: false });
  hear("ventas", () => {
    void refreshSales({ changed: false });
    sendNow(); // the tab that was sending may be gone
  });
  window.setInterval(() => void pruneSales(), PRUNE_MS);
  effect(() => {
    if (online.value && session.value === "open") {
      sendNow();
      followSoon();
    }
  });
  effect(() => {
    if (sales.value.some((sale) => FOLLOWED.includes(sale.estado))) {
      followSoon();
    }
    const last = sales.value.find((sale) => sale.id === lastSale.value);
    if (last?.estado === "POR_REVISAR" && isCustomerHere(last)) {
      void reopenForCustomer(last);
    }
  });
}
