import { useEffect, useRef } from "preact/hooks";
import { removeLinea, selectLinea, setCantidad } from "../cart";
import { t } from "../i18n";
import { formatMeasure, formatMoney, formatQuantity, importeOf } from "../money";
import { cart, catalogueSize, dialog, remaining, selected } from "../state";
import type { Linea } from "../types";

const PIECE = 1_000;
const FEW = 5_000;
const SWIPE_PX = 90;
const SLIP_PX = 10;

/** What is left, where it is little or less than the cart asks for. */
function Left({ linea }: { linea: Linea }) {
  const left = remaining.value.get(linea.producto_id) ?? null;
  const asked = (cart.value?.lineas ?? [])
    .filter((each) => each.producto_id === linea.producto_id)
    .reduce((sum, each) => sum + each.cantidad, 0);
  if (left === null || (left > FEW && left >= asked)) {
    return null;
  }
  const short = left < asked;
  return (
    <span class={short ? "line__left line__left--short" : "line__left"}>
      {short ? "! " : ""}
      {left <= 0 ? t("soldOut") : t("left", { cantidad: formatMeasure(left, linea.unidad) })}
    </span>
  );
}

function Steps({ linea }: { linea: Linea }) {
  const step = (by: number) => setCantidad(linea.id, Math.max(linea.cantidad + by, 0));
  return (
    <div class="line__steps">
      {linea.unidad === "UNIDAD" && (
        <>
          <button
            type="button"
            class="button"
            aria-label={t("oneLess", { nombre: linea.nombre })}
            onClick={() => step(-PIECE)}
          >
            −
          </button>
          <button
            type="button"
            class="button"
            aria-label={t("oneMore", { nombre: linea.nombre })}
            onClick={() => step(PIECE)}
          >
            +
          </button>
        </>
      )}
      <button
        type="button"
        class="button line__remove"
        aria-label={t("removeOf", { nombre: linea.nombre })}
        onClick={() => removeLinea(linea.id)}
      >
        {t("remove")}
      </button>
    </div>
  );
}

/** A finger that went to the left takes the line out; a touch that went nowhere chooses it. */
function touched(lineaId: string, event: PointerEvent, went: number): void {
  if (event.pointerType !== "mouse" && went < -SWIPE_PX) {
    removeLinea(lineaId);
  } else if (Math.abs(went) < SLIP_PX && (event.target as HTMLElement).closest("button") === null) {
    selectLinea(lineaId);
  }
}

function Line({ linea }: { linea: Linea }) {
  const row = useRef<HTMLLIElement>(null);
  const from = useRef<number | null>(null);
  const chosen = linea.id === selected.value;
  useEffect(() => {
    if (chosen) {
      row.current?.scrollIntoView({ block: "nearest" });
    }
  }, [chosen, linea.cantidad]);
  const edit = () => {
    selectLinea(linea.id);
    dialog.value = { kind: "quantity", lineaId: linea.id };
  };
  return (
    <li
      ref={row}
      class={chosen ? "line line--chosen" : "line"}
      aria-current={chosen}
      onPointerDown={(event) => {
        from.current = event.clientX;
      }}
      onPointerUp={(event) => {
        touched(linea.id, event, event.clientX - (from.current ?? event.clientX));
        from.current = null;
      }}
    >
      <span class="line__mark" aria-hidden="true">
        {chosen ? "▶" : ""}
      </span>
      <button
        type="button"
        class="line__quantity figure"
        aria-label={t("quantityOf", { nombre: linea.nombre })}
        onClick={edit}
      >
        {formatQuantity(linea.cantidad, linea.unidad)}
        <span class="unit">{linea.unidad === "KG" ? " kg" : ""}</span>
      </button>
      <span class="line__name">
        {linea.nombre} <Left linea={linea} />
      </span>
      <Steps linea={linea} />
      <span class="line__price figure">
        {formatMoney(linea.precio)}
        <span class="unit">{linea.unidad === "KG" ? ` ${t("perKg")}` : ""}</span>
      </span>
      <span class="line__amount figure">{formatMoney(importeOf(linea))}</span>
    </li>
  );
}

/** What is in the cart. */
export function Lines() {
  const lineas = cart.value?.lineas ?? [];
  if (lineas.length > 0) {
    return (
      <ul class="lines" aria-label={t("cart")}>
        {lineas.map((linea) => (
          <Line key={linea.id} linea={linea} />
        ))}
      </ul>
    );
  }
  const none = catalogueSize.value === null || catalogueSize.value === 0;
  return (
    <div class="empty">
      <p class="empty__lead">
        {none ? t(catalogueSize.value === null ? "catalogueLoading" : "catalogueNone") : t("cartEmpty")}
      </p>
      <p>{t("cartEmptyHint")}</p>
    </div>
  );
}
