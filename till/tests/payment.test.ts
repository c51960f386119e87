import { beforeEach, describe, expect, it, vi } from "vitest";
import "./browser";
import { DeviceFull, takeSale } from "../src/outbox";
import {
  addPart,
  cancelPayment,
  change,
  changeOf,
  choosePart,
  confirmPayment,
  enterPayment,
  missing,
  openPayment,
  partMetodo,
  parts,
  problem,
  quickAmounts,
  reference,
  removePart,
  typed,
} from "../src/payment";
import { cart, notice, paying, seat } from "../src/state";
import type { Cart, Metodo, Sale } from "../src/types";
import { linea, seatIn } from "./examples";

vi.mock("../src/outbox", () => ({ DeviceFull: class DeviceFull extends Error {}, takeSale: vi.fn() }));
const taken = vi.mocked(takeSale);

let number = 0;

function cartOf(precio: number): Cart {
  const lineas = [linea({ precio })];
  return { id: `c${number}`, tienda_id: "a", tab: "t", lineas, creada: 1, apartada: null, rechazo: null };
}

/** The payments that were sold with, the last time. */
const pagos = () => taken.mock.lastCall?.[0].pagos;

function part(metodo: Metodo, amount: string, referencia = ""): boolean {
  partMetodo.value = metodo;
  typed.value = amount;
  reference.value = referencia;
  return addPart();
}

beforeEach(() => {
  taken.mockReset().mockResolvedValue({} as Sale);
  seat.value = seatIn("a");
  number += 1;
  cart.value = cartOf(8_400);
  paying.value = false;
});

describe("cash", () => {
  it("is exact where nothing is typed", async () => {
    openPayment("EFECTIVO");
    await confirmPayment();
    expect(pagos()).toEqual([{ metodo: "EFECTIVO", importe: 8_400, recibido: 8_400, referencia: "" }]);
    expect(paying.value).toBe(false);
  });
  it("gives change of what was given, and never takes too little", async () => {
    openPayment("EFECTIVO");
    for (const wrong of ["83,99", "0", "abc", "84,0010", "0412345670", "12345670.00", "725272730706"]) {
      typed.value = wrong;
      await confirmPayment();
      expect(problem.value).not.toBe("");
    }
    expect(taken).not.toHaveBeenCalled();
    typed.value = "100";
    expect(change.value).toBe(1_600);
    await enterPayment();
    expect(pagos()).toEqual([{ metodo: "EFECTIVO", importe: 8_400, recibido: 10_000, referencia: "" }]);
    expect(changeOf(pagos() ?? [])).toBe(1_600);
  });
  it("offers the next round amounts, each once", () => {
    expect(quickAmounts(8_400)).toEqual([9_000, 10_000, 20_000, 50_000, 100_000]);
    expect(quickAmounts(10_000)).toEqual([20_000, 50_000, 100_000]);
    expect(quickAmounts(22_857)).toEqual([24_000, 25_000, 30_000, 40_000, 50_000]); // nobody counts out 23 tens
    expect(quickAmounts(100_001)).toEqual([110_000, 120_000, 150_000, 200_000]);
    expect(quickAmounts(9_999_950)).toEqual([10_000_000]);
  });
});

describe("card and transfer", () => {
  it.each(["TARJETA", "TRANSFERENCIA"] as const)("%s needs a reference and is what is due", async (metodo) => {
    openPayment(metodo);
    await confirmPayment();
    expect(problem.value).not.toBe("");
    reference.value = "x".repeat(65);
    await confirmPayment();
    expect(taken).not.toHaveBeenCalled();
    reference.value = " 123456 ";
    await confirmPayment();
    expect(pagos()).toEqual([{ metodo, importe: 8_400, recibido: null, referencia: "123456" }]);
  });
});

describe("a sale that was paid before it was refused", () => {
  const before = [
    { metodo: "TARJETA", importe: 5_000, recibido: null, referencia: "AUT-1" },
    { metodo: "TARJETA", importe: 3_400, recibido: null, referencia: "AUT-2" },
  ] as const;
  it("knows what was written on the slips, each once", () => {
    cart.value = { ...cartOf(8_400), pagos: before };
    openPayment("TARJETA");
    expect(reference.value).toBe("AUT-1");
    openPayment("TRANSFERENCIA");
    expect(reference.value).toBe("");
    openPayment("MIXTO");
    choosePart("TARJETA");
    typed.value = "50";
    expect(reference.value).toBe("AUT-1");
    expect(addPart()).toBe(true);
    choosePart("TARJETA");
    expect(reference.value).toBe("AUT-2");
  });
});

