/** Who works at this till, and where. Remembered on the device, so that it opens with the network off. */

import { batch } from "@preact/signals";
import { hearTime } from "./clock";
import { hear, tell } from "./db";
import { t } from "./i18n";
import { api, codigoOf, mensajeOf, NoConnection, type Reply } from "./net";
import { parkCart } from "./parked";
import { notice, person, sales, seat, session } from "./state";
import type { Estado, Seat, Terminal, Tienda, Usuario } from "./types";

const SEAT = "caja.puesto";
const PLACE = "caja.lugar";
const PATIENCE_MS = 700;
const REFRESH_MS = 5 * 60_000;

interface Place {
  readonly tienda_id: string;
  readonly terminal_id: string;
}

interface SessionBody {
  readonly hora?: string;
  readonly usuario: Usuario | null;
  readonly tiendas: readonly Tienda[];
}

/** Why nobody was let in; `message` is for the form. */
export class SignInRefused extends Error {}

function remembered<Kept>(key: string): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
  } catch {
    return null; // written half, or by somebody else
  }
}

/** The tienda and the terminal that this device was last used for, whoever signed in. */
export function lastPlace(): Place | null {
  return remembered<Place>(PLACE);
}

function open(taken: Seat): void {
  localStorage.setItem(SEAT, JSON.stringify(taken));
  localStorage.setItem(
    PLACE,
    JSON.stringify({ tienda_id: taken.tienda.id, terminal_id: taken.terminal.id } satisfies Place),
  );
  const changed = seat.value?.usuario.id !== taken.usuario.id || session.value !== "open";
  batch(() => {
    seat.value = taken;
    session.value = "open";
  });
  if (changed) {
    tell("sesion");
  }
}

function placeAmong(tiendas: readonly Tienda[]): [Tienda, Terminal] | null {
  // Another window may have gone to another tienda meanwhile: this one stays where it is.
  const here = seat.value;
  const place = here === null ? lastPlace() : { tienda_id: here.tienda.id, terminal_id: here.terminal.id };
  const only = tiendas.length === 1 ? tiendas[0] : undefined;
  const tienda = tiendas.find((each) => each.id === place?.tienda_id) ?? only;
  if (tienda === undefined) {
    return null;
  }
  const single = tienda.terminales.length === 1 ? tienda.terminales[0] : undefined;
  const terminal = tienda.terminales.find((each) => each.id === place?.terminal_id) ?? single;
  return terminal === undefined ? null : [tienda, terminal];
}

/** Seat whoever the server says is signed in; or let them choose. */
function take(body: SessionBody): void {
  hearTime(body.hora);
  if (body.usuario === null) {
    lose();
    return;
  }
  person.value = { usuario: body.usuario, tiendas: body.tiendas };
  const found = placeAmong(body.tiendas);
  if (found === null) {
    batch(() => {
      if (seat.value?.usuario.id !== body.usuario?.id) {
        seat.value = null; // nothing is sold in another person's name
      }
      session.value = "choosing";
    });
  } else {
    open({ usuario: body.usuario, tienda: found[0], terminal: found[1] });
  }
}

/**
 * The server refused to know who asks (401). Where somebody else is signed in by now, in another window or in the
 * administration, this window is theirs, too; else the session has ended.
 */
export function heedRefusal(codigo: string): void {
  if (codigo === "otra_persona") {
    void refreshSession().catch((error: unknown) => {
      if (!(error instanceof NoConnection)) {
        throw error;
      }
    });
  } else {
    lose();
  }
}

/** The server does not know the session: what is in the cart stays, and selling goes on. */
export function lose(): void {
  session.value = seat.value === null ? "signed-out" : "ended";
}

async function ask(): Promise<Reply> {
  return await api("GET", "sesion", { place: null });
}

