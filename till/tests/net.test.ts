/** The server, and whether it answers. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { kill, newDevice, SEAT } from "./device";
import { json } from "./server_double";

beforeEach(newDevice);
afterEach(kill);

async function load() {
  vi.resetModules();
  return { net: await import("../src/net"), state: await import("../src/state") };
}

test("every answer is a reply, and says that the server is there", async () => {
  const { net, state } = await load();
  state.online.value = false;
  vi.stubGlobal("fetch", async () => json(503, { codigo: "cache_frio" }, { "Retry-After": "2" }));
  expect(await net.api("GET", "sesion")).toEqual({ status: 503, body: { codigo: "cache_frio" }, retryAfterMs: 2_000 });
  expect(state.online.value).toBe(true);
});

for (const [what, answer] of [
  ["no network", () => Promise.reject(new TypeError("failed"))],
  ["a proxy's 502", async () => new Response("", { status: 502 })],
  ["a portal's page", async () => new Response("<h1>", { status: 200 })],
] as const) {
  test(`${what} is no connection`, async () => {
    const { net, state } = await load();
    vi.stubGlobal("fetch", answer);
    await expect(net.api("GET", "sesion")).rejects.toBeInstanceOf(net.NoConnection);
    expect(state.online.value).toBe(false);
  });
}

test("a sale is sent for its own place, with the cookie's token", async () => {
  const { net, state } = await load();
  state.seat.value = SEAT;
  const sent: Headers[] = [];
  vi.stubGlobal("fetch", async (_url: string, init: RequestInit) => {
    sent.push(new Headers(init.headers));
    return json(200, {});
  });
  await net.api("GET", "x");
  await net.api("POST", "x", { place: { tienda_id: "t9", terminal_id: "c9" } });
  await net.api("GET", "x", { place: null });
  expect(sent.map((each) => [each.get("X-Tienda-ID"), each.get("X-Terminal-ID")])).toEqual([
    ["t1", "c1"],
    ["t9", "c9"],
    [null, null],
  ]);
  expect(sent[1]?.get("X-CSRFToken")).toBe("abc");
});

test("a token that is too old is fetched again, once", async () => {
  const { net } = await load();
  const urls: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    urls.push(url);
    return json(url.endsWith("sesion") ? 200 : 403, { codigo: "csrf" });
  });
  expect((await net.api("POST", "x")).status).toBe(403);
  expect(urls).toEqual(["/api/v1/x", "/api/v1/sesion", "/api/v1/x"]);
});
