import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { active, choose, enter, entry, moveActive, query, results, type as typeText } from "../box";
import { moveSelection, setCantidad } from "../cart";
import { BOX_ID } from "../focus";
import { t } from "../i18n";
import { formatMeasure, formatMoney, formatQuantity } from "../money";
import { cart, dialog, remaining, selected } from "../state";
import type { Producto } from "../types";
import { canScanByCamera } from "./camera";
import { isTouch, NumberPad } from "./NumberPad";

const LIST = "caja-results";
const PIECE = 1_000;
const padOpen = signal(false);
/** The device's own keyboard comes up where a finger asks for it, not each time that the box has the focus again. */
const letters = signal(!isTouch);

/** With nothing typed, the keys are the selected line's. Returns whether it took the key. */
function lineKey(key: string): boolean {
  const linea = cart.value?.lineas.find((each) => each.id === selected.value);
  if (key === "ArrowUp" || key === "ArrowDown") {
    moveSelection(key === "ArrowUp" ? -1 : 1);
  } else if (linea === undefined) {
    return false;
  } else if (key === "+" || key === "-") {
    setCantidad(linea.id, Math.max(linea.cantidad + (key === "+" ? PIECE : -PIECE), 0));
  } else if (key === "Enter") {
    dialog.value = { kind: "quantity", lineaId: linea.id };
  } else {
    return false;
  }
  return true;
}

function boxKey(key: string): boolean {
  switch (key) {
    case "ArrowUp":
    case "ArrowDown":
      moveActive(key === "ArrowUp" ? -1 : 1);
      return true;
    case "Enter":
      enter();
      return true;
    case "Escape":
      typeText("");
      return true;
    default:
      return false;
  }
}

function onKeyDown(event: KeyboardEvent): void {
  if (query.value === "" ? lineKey(event.key) : boxKey(event.key)) {
    event.preventDefault();
    event.stopPropagation();
  }
}

function Stock({ producto }: { producto: Producto }) {
  const left = remaining.value.get(producto.id);
  if (left === undefined || left === null) {
    return <span class="result__left">{t("leftUnknown")}</span>;
  }
  return left <= 0 ? (
    <span class="result__left result__left--none">✕ {t("soldOut")}</span>
  ) : (
    <span class="result__left">{t("left", { cantidad: formatMeasure(left, producto.unidad) })}</span>
  );
}

function Result({ producto, place }: { producto: Producto; place: number }) {
  const row = useRef<HTMLDivElement>(null);
  const chosen = place === active.value;
  useEffect(() => {
    if (chosen) {
      row.current?.scrollIntoView({ block: "nearest" });
    }
  }, [chosen]);
  return (
    // The box keeps the focus; its arrows walk the options.
    // biome-ignore lint/a11y/useFocusableInteractive: aria-activedescendant of the box
    // biome-ignore lint/a11y/useKeyWithClickEvents: the box takes the keys
    <div
      ref={row}
      id={`${LIST}-${place}`}
      role="option"
      aria-selected={chosen}
      class={chosen ? "result result--active" : "result"}
      onPointerDown={(event) => event.preventDefault()}
      onClick={() => choose(producto)}
    >
      <span class="result__name">{producto.nombre}</span>
      <span class="result__sku">{producto.sku}</span>
      <Stock producto={producto} />
      <span class="figure result__price">
        {formatMoney(producto.precio)}
        <span class="unit">{producto.unidad === "KG" ? ` ${t("perKg")}` : ""}</span>
      </span>
    </div>
  );
}

/** Only of words: a scanner's figures are on their way. */
function NoResults() {
  const words = /\p{L}{2}/u.test(entry.value.resto);
  return words ? (
    <p class="results results--none" role="status">
      {t("noResults")}
    </p>
  ) : null;
}

function Results() {
  return results.value.length === 0 ? (
    <NoResults />
  ) : (
    <div id={LIST} role="listbox" aria-label={t("results")} class="results">
      {results.value.map((producto, place) => (
        <Result key={producto.id} producto={producto} place={place} />
      ))}
    </div>
  );
}

/** The one box, always with the focus. */
export function SearchBox() {
  const open = results.value.length > 0;
  const { veces } = entry.value;
  return (
    <search class="box">
      <label class="hidden" for={BOX_ID}>
        {t("box")}
      </label>
      <input
        id={BOX_ID}
        class="box__input"
        type="text"
        role="combobox"
        aria-expanded={open}
        aria-controls={LIST}
        aria-autocomplete="list"
        {...(open ? { "aria-activedescendant": `${LIST}-${active.value}` } : {})}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        enterkeyhint="enter"
        inputMode={letters.value && !padOpen.value ? "search" : "none"}
        placeholder={t("boxHint")}
        value={query.value}
        onInput={(event) => typeText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onPointerDown={() => {
          letters.value = true;
        }}
        onBlur={() => {
          letters.value = !isTouch;
        }}
      />
      {veces !== null && (
        <output class="box__times figure">{formatQuantity(veces, veces % PIECE ? "KG" : "UNIDAD")}×</output>
      )}
      {isTouch && (
        <button
          type="button"
          class="button"
          aria-pressed={padOpen.value}
          onClick={() => {
            padOpen.value = !padOpen.value;
          }}
        >
          {t("keypad")}
        </button>
      )}
      {canScanByCamera.value && (
        <button type="button" class="button" onClick={() => (dialog.value = { kind: "camera" })}>
          <kbd>F10</kbd> {t("camera")}
        </button>
      )}
      <Results />
      {padOpen.value && (
        <div class="box__pad">
          <NumberPad star value={query.value} onChange={typeText} onEnter={enter} />
        </div>
      )}
    </search>
  );
}
