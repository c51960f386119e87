import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { now } from "../clock";
import { outdated } from "../db";
import { t } from "../i18n";
import { applyUpdate, updateReady } from "../register";
import { deviceFull, dialog, online, sales, seat, session, toReview, waiting } from "../state";
import { dark, toggleTheme } from "../theme";
import { waitsForPerson } from "../whose";
import { formatTime } from "./format";
import { aside } from "./session/SessionEnded";

const shown = signal(now());
const TICK_MS = 10_000;

function Connection() {
  const kept = online.value
    ? waiting.value.filter((sale) => !waitsForPerson(sale)).length // the others wait for who made them
    : waiting.value.length;
  const text = online.value
    ? kept > 0 && session.value === "open"
      ? t("sending", { n: kept })
      : t("online")
    : kept > 0
      ? t("offlineKept", { n: kept })
      : t("offline");
  return (
    <p class={online.value ? "net net--on" : "net net--off"} role="status">
      <span aria-hidden="true">{online.value ? "●" : "○"}</span> {text}
    </p>
  );
}

function Review() {
  const [first] = toReview.value;
  return first === undefined ? null : (
    <button
      type="button"
      class="button button--bad"
      onClick={() => {
        dialog.value = { kind: "review", ventaId: first.id };
      }}
    >
      ! {t("toReview", { n: toReview.value.length })}
    </button>
  );
}

/** Whether it is saved, where one is, and the way to everything else. */
export function TopBar() {
  useEffect(() => {
    const timer = window.setInterval(() => {
      shown.value = now();
    }, TICK_MS);
    return () => window.clearInterval(timer);
  }, []);
  const queued = sales.value.filter((sale) => sale.estado === "EN_COLA" || sale.estado === "POR_CONFIRMAR").length;
  const place = seat.value;
  return (
    <header class="top">
      <h1 class="hidden">{t("appName")}</h1>
      <Connection />
      {place !== null && (
        <p class="top__place">
          {place.tienda.nombre} · {place.terminal.nombre} · {place.usuario.nombre}
        </p>
      )}
      {queued > 0 && <p class="top__queued">◌ {t("inQueue", { n: queued })}</p>}
      <Review />
      {deviceFull.value && (
        <p class="top__ended" role="alert">
          ! {t("deviceFullBar")}
        </p>
      )}
      {session.value === "ended" && (
        <button
          type="button"
          class="button button--bad top__ended"
          onClick={() => {
            aside.value = false;
          }}
        >
          ! {t("endedBar")}
        </button>
      )}
      {outdated.value && (
        <button type="button" class="button button--bad" onClick={() => location.reload()}>
          {t("reload")}
        </button>
      )}
      {updateReady.value && (
        <button type="button" class="button" onClick={applyUpdate} title={t("updateReady")}>
          {t("reload")}
        </button>
      )}
      <time class="top__clock">{formatTime(shown.value)}</time>
      <button type="button" class="button" onClick={() => (dialog.value = { kind: "help" })}>
        <kbd>?</kbd> {t("help")}
      </button>
      <button type="button" class="button" onClick={() => (dialog.value = { kind: "settings" })}>
        {t("settings")}
      </button>
      <button type="button" class="button top__theme" onClick={toggleTheme}>
        {dark.value ? `☀ ${t("themeLight")}` : `☾ ${t("themeDark")}`}
      </button>
    </header>
  );
}
