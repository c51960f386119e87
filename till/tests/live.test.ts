import { afterEach, beforeEach, expect, it, vi } from "vitest";
import "./browser";
import { refreshDisponible } from "../src/live";
import { disponible, online, session } from "../src/state";

let asked: string[][];
let answer: (ids: string[]) => Promise<Record<string, number | null>>;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answer = async (ids) => Object.fromEntries(ids.map((id) => [id, 1.5]));
  online.value = true;
  session.value = "open";
  disponible.value = new Map([["kept", 7_000]]);
  vi.stubGlobal("fetch", async (url: string) => {
    const ids = new URLSearchParams(url.split("?")[1]).getAll("id");
    asked.push(ids);
    return new Response(JSON.stringify({ disponible: await answer(ids) }));
  });
});

afterEach(() => {
  vi.useRealTimers();
});

it("asks once for what is wanted in one moment, and keeps the rest", async () => {
  refreshDisponible(["a", "b"]);
  refreshDisponible(["b", "c"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toEqual([["a", "b", "c"]]);
  expect([...disponible.value]).toEqual([
    ["kept", 7_000],
    ["a", 1_500],
    ["b", 1_500],
    ["c", 1_500],
  ]);
});

it("asks for a hundred at a time, until it has asked for all", async () => {
  refreshDisponible(Array.from({ length: 150 }, (_none, n) => `p${n}`));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked.map((ids) => ids.length)).toEqual([100, 50]);
});

it("never lets an old answer hide a newer one", async () => {
  const slow = new Promise<Record<string, number>>((done) => setTimeout(() => done({ a: 9 }), 3_000));
  answer = () => slow;
  refreshDisponible(["a"]);
  await vi.advanceTimersByTimeAsync(500);
  answer = async () => ({ a: 2 });
  refreshDisponible(["a"]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toHaveLength(2);
  expect(disponible.value.get("a")).toBe(2_000);
});

it("knows that nobody knows", async () => {
  answer = async () => ({ kept: null });
  refreshDisponible(["kept"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(disponible.value.get("kept")).toBeNull();
});

it("is silent without the server", async () => {
  vi.stubGlobal("fetch", async () => {
    asked.push([]);
    throw new TypeError("no network");
  });
  refreshDisponible(["a"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(online.value).toBe(false);
  refreshDisponible(["a"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toHaveLength(1);
});