describe("what the server would refuse", () => {
  it("is not sent: letters that do not print become spaces", async () => {
    openPayment("TARJETA");
    reference.value = "\u00a0AUT\u00a0\u200b778\t899\n";
    await confirmPayment();
    expect(pagos()?.[0]?.referencia).toBe("AUT 778 899");
  });
  it("is not sent: more than ten parts", () => {
    openPayment("MIXTO");
    for (let number = 0; number < 10; number += 1) {
      expect(part("EFECTIVO", "1")).toBe(true);
    }
    expect(part("EFECTIVO", "1")).toBe(false);
    expect(parts.value).toHaveLength(10);
  });
  it("is not sent: a cart that nothing is left in, or that is another than the one to be paid", async () => {
    for (const other of [
      { ...cartOf(8_400), lineas: [] },
      { ...cartOf(8_400), id: "other" },
    ]) {
      cart.value = cartOf(8_400);
      openPayment("EFECTIVO");
      cart.value = other;
      await confirmPayment();
      expect(problem.value).not.toBe("");
    }
    expect(taken).not.toHaveBeenCalled();
  });
});

describe("mixed", () => {
  it("keeps its parts through Esc, for the same cart", () => {
    openPayment("MIXTO");
    part("TARJETA", "50", "AUT-1");
    cancelPayment();
    openPayment("MIXTO");
    expect(parts.value.map((each) => each.referencia)).toEqual(["AUT-1"]);
    cancelPayment();
    openPayment("EFECTIVO");
    expect(missing.value).toBe(8_400);
    cancelPayment();
    cart.value = { ...cartOf(8_400), id: "next" };
    openPayment("MIXTO");
    expect(parts.value).toEqual([]);
  });
  it("adds up exactly; cash alone may be more, and its surplus goes back", async () => {
    openPayment("MIXTO");
    expect(part("TARJETA", "84,01", "1")).toBe(false);
    expect(part("TARJETA", "50")).toBe(false);
    expect(part("TARJETA", "50", "1")).toBe(true);
    expect(missing.value).toBe(3_400);
    await confirmPayment();
    expect(taken).not.toHaveBeenCalled();
    expect(part("EFECTIVO", "40")).toBe(true);
    expect(missing.value).toBe(0);
    await confirmPayment();
    expect(pagos()).toEqual([
      { metodo: "TARJETA", importe: 5_000, recibido: null, referencia: "1" },
      { metodo: "EFECTIVO", importe: 3_400, recibido: 4_000, referencia: "" },
    ]);
  });
  it("takes parts away again, and nothing beyond what is due", () => {
    openPayment("MIXTO");
    part("EFECTIVO", "50");
    part("EFECTIVO", "");
    expect(parts.value.map((each) => each.importe)).toEqual([5_000, 3_400]);
    expect(part("EFECTIVO", "1")).toBe(false);
    expect(part("EFECTIVO", "")).toBe(false);
    removePart(0);
    expect(missing.value).toBe(5_000);
  });
  it("is refused where the cart has changed under it", async () => {
    openPayment("MIXTO");
    part("EFECTIVO", "84");
    cart.value = cartOf(8_300);
    await confirmPayment();
    expect(taken).not.toHaveBeenCalled();
  });
});

describe("selling", () => {
  it("sells once, however often it is pressed", async () => {
    openPayment("EFECTIVO");
    await Promise.all([confirmPayment(), confirmPayment(), enterPayment()]);
    await confirmPayment();
    expect(taken).toHaveBeenCalledTimes(1);
  });
  it("keeps everything where the device is full, and can be pressed again", async () => {
    taken.mockRejectedValueOnce(new DeviceFull());
    openPayment("EFECTIVO");
    typed.value = "100";
    await confirmPayment();
    expect([paying.value, typed.value, problem.value !== ""]).toEqual([true, "100", true]);
    await confirmPayment();
    expect(paying.value).toBe(false);
  });
  it("takes no payment for nothing", async () => {
    cart.value = { ...cartOf(0), lineas: [] };
    openPayment("EFECTIVO");
    expect(paying.value).toBe(false);
    expect(notice.value).not.toBeNull();
    cart.value = cartOf(0);
    openPayment("EFECTIVO");
    await enterPayment();
    expect(pagos()).toEqual([]);
  });
  it("sells nothing after it was left", async () => {
    openPayment("EFECTIVO");
    cancelPayment();
    await confirmPayment();
    expect(taken).not.toHaveBeenCalled();
  });
});
