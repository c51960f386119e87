/** What can be sold now, as the server says: beside what is typed, never before it. */

import { api, NoConnection, type Reply } from "./net";
import { cart, disponible, online, session } from "./state";
import type { Milli } from "./types";

const PAUSE_MS = 120;
const EVERY_MS = 5_000;
const MOST = 100;

let timer: ReturnType<typeof setTimeout> | undefined;
let asking = false;
const wanted = new Set<string>();

/** Ask for these products soon, together with what is asked for in the same moment. */
export function refreshDisponible(ids: readonly string[]): void {
  if (!online.value || session.value !== "open" || ids.length === 0) {
    return;
  }
  for (const id of ids) {
    wanted.add(id);
  }
  clearTimeout(timer);
  timer = setTimeout(() => void ask(), PAUSE_MS);
}

/** One request at a time: a late answer never hides a newer one. */
async function ask(): Promise<void> {
  if (asking) {
    return;
  }
  asking = true;
  try {
    while (wanted.size > 0 && online.value) {
      const ids = [...wanted].slice(0, MOST);
      for (const id of ids) {
        wanted.delete(id);
      }
      hear(await api("GET", `productos/disponible?${new URLSearchParams(ids.map((id) => ["id", id]))}`));
    }
  } catch (error) {
    if (!(error instanceof NoConnection)) {
      throw error;
    }
  } finally {
    asking = false;
  }
}

function hear(reply: Reply): void {
  if (reply.status === 200) {
    const body = reply.body as { disponible: Record<string, number | null> };
    const heard = Object.entries(body.disponible).map(([id, quantity]): [string, Milli | null] => [
      id,
      quantity === null ? null : Math.round(quantity * 1_000),
    ]);
    disponible.value = new Map([...disponible.value, ...heard]);
  }
}

/** Keep the cart's lines, and what else is shown, up to date while somebody looks. */
export function watchShown(others: () => readonly string[]): void {
  const look = () => {
    if (document.visibilityState === "visible") {
      refreshDisponible([...new Set([...others(), ...(cart.value?.lineas ?? []).map((linea) => linea.producto_id)])]);
    }
  };
  window.setInterval(look, EVERY_MS);
}
