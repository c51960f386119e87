import { clearCart, removeLinea } from "../cart";
import { giveBack } from "../focus";
import { t } from "../i18n";
import { cartTotal, formatAmount, formatMoney, itemCount, taxTotals } from "../money";
import { parkCart } from "../parked";
import { type Manner, openPayment } from "../payment";
import { cart, dialog, lastSale, notice, parked, paying, refused, selected, session } from "../state";
import { Amount } from "./Amount";
import { CameraDialog } from "./CameraDialog";
import { HelpDialog } from "./HelpDialog";
import { Lines } from "./Lines";
import { ParkedDialog } from "./ParkedDialog";
import { ChangePanel } from "./pay/ChangePanel";
import { MANNERS } from "./pay/fields";
import { PayPanel } from "./pay/PayPanel";
import { QuantityDialog, WeighDialog } from "./QuantityDialog";
import { Correcting, RefusedBanner } from "./refused/RefusedBanner";
import { ReviewDialog } from "./refused/ReviewDialog";
import { SearchBox } from "./SearchBox";
import { SettingsDialog } from "./SettingsDialog";
import { SaleDialog } from "./sales/SaleDialog";
import { SalesDialog, SalesList } from "./sales/SalesList";
import { SessionEnded } from "./session/SessionEnded";
import { TopBar } from "./TopBar";

const KEYS: readonly [Manner, string][] = [
  ["EFECTIVO", "F2"],
  ["TARJETA", "F3"],
  ["TRANSFERENCIA", "F4"],
  ["MIXTO", "F6"],
];

function Total() {
  const lineas = cart.value?.lineas ?? [];
  const tax = taxTotals(lineas).reduce((sum, { impuesto }) => sum + impuesto, 0);
  return (
    <section class="total" aria-label={t("total")}>
      <h2 class="total__label">{t("total")}</h2>
      <Amount text={formatAmount(cartTotal(lineas))} />
      <p class="total__more">
        <span>{t("items", { n: itemCount(lineas) })}</span>
        <span class="figure">{t("taxIncluded", { importe: formatMoney(tax) })}</span>
      </p>
      <div class="ways">
        {KEYS.map(([kind, key], place) => (
          <button
            key={kind}
            type="button"
            class={place === 0 && lineas.length > 0 && refused.value === null ? "button button--accent" : "button"}
            disabled={lineas.length === 0}
            onClick={() => openPayment(kind)}
          >
            <kbd>{key}</kbd> {t(MANNERS[kind])}
          </button>
        ))}
      </div>
    </section>
  );
}

function Actions() {
  const lineas = cart.value?.lineas ?? [];
  const chosen = selected.value;
  const busy = paying.value; // what is being paid stays what it is
  return (
    <nav class="actions" aria-label={t("cart")}>
      <button type="button" class="button" disabled={busy || lineas.length === 0} onClick={() => void parkCart()}>
        <kbd>F7</kbd> {t("park")}
      </button>
      <button type="button" class="button" disabled={busy} onClick={() => (dialog.value = { kind: "parked" })}>
        <kbd>F8</kbd> {t("parkedCarts")} ({parked.value.length})
      </button>
      <button
        type="button"
        class="button"
        disabled={busy || chosen === null}
        onClick={() => {
          removeLinea(chosen ?? "");
          giveBack();
        }}
      >
        <kbd>{t("keyDelete")}</kbd> {t("removeLine")}
      </button>
      <button type="button" class="button" disabled={busy || lineas.length === 0} onClick={clearCart}>
        {t("clearCart")}
      </button>
      <button type="button" class="button actions__sales" onClick={() => (dialog.value = { kind: "sales" })}>
        {t("lastSales")}
      </button>
    </nav>
  );
}

function Notice() {
  const said = notice.value;
  return (
    <div class="notice" role="status">
      {said !== null && (
        <>
          <span>{said.text}</span>
          {said.undo !== undefined && (
            <button
              type="button"
              class="button"
              onClick={() => {
                said.undo?.();
                giveBack();
              }}
            >
              {t("undo")} <kbd>Ctrl Z</kbd>
            </button>
          )}
        </>
      )}
    </div>
  );
}

function OpenDialog() {
  const open = dialog.value;
  switch (open?.kind) {
    case "help":
      return <HelpDialog />;
    case "sales":
      return <SalesDialog />;
    case "parked":
      return <ParkedDialog />;
    case "camera":
      return <CameraDialog />;
    case "settings":
      return <SettingsDialog />;
    case "weigh":
      return <WeighDialog productoId={open.productoId} />;
    case "quantity":
      return <QuantityDialog lineaId={open.lineaId} />;
    case "review":
      return <ReviewDialog ventaId={open.ventaId} />;
    case "sale":
      return <SaleDialog ventaId={open.ventaId} />;
    default:
      return null;
  }
}

function Side() {
  const panel = paying.value ? <PayPanel /> : lastSale.value !== null ? <ChangePanel /> : <Total />;
  return (
    <aside class="side" aria-label={t("payWays")}>
      {panel}
      <SalesList />
    </aside>
  );
}

/** The till: what is in the cart, what it costs, has it been saved. */
export function Till() {
  return (
    <div class="till">
      <TopBar />
      <main class="main">
        <SearchBox />
        <div class="above">
          <Correcting />
          {refused.value !== null && <RefusedBanner />}
        </div>
        <Lines />
        <Notice />
        <Actions />
      </main>
      <Side />
      <OpenDialog />
      {session.value === "ended" && <SessionEnded />}
    </div>
  );
}
