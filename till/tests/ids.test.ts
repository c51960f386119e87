import { describe, expect, it } from "vitest";
import { newVentaId, readableCode, readShortCode, shortCode } from "../src/ids";

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("newVentaId", () => {
  it("is a UUIDv7 of its moment", () => {
    const now = Date.UTC(2026, 10, 24);
    const id = newVentaId(now);
    expect(id).toMatch(UUID7);
    expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(now);
  });
  it("rises within a millisecond, beyond its counter, and when the clock goes back", () => {
    const now = Date.UTC(2027, 0, 1);
    const ids = Array.from({ length: 10_000 }, () => newVentaId(now));
    ids.push(newVentaId(now - 60_000));
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    expect(ids.every((id) => UUID7.test(id))).toBe(true);
  });
});

describe("shortCode", () => {
  it("writes the last 40 bits in Crockford's letters", () => {
    expect(shortCode("019e0000-0000-7000-8000-000000000000")).toBe("00000000");
    expect(shortCode("019e0000-0000-7000-8000-00ffffffffff")).toBe("ZZZZZZZZ");
    expect(shortCode("019e0000-0000-7000-8000-000000000021")).toBe("00000011");
    expect(shortCode("019e0000-0000-7000-8000-aa0000000021")).toBe("00000011");
  });
  it("is read again, however a person writes it", () => {
    const id = "019e0000-0000-7000-8000-00ffff000021";
    expect(readShortCode(readableCode(id))).toBe(shortCode(id));
    expect(readShortCode(" zzzz-oool ")).toBe("ZZZZ0001");
    expect(readShortCode("ZZZZ-UUUU")).toBeNull();
    expect(readShortCode("7501055300075")).toBeNull();
  });
});
