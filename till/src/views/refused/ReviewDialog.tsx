import { useSignal } from "@preact/signals";
import { CloseRefused, closeSale, type Supervisor } from "../../closing";
import { t } from "../../i18n";
import { readableCode } from "../../ids";
import { NoConnection } from "../../net";
import { reopenSale } from "../../outbox";
import { offersOf } from "../../refusals";
import { notice, online, sales, seat } from "../../state";
import type { Sale } from "../../types";
import { closeDialog, Dialog } from "../Dialog";
import { formatMoment } from "../format";
import { Payments, SoldLines } from "../sales/SaleDialog";
import { TextField } from "../TextField";
import { wordsOf } from "./words";

async function correct(ventaId: string): Promise<void> {
  closeDialog(); // first: what the cart then asks has the focus
  if (!(await reopenSale(ventaId))) {
    notice.value = { text: t("reviewTaken") };
  }
}

function Why({ sale }: { sale: Sale }) {
  const rechazo = sale.rechazo;
  if (rechazo === null) {
    return null;
  }
  const offers = offersOf(rechazo, sale.lineas);
  return (
    <ul class="list">
      {offers.map((offer) => (
        <li key={offer.productoId}>! {wordsOf(offer, true)}</li>
      ))}
      {offers.length === 0 && <li>! {t("refusedOther", { mensaje: rechazo.mensaje })}</li>}
    </ul>
  );
}

type Field = "razon" | "clave";

/** What the form asks for, and what is wrong with which of it. */
function useClosing(sale: Sale, alone: boolean) {
  const razon = useSignal("");
  const usuario = useSignal("");
  const clave = useSignal("");
  const problem = useSignal<{ text: string; field: Field | null }>({ text: "", field: null });
  const submit = async () => {
    if (razon.value.trim() === "") {
      problem.value = { text: t("reasonNeeded"), field: "razon" };
      return;
    }
    const supervisor: Supervisor = { usuario: usuario.value.trim(), clave: clave.value };
    try {
      await closeSale({ ventaId: sale.id, razon: razon.value.trim(), ...(alone ? {} : { supervisor }) });
      closeDialog();
    } catch (error) {
      if (error instanceof CloseRefused) {
        problem.value = { text: error.message, field: error.field };
      } else if (error instanceof NoConnection) {
        problem.value = { text: t("needsServer"), field: null };
      } else {
        throw error;
      }
    }
  };
  return { razon, usuario, clave, problem, submit };
}

function CloseForm({ sale }: { sale: Sale }) {
  const alone = seat.value !== null && seat.value.tienda.rol !== "cajero";
  const { razon, usuario, clave, problem, submit } = useClosing(sale, alone);
  const wrong = (field: Field) => (problem.value.field === field ? problem.value.text : "");
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h3>{t("reviewClose")}</h3>
      <TextField label={t("reason")} value={razon} problem={wrong("razon")} />
      {!alone && (
        <>
          <p class="muted">{t("supervisorHelp")}</p>
          <div class="form__pair">
            <TextField label={t("supervisor")} value={usuario} />
            <TextField label={t("password")} value={clave} type="password" problem={wrong("clave")} />
          </div>
        </>
      )}
      {problem.value.field === null && (
        <p class="problem" role="alert">
          {problem.value.text}
        </p>
      )}
      {online.value ? (
        <button type="submit" class="button button--bad">
          {t("closeSale")}
        </button>
      ) : (
        <p>{t("needsServer")}</p>
      )}
    </form>
  );
}

/** A sale that the server refused after its customer had left. It stands out until somebody decides. */
export function ReviewDialog({ ventaId }: { ventaId: string }) {
  const sale = sales.value.find((each) => each.id === ventaId);
  if (sale === undefined || sale.estado !== "POR_REVISAR") {
    return null;
  }
  return (
    <Dialog title={`${t("reviewTitle")} ${readableCode(sale.id)}`} wide>
      <p>
        {formatMoment(sale.fecha)} · {sale.usuario}
      </p>
      <Why sale={sale} />
      <p>{t("reviewLead")}</p>
      <SoldLines sale={sale} />
      <Payments pagos={sale.pagos} />
      <button type="button" class="button button--accent" onClick={() => void correct(sale.id)}>
        {t("reviewCorrect")}
      </button>
      <CloseForm sale={sale} />
    </Dialog>
  );
}
