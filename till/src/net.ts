/** The server, and whether it answers. */

import { language } from "./i18n";
import { online, seat } from "./state";

const TIMEOUT_MS = 8_000;
const API = "/api/v1/";
const GATEWAY = [502, 504];

/** The server could not be reached, or did not answer in time: nobody knows what it did. */
export class NoConnection extends Error {}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterMs: number | null;
}

export interface Call {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Another seat than the one that is open; null: none. */
  readonly place?: { tienda_id: string; terminal_id?: string } | null;
}

function csrfToken(): string {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

function headersOf({ body, headers, place }: Call): Headers {
  const sent = new Headers({ Accept: "application/json", "Accept-Language": language.value, ...headers });
  if (body !== undefined) {
    sent.set("Content-Type", "application/json");
  }
  sent.set("X-CSRFToken", csrfToken());
  const open = seat.value;
  const where =
    place === undefined && open !== null ? { tienda_id: open.tienda.id, terminal_id: open.terminal.id } : place;
  if (where) {
    sent.set("X-Tienda-ID", where.tienda_id);
    if (where.terminal_id !== undefined) {
      sent.set("X-Terminal-ID", where.terminal_id);
    }
    if (open !== null) {
      sent.set("X-Usuario-ID", String(open.usuario.id)); // who this window says that it is
    }
  }
  return sent;
}

function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 3_600) * 1_000 : null;
}

async function send(method: string, path: string, call: Call): Promise<Response> {
  try {
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    const answer = await fetch(API + path, {
      method,
      body,
      headers: headersOf(call),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (GATEWAY.includes(answer.status) && !answer.headers.get("Content-Type")?.includes("json")) {
      throw new NoConnection(`a proxy answered ${answer.status}`);
    }
    return answer;
  } catch (error) {
    throw error instanceof NoConnection ? error : new NoConnection(String(error));
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    return text === "" ? null : JSON.parse(text);
  } catch (error) {
    throw new NoConnection(`an answer that cannot be read: ${error}`);
  }
}

/** One request to the API. Throws NoConnection; every answer, of whatever status, is a Reply. */
export async function api(method: string, path: string, call: Call = {}): Promise<Reply> {
  try {
    let response = await send(method, path, call);
    let body = await bodyOf(response);
    if (response.status === 403 && codigoOf(body) === "csrf") {
      await send("GET", "sesion", { place: null }); // brings a new token
      response = await send(method, path, call);
      body = await bodyOf(response);
    }
    online.value = true;
    return { status: response.status, body, retryAfterMs: retryAfterMs(response) };
  } catch (error) {
    if (error instanceof NoConnection) {
      online.value = false;
    }
    throw error;
  }
}

/** The `codigo` of the API's error shape, or "". */
export function codigoOf(body: unknown): string {
  return typeof body === "object" && body !== null && "codigo" in body ? String(body.codigo) : "";
}

/** The `mensaje` of the API's error shape, or "". */
export function mensajeOf(body: unknown): string {
  return typeof body === "object" && body !== null && "mensaje" in body ? String(body.mensaje) : "";
}

/** Ask whether the server is back: soon at first, then more seldom; at once when the browser or the person stirs. */
export function watchConnection(probe: () => Promise<unknown>): void {
  const FIRST_MS = 2_000;
  const LAST_MS = 15_000;
  let pause = FIRST_MS;
  let timer = 0;
  const ask = async () => {
    window.clearTimeout(timer);
    await probe().catch((error: unknown) => {
      if (!(error instanceof NoConnection)) {
        throw error;
      }
    });
    if (online.value) {
      pause = FIRST_MS;
    } else {
      pause = Math.min(pause * 1.5, LAST_MS);
      timer = window.setTimeout(ask, pause);
    }
  };
  const now = () => {
    if (!online.value) {
      void ask();
    }
  };
  window.addEventListener("online", now);
  document.addEventListener("visibilitychange", now);
  online.subscribe((answering) => {
    if (!answering) {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, pause);
    }
  });
}
