import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../src/i18n";
import { acceptOffer, isOpen, offersOf } from "../src/refusals";
import { cart } from "../src/state";
import type { Linea, Rechazo } from "../src/types";
import { actionOf, wordsOf } from "../src/views/refused/words";
import { LECHE, linea, TOMATE } from "./examples";

const KILO: Partial<Linea> = {
  id: "l2",
  producto_id: TOMATE.id,
  nombre: TOMATE.nombre,
  unidad: "KG",
  precio: TOMATE.precio,
  cantidad: 1_500,
};

function rechazo(codigo: string, ...detalles: object[]): Rechazo {
  return { status: 400, codigo, mensaje: "No se pudo.", detalles };
}

function fill(...lineas: Linea[]): void {
  cart.value = { id: "c", tienda_id: "t", tab: "x", lineas, creada: 0, apartada: null, rechazo: null };
}

beforeEach(() => {
  language.value = "es"; // a newer Node has a language of its own
  cart.value = null;
});

describe("what is offered", () => {
  it("what there is, where there is less", () => {
    const [offer] = offersOf(rechazo("stock_insuficiente", { producto_id: LECHE.id, disponible: 3 }), [linea({})]);
    expect(offer).toMatchObject({ kind: "less", cantidad: 3_000, nombre: LECHE.nombre });
  });

  it("whole pieces only, and the gram of what is weighed", () => {
    const said = (id: string) => rechazo("stock_insuficiente", { producto_id: id, disponible: 1.275 });
    expect(offersOf(said(LECHE.id), [linea({})])).toMatchObject([{ kind: "less", cantidad: 1_000 }]);
    expect(offersOf(said(TOMATE.id), [linea(KILO)])).toMatchObject([{ kind: "less", cantidad: 1_275 }]);
  });

  it.each([0, 0.4, undefined])("nothing but to take it out, where %s is left of what is sold by the piece", (left) => {
    const said = rechazo("stock_insuficiente", { producto_id: LECHE.id, disponible: left });
    expect(offersOf(said, [linea({})])).toMatchObject([{ kind: "none" }]);
  });

  it("the new price, to the cent", () => {
    const said = rechazo("precio_cambiado", { producto_id: LECHE.id, precio: 12.5, precio_actual: 19.1 });
    expect(offersOf(said, [linea({})])).toMatchObject([{ kind: "price", viejo: 1_250, nuevo: 1_910 }]);
  });

  it("nothing, where only the server's own words will do", () => {
    expect(offersOf(rechazo("venta_anulada"), [linea({})])).toEqual([]);
    expect(offersOf({ ...rechazo("datos_invalidos"), detalles: { items: ["…"] } }, [linea({})])).toEqual([]);
  });
});

describe("an offer taken", () => {
  it("is shared among the lines of one product, and what is left over goes", () => {
    fill(linea({ id: "a", cantidad: 2_000 }), linea({ id: "b", cantidad: 2_000 }), linea({ id: "c", cantidad: 1_000 }));
    const [offer] = offersOf(rechazo("stock_insuficiente", { producto_id: LECHE.id, disponible: 3 }), []);
    if (offer === undefined) {
      throw new Error("no offer");
    }
    expect(isOpen(offer)).toBe(true);
    acceptOffer(offer);
    expect(cart.value?.lineas.map((each) => [each.id, each.cantidad])).toEqual([
      ["a", 2_000],
      ["b", 1_000],
    ]);
    expect(isOpen(offer)).toBe(false);
  });

  it("puts the new price on the product's lines alone", () => {
    fill(linea({}), linea(KILO));
    const [offer] = offersOf(
      rechazo("precio_cambiado", { producto_id: LECHE.id, precio: 12.5, precio_actual: 13 }),
      [],
    );
    if (offer === undefined) {
      throw new Error("no offer");
    }
    acceptOffer(offer);
    expect(cart.value?.lineas.map((each) => each.precio)).toEqual([1_300, TOMATE.precio]);
    expect(isOpen(offer)).toBe(false);
  });
});

describe("its words", () => {
  const less = { kind: "less", productoId: LECHE.id, nombre: "Pan", unidad: "UNIDAD", cantidad: 3_000 } as const;

  it("ask the customer who is here, and tell of the one who has left", () => {
    expect(wordsOf(less, false)).toBe("Quedan 3 de Pan. ¿Vender 3?");
    expect(wordsOf(less, true)).toBe("Quedaban 3 de Pan.");
    expect(actionOf(less)).toBe("Vender 3");
  });

  it("say kilograms of what is weighed", () => {
    expect(actionOf({ ...less, unidad: "KG", cantidad: 1_275 })).toMatch(/^Vender 1[.,]275 kg$/);
  });

  it("name both prices", () => {
    const words = wordsOf({ kind: "price", productoId: "p", nombre: "Pan", viejo: 1_800, nuevo: 1_900 }, false);
    expect(words).toMatch(/^Pan ahora cuesta 19[.,]00 \(antes 18[.,]00\)\.$/);
  });
});
