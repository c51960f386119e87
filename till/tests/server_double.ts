/** A server that keeps the promise of the key, and answers as it is told. */

import { lives, NEVER } from "./disk";

interface Kept {
  readonly body: string;
  estado: string;
  /** What else it says of it. */
  readonly written?: object;
}
/** The server: what it has by key, and what it was sent. `answers` come first, in turn. */
export const server = {
  ventas: new Map<string, Kept>(),
  posts: [] as string[],
  answers: [] as (Response | "lost" | "away")[],
};

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

function checkout(key: string, body: string): Response {
  server.posts.push(key);
  const earlier = server.ventas.get(key);
  if (earlier !== undefined && earlier.body !== body) {
    return json(422, { codigo: "clave_reutilizada", mensaje: "" });
  }
  server.ventas.set(key, earlier ?? { body, estado: "RESERVADA" });
  return json(201, { venta_id: key, estado: "RESERVADA" });
}

export async function answer(url: string, init: RequestInit): Promise<Response> {
  if (!lives()) {
    return await NEVER;
  }
  if (!url.includes("ventas")) {
    return json(200, { usuario: null, tiendas: [] });
  }
  const id = url.split("/").at(-1) ?? "";
  if (init.method === "GET") {
    const found = server.ventas.get(id);
    if (found !== undefined) {
      found.estado = "PERSISTIDA";
    }
    return found === undefined
      ? json(404, { codigo: "no_existe" })
      : json(200, { estado: found.estado, recibo: 7, venta_id: id, ...found.written });
  }
  const planned = server.answers.shift();
  const key = new Headers(init.headers).get("Idempotency-Key") ?? "";
  if (planned instanceof Response) {
    server.posts.push(key);
    return planned;
  }
  if (planned === "away") {
    throw new TypeError("fetch failed");
  }
  const reply = checkout(key, String(init.body));
  if (!lives()) {
    return await NEVER; // the server has the sale; the tab dies before it hears so
  }
  if (planned === "lost") {
    throw new TypeError("connection lost");
  }
  return reply;
}

export function emptyServer(): void {
  server.ventas.clear();
  server.posts.length = 0;
  server.answers.length = 0;
}