/** What the server says at the start; where it does not answer, as this device remembers. */
async function hearServer(): Promise<void> {
  try {
    const reply = await ask();
    if (reply.status === 200) {
      take(reply.body as SessionBody);
    }
  } catch (error) {
    if (!(error instanceof NoConnection)) {
      throw error;
    }
  }
  if (session.value === "starting") {
    session.value = seat.value === null ? "signed-out" : "open";
  }
}

/** At the start. A till that is known does not wait for a server that hangs: it opens, and hears the answer later. */
export async function resume(): Promise<void> {
  seat.value = remembered<Seat>(SEAT);
  const heard = hearServer();
  if (seat.value === null) {
    await heard;
  } else {
    await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    if (session.value === "starting") {
      session.value = "open";
    }
  }
}

/** Read the session again: roles and the tienda's settings change. Throws NoConnection. */
export async function refreshSession(): Promise<void> {
  const reply = await ask();
  if (reply.status === 200 && session.value !== "choosing") {
    take(reply.body as SessionBody);
  }
}

/** Read it again every few minutes, and when somebody signed in or out in another tab: they share the cookie. */
export function keepSessionFresh(): void {
  const refresh = () => {
    refreshSession().catch((error: unknown) => {
      if (!(error instanceof NoConnection)) {
        throw error;
      }
    });
  };
  window.setInterval(() => {
    if (session.value === "open") {
      refresh();
    }
  }, REFRESH_MS);
  hear("sesion", refresh);
}

/** Sign in by name and password. Throws SignInRefused with a text for the form, NoConnection. */
export async function signIn(usuario: string, clave: string): Promise<void> {
  if (document.cookie.indexOf("csrftoken=") < 0) {
    await ask();
  }
  const tienda_id = lastPlace()?.tienda_id;
  const body = tienda_id === undefined ? { usuario, clave } : { usuario, clave, tienda_id };
  const reply = await api("POST", "sesion", { body, place: null });
  if (reply.status !== 200) {
    throw new SignInRefused(refusalText(reply));
  }
  take(reply.body as SessionBody);
}

function refusalText(reply: Reply): string {
  switch (codigoOf(reply.body)) {
    case "credenciales_invalidas":
      return t("signInWrong");
    case "cuenta_bloqueada":
      return t("signInLocked", { n: Math.ceil((reply.retryAfterMs ?? 900_000) / 60_000) });
    default:
      return mensajeOf(reply.body) || t("signInUnavailable");
  }
}

/** Where to work today. */
export function chooseSeat(tiendaId: string, terminalId: string): void {
  const tienda = person.value?.tiendas.find((each) => each.id === tiendaId);
  const terminal = tienda?.terminales.find((each) => each.id === terminalId);
  if (person.value !== null && tienda !== undefined && terminal !== undefined) {
    open({ usuario: person.value.usuario, tienda, terminal });
  }
}

/** Choose another tienda or terminal. */
export function changeSeat(): void {
  if (person.value !== null) {
    session.value = "choosing";
  }
}

const UNDONE: readonly Estado[] = ["GUARDADA", "POR_REVISAR"];
let warnedOf = 0;

/** Sign out. Where sales of this person still wait, the first time only says so. Throws NoConnection. */
export async function signOut(): Promise<void> {
  const mine = sales.value.filter(
    (sale) => UNDONE.includes(sale.estado) && sale.usuario_id === seat.value?.usuario.id,
  ).length;
  if (mine > 0 && mine !== warnedOf) {
    warnedOf = mine;
    notice.value = { text: t("signOutWaiting", { n: mine }) };
    return;
  }
  warnedOf = 0;
  const reply = await api("DELETE", "sesion", { place: null });
  if (reply.status >= 500) {
    throw new SignInRefused(t("signInUnavailable")); // still signed in
  }
  await parkCart(); // it is this person's: the next one finds it among the parked ones
  localStorage.removeItem(SEAT);
  batch(() => {
    notice.value = null;
    seat.value = null;
    person.value = null;
    session.value = "signed-out";
  });
  tell("sesion");
}
