import "./styles/index.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { App, broken } from "./app";
import { results, takeScan, watchPending } from "./box";
import { openCart } from "./cart";
import { flush, leaveTab, nameTab } from "./carts_db";
import { keepCatalogueFresh, openCatalogue, rereadCatalogue } from "./catalogue";
import { hear, openDb } from "./db";
import { giveBack, keepFocus } from "./focus";
import { language, t } from "./i18n";
import { watchShown } from "./live";
import { watchConnection } from "./net";
import { startOutbox } from "./outbox";
import { readParked, watchParked } from "./parked";
import { manner } from "./payment";
import { watchPrinting } from "./printing";
import { registerWorker } from "./register";
import { refreshSales } from "./sales_db";
import { keepSessionFresh, refreshSession, resume } from "./session";
import { bindShortcuts } from "./shortcuts";
import { paying, seat, session } from "./state";
import { watchTheme } from "./theme";
import { lookForCamera } from "./views/camera";
import { Receipt } from "./views/receipt/Receipt";
import { listenForScans } from "./wedge";

/** Another tienda has another catalogue, other carts, other sales. */
async function openTienda(): Promise<void> {
  await Promise.all([openCatalogue(), openCart(), readParked(), refreshSales({ changed: false })]);
  giveBack();
}

function watch(): void {
  watchTheme();
  watchPending();
  watchPrinting();
  watchParked();
  watchShown(() => results.value.map((producto) => producto.id));
  watchConnection(refreshSession);
  hear("catalogo", () => void rereadCatalogue());
  effect(() => {
    document.documentElement.lang = language.value;
    document.title = t("appName");
  });
  effect(() => {
    if (seat.value !== null) {
      void openTienda();
    }
  });
  effect(() => {
    void [paying.value, manner.value, session.value];
    window.setTimeout(giveBack, 0);
  });
  window.addEventListener("pagehide", ({ persisted }) => {
    void flush();
    if (!persisted) {
      leaveTab();
    }
  });
}

async function start(): Promise<void> {
  render(<App />, document.getElementById("app") as HTMLElement);
  render(<Receipt />, document.getElementById("ticket") as HTMLElement);
  try {
    await openDb();
  } catch {
    broken.value = true; // said on the screen: nothing is sold into nothing
    return;
  }
  await nameTab();
  watch();
  keepFocus();
  bindShortcuts();
  listenForScans(takeScan);
  await resume();
  await startOutbox();
  keepCatalogueFresh();
  keepSessionFresh();
  await registerWorker();
  await lookForCamera();
  await navigator.storage?.persist?.(); // some browsers ask the person: nothing waits for it
}

void start();
