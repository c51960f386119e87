import { useSignal } from "@preact/signals";
import { add } from "../box";
import { setCantidad } from "../cart";
import { getProducto } from "../catalogue";
import { t } from "../i18n";
import { formatQuantity, parseDecimal } from "../money";
import { cart, notice } from "../state";
import type { Milli, Unidad } from "../types";
import { closeDialog, Dialog } from "./Dialog";
import { isTouch, NumberPad } from "./NumberPad";

interface Props {
  readonly title: string;
  readonly unidad: Unidad;
  readonly first: string;
  /** Returns whether it was taken. */
  readonly onAccept: (cantidad: Milli) => boolean;
}

function QuantityForm({ title, unidad, first, onAccept }: Props) {
  const text = useSignal(first);
  const problem = useSignal("");
  const weighed = unidad === "KG";
  const accept = () => {
    const cantidad = parseDecimal(text.value, 3);
    if (cantidad === null || (weighed && cantidad === 0)) {
      problem.value = t(weighed ? "weightUnreadable" : "quantityUnreadable", { ejemplo: formatQuantity(1_250, "KG") });
    } else if (onAccept(cantidad)) {
      closeDialog();
    } else {
      problem.value = notice.value?.text ?? "";
    }
  };
  return (
    <Dialog title={title}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          accept();
        }}
      >
        <label class="field">
          {t(weighed ? "weighField" : "quantityField")}
          <input
            class="field__input figure"
            autofocus
            data-figure
            inputMode={isTouch ? "none" : "decimal"}
            autocomplete="off"
            aria-invalid={problem.value !== ""}
            aria-describedby="quantity-problem"
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
              problem.value = "";
            }}
            onFocus={(event) => event.currentTarget.select()}
          />
        </label>
        <p id="quantity-problem" class="problem" role="alert">
          {problem.value}
        </p>
        {isTouch ? (
          <NumberPad
            value={text.value}
            onChange={(value) => {
              text.value = value;
            }}
            onEnter={accept}
          />
        ) : (
          <button type="submit" class="button button--accent">
            {t("accept")} <kbd>Enter</kbd>
          </button>
        )}
      </form>
    </Dialog>
  );
}

/** How much a product weighs, before it goes into the cart. */
export function WeighDialog({ productoId }: { productoId: string }) {
  const producto = getProducto(productoId);
  return producto === undefined ? null : (
    <QuantityForm
      title={t("weigh", { nombre: producto.nombre })}
      unidad={producto.unidad}
      first=""
      onAccept={(cantidad) => add(producto, cantidad)}
    />
  );
}

/** Another quantity for a line. */
export function QuantityDialog({ lineaId }: { lineaId: string }) {
  const linea = cart.value?.lineas.find((each) => each.id === lineaId);
  return linea === undefined ? null : (
    <QuantityForm
      title={t("quantityOf", { nombre: linea.nombre })}
      unidad={linea.unidad}
      first={formatQuantity(linea.cantidad, linea.unidad).replace(/[^\d.,]/g, "")}
      onAccept={(cantidad) => setCantidad(lineaId, cantidad)}
    />
  );
}
